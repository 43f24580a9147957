/** The frame of an inspector: the list that can be folded away, the head, the tabs with their panels, and the keys. */
import { headPanel } from "./head.js";
import { button, part } from "./parts.js";
import { sessionsPanel } from "./sessions.js";
import { versionBar } from "./versions.js";

/** Below this width the list lies above, in pixels; so long is an age right, in milliseconds. */
const NARROW = 640;
const AGEING = 20000;

/**
 * @typedef {import("./inspector.js").Panel} Panel
 * @typedef {import("./inspector.js").Context} Context
 * @typedef {import("./inspector.js").Place["view"]} View
 * @typedef {readonly (readonly [View, string, (context: Context) => Panel])[]} Views
 */

/**
 * Build what lies in an inspector. `arrange` shows the chosen view; `seen` are the panels that are seen.
 * @param {HTMLElement} root @param {Context} context @param {Views} views @param {string} key
 * @returns {{ element: HTMLElement, arrange: () => void, seen: () => Panel[], end: () => void }}
 */
export function framed(root, context, views, key) {
  const { go, place } = context;
  const sessions = sessionsPanel(context);
  sessions.element.id = `wf-${key}-sessions`;
  /** @type {boolean | null} */
  let folded = null; // as was chosen at this width; null: it is shown where there is room
  let wasNarrow = false;
  const fold = button("☰", "show or hide the list of sessions", () => {
    folded = !sessions.element.hidden;
    arrange();
  });
  fold.setAttribute("aria-controls", sessions.element.id);
  const head = headPanel(context, fold);
  const bar = versionBar(context);
  const tabs = part("tabs", "div", { role: "tablist", "aria-label": "views" });
  const body = part("body");
  /** @type {Map<View, { tab: HTMLElement, panel: Panel }>} */
  const panels = new Map();
  for (const [view, title, make] of views) {
    const panel = make(context);
    const tab = button(title, title, () => go({ view }));
    tab.className = "wf-inspector-tab";
    tab.id = `wf-${key}-${view}`;
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", `${tab.id}-panel`);
    panel.element.id = `${tab.id}-panel`;
    panel.element.setAttribute("role", "tabpanel");
    panel.element.setAttribute("aria-labelledby", tab.id);
    tabs.append(tab);
    body.append(panel.element);
    panels.set(view, { tab, panel });
  }
  tabs.addEventListener("keydown", (event) => {
    const now = views.findIndex(([view]) => view === place().view);
    /** @type {Record<string, number>} */
    const to = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: views.length - 1 };
    if (!(event.key in to) || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const view = views[(to[event.key] + views.length) % views.length][0];
    go({ view });
    panels.get(view)?.tab.focus();
  });
  const main = part("main");
  main.append(head.element, tabs, bar.element, body);
  const element = part("columns");
  element.append(sessions.element, main);
  root.classList.toggle("wf-inspector-given", Boolean(place().session));

  /** Whether what is shown is of one version. */
  const hasVersion = () => Boolean(place().session) && ["state", "history"].includes(place().view);

  function arrange() {
    const isNarrow = root.isConnected && root.clientWidth < NARROW;
    if (root.classList.toggle("wf-inspector-narrow", isNarrow) !== wasNarrow) folded = null;
    wasNarrow = isNarrow;
    sessions.element.hidden = folded ?? (isNarrow && Boolean(place().session));
    root.classList.toggle("wf-inspector-folded", sessions.element.hidden);
    fold.setAttribute("aria-expanded", String(!sessions.element.hidden));
    bar.element.hidden = !hasVersion();
    for (const [view, { tab, panel }] of panels) {
      const isShown = view === place().view;
      tab.setAttribute("aria-selected", String(isShown));
      tab.tabIndex = isShown ? 0 : -1;
      panel.element.hidden = !isShown;
    }
  }
  function seen() {
    const chosen = panels.get(place().view);
    return [sessions, head, ...(hasVersion() ? [bar] : []), ...(chosen ? [chosen.panel] : [])];
  }

  /** Keep from the notebook what is pressed here: its keys would cut cells, and copy one. @param {KeyboardEvent} event */
  function keys(event) {
    const control = event.ctrlKey || event.metaKey;
    const marked = getSelection();
    if (control && event.key === "c" && root.contains(marked?.anchorNode ?? null) && `${marked}`) event.stopPropagation();
    root.toggleAttribute("data-lm-suppress-shortcuts", !(control || event.altKey) || event.key === "Enter" || event.key === "a");
  }
  window.addEventListener("keydown", keys, true);
  root.addEventListener("keydown", (event) => {
    if (root.hasAttribute("data-lm-suppress-shortcuts")) event.stopPropagation();
  });
  const sized = new ResizeObserver(arrange);
  sized.observe(root);
  const ageing = setInterval(() => seen().forEach((panel) => panel.aged?.()), AGEING);
  function end() {
    sized.disconnect();
    clearInterval(ageing);
    window.removeEventListener("keydown", keys, true);
  }
  return { element, arrange, seen, end };
}
