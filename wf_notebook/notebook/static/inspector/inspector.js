/** The inspector in a page: it takes the place of its static tree, wherever that is shown. */
import { asking } from "./asking.js";
import { historyPanel } from "./history.js";
import { part, say } from "./parts.js";
import { runsPanel } from "./runs.js";
import { sessionsPanel } from "./sessions.js";
import { sqlPanel } from "./sql.js";
import { statePanel } from "./state.js";
import { versionBar } from "./versions.js";

/**
 * @typedef {(string | number)} Step
 * @typedef {object} Place  where the inspector is: `wf_notebook.inspection.Place`
 * @property {string} session
 * @property {number | null} version  null: the newest is followed
 * @property {Step[]} path
 * @property {"state" | "history" | "runs" | "sql"} view
 * @property {string} filter
 * @property {string} sort
 * @property {boolean} descending
 * @property {string[]} selected
 * @property {[string, number | null] | null} other
 * @property {string} run
 * @property {string} query
 */
/**
 * @typedef {object} Context  what a panel is given
 * @property {(op: string, fields?: object) => Promise<any>} ask  ask the kernel; rejects with Refused
 * @property {() => Place} place  where the inspector is
 * @property {(to: Partial<Place>) => void} go  look at something else: each panel that is seen shows it
 * @property {(text: string, kind?: "said" | "failed") => void} tell  say a line below, and to a screen reader
 */
/**
 * @typedef {object} Panel
 * @property {HTMLElement} element
 * @property {(place: Place) => void | Promise<void>} show  show what is looked at
 * @property {() => void | Promise<void>} moved  something was saved: show that, and move nothing that is looked at
 */

const VIEWS = /** @type {const} */ ([
  ["state", "State", statePanel],
  ["history", "History", historyPanel],
  ["runs", "Runs", runsPanel],
  ["sql", "SQL", sqlPanel],
]);

const BUSY = "the kernel is busy: it answers when the cell has ended";

/** Build an inspector in an element. @param {import("./asking.js").Model} model @param {Element} el @returns {() => void} */
function build(model, el) {
  const root = part("root", "section", { "aria-label": "inspector" });
  root.classList.add("wf-inspector");
  const status = part("status", "p", { role: "status" });
  const style = document.createElement("style"); // anywidget would add it to a view, which there is none of
  style.textContent = model.get("_css");
  const { ask, end } = asking(model, (isSilent) => {
    if (isSilent || status.textContent === BUSY) say(status, isSilent ? BUSY : "");
  });
  /** @type {Place} */
  let here = model.get("place");
  let moves = 0;

  /** @type {Context} */
  const context = {
    place: () => here,
    go(to) {
      here = { ...here, ...to };
      moves += 1;
      ask("look", { to }).catch(fail);
      show();
    },
    tell: (text) => say(status, text),
    ask,
  };
  /** @param {Error} error */
  const fail = (error) => say(status, error.message);

  const sessions = sessionsPanel(context);
  const tabs = part("tabs", "div", { role: "tablist" });
  const body = part("body");
  const panels = new Map(VIEWS.map(([name, title, make]) => {
    const tab = part("tab", "button", { type: "button", role: "tab" });
    tab.textContent = title;
    tab.addEventListener("click", () => context.go({ view: name }));
    tabs.append(tab);
    const panel = make(context);
    panel.element.setAttribute("role", "tabpanel");
    body.append(panel.element);
    return [name, { tab, panel }];
  }));
  const bar = versionBar(context);
  const main = part("main");
  main.append(tabs, bar.element, body);
  const columns = part("columns");
  columns.append(sessions.element, main);
  root.append(style, columns, status);
  el.replaceChildren(root);

  function show() {
    for (const [name, { tab, panel }] of panels) {
      tab.setAttribute("aria-selected", String(name === here.view));
      panel.element.hidden = name !== here.view;
    }
    bar.element.hidden = !here.session || !["state", "history"].includes(here.view);
    for (const panel of [sessions, bar, panels.get(here.view)?.panel]) Promise.resolve(panel?.show(here)).catch(fail);
  }
  function placed() {
    const there = model.get("place");
    if (there.n <= moves) return; // an echo of what this page did
    here = there;
    moves = there.n;
    show();
  }
  function news() {
    for (const panel of [sessions, bar, panels.get(here.view)?.panel]) Promise.resolve(panel?.moved()).catch(fail);
  }
  model.on("change:place", placed);
  model.on("change:news", news);
  moves = here.n ?? 0;
  show();
  return () => {
    end();
    model.off("change:place", placed);
    model.off("change:news", news);
  };
}

/** Take the place of the static tree wherever it is, now or later. @param {{ model: import("./asking.js").Model }} view */
function initialize({ model }) {
  const places = document.getElementsByClassName(`wf-inspector-${model.get("key")}`);
  /** @type {Map<Element, () => void>} */
  const built = new Map();
  function look() {
    for (const place of places) if (!built.has(place)) built.set(place, build(model, place));
    for (const [place, end] of built) {
      if (place.isConnected) continue;
      end();
      built.delete(place);
    }
  }
  const observer = new MutationObserver(look);
  observer.observe(document.body, { childList: true, subtree: true });
  look();
  return () => {
    observer.disconnect();
    for (const end of built.values()) end();
  };
}

export default { initialize, render() {} };
