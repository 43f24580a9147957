/** The frame of an inspector: the list that can be folded away, the head, the tabs with their panels, and the keys. */
import { headPanel } from "./head.js";
import { box, button, isMarked, part, roving } from "./parts.js";
import { sessionsPanel } from "./sessions.js";
import { versionBar } from "./versions.js";

/** Below this width the list lies above, in pixels; so long is an age right, in milliseconds. */
const NARROW = 640;
const AGEING = 20000;
const KEPT = "data-lm-suppress-shortcuts";

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
  const made = views.map(([view, title, make]) => {
    const panel = make(context);
    const choose = () => void (view === place().view || go({ view }));
    const tab = part("tab", "button", { type: "button", role: "tab", id: `wf-${key}-${view}`, onclick: choose, onfocus: choose }, title);
    tab.setAttribute("aria-controls", `${tab.id}-panel`);
    Object.assign(panel.element, { id: `${tab.id}-panel`, role: "tabpanel" }).setAttribute("aria-labelledby", tab.id);
    return { view, tab, panel };
  });
  const tabs = part("tabs", "div", { role: "tablist", ariaLabel: "views" }, ...made.map(({ tab }) => tab));
  roving(tabs, "button", undefined, true);
  const body = box("body", ...made.map(({ panel }) => panel.element));
  const element = box("columns", sessions.element, box("main", head.element, tabs, bar.element, body));
  root.classList.toggle("wfi-given", Boolean(place().session));

  /** Whether what is shown is of one version. */
  const hasVersion = () => Boolean(place().session) && ["state", "history"].includes(place().view);

  function arrange() {
    const isNarrow = root.isConnected && root.clientWidth < NARROW;
    if (root.classList.toggle("wfi-narrow", isNarrow) !== wasNarrow) folded = null;
    wasNarrow = isNarrow;
    const isFolded = folded ?? (isNarrow && Boolean(place().session));
    sessions.element.hidden = isFolded;
    root.classList.toggle("wfi-folded", isFolded);
    fold.ariaExpanded = `${!isFolded}`;
    bar.element.hidden = !hasVersion();
    for (const { view, tab, panel } of made) {
      const isShown = view === place().view;
      tab.ariaSelected = `${isShown}`;
      tab.tabIndex = isShown ? 0 : -1;
      panel.element.hidden = !isShown;
    }
  }
  const seen = () => [sessions, head, ...(hasVersion() ? [bar] : []), ...made.filter(({ view }) => view === place().view).map(({ panel }) => panel)];

  /** Keep from the notebook what is pressed here: its keys would cut cells, and copy one. @param {KeyboardEvent} event */
  function keys(event) {
    const control = event.ctrlKey || event.metaKey;
    if (control && event.key === "c" && isMarked(root)) event.stopPropagation();
    root.toggleAttribute(KEPT, !(control || event.altKey) || event.key === "Enter" || event.key === "a");
  }
  window.addEventListener("keydown", keys, true);
  root.addEventListener("keydown", (event) => {
    const isTyped = event.target instanceof HTMLTextAreaElement && event.key !== "s";
    if (isTyped || root.hasAttribute(KEPT)) event.stopPropagation();
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
