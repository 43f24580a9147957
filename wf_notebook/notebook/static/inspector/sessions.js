/** The list of sessions: filtered as one types, sorted, and asked for a page at a time while one scrolls. */
import { age, button, bytes, counted, part, say, signed, text } from "./parts.js";
import { question } from "./question.js";

/** The height of a row, as in sessions.css; rows of a page; how long a typist pauses, in milliseconds. */
const ROW = 40;
const PAGE = 100;
const PAUSE = 120;
const SORTS = { updated_at: "last used", name: "name", workflow: "workflow", size: "size", versions: "versions", runs: "runs" };

/**
 * @typedef {{ id: string, name: string | null, workflow: string | null, branch: boolean, status: string | null, run_id: string | null,
 *   updated_at: string, versions: number, runs: number, size: number }} Session
 */

/** @param {import("./inspector.js").Context} context @returns {import("./inspector.js").Panel} */
export function sessionsPanel({ ask, go, place, tell }) {
  const element = part("sessions");
  const filter = /** @type {HTMLInputElement} */ (part("sought", "input", { type: "search", placeholder: "filter sessions", "aria-label": "filter sessions" }));
  const sort = /** @type {HTMLSelectElement} */ (part("sort", "select", { "aria-label": "sort by", title: "sort by" }));
  sort.append(...Object.entries(SORTS).map(([value, label]) => new Option(label, value)));
  const way = button("", "", () => go({ descending: !place().descending }));
  const branches = button("branches", "show the branches that conflicts left", () => go({ branches: !place().branches }));
  const tools = part("sorting");
  tools.append(filter, sort, way, branches);
  const list = part("list", "div", { role: "listbox", tabindex: "0", "aria-label": "sessions", "aria-multiselectable": "true" });
  const space = part("space", "div", { role: "presentation" });
  list.append(space);
  const foot = part("foot");
  const count = part("quiet", "span", { role: "status" });
  const compare = button("compare", "what differs between the two", () => {
    const [session, other] = place().selected;
    go({ view: "history", session, version: null, path: [], other: [other, null] });
  });
  const remove = button("delete", "hide what is selected", () => hide(place().selected));
  const none = button("clear", "select none", () => go({ selected: [] }));
  const undo = button("undo", "bring back what was deleted", () => change("restore_sessions", deleted, `${counted(deleted.length, "session")} brought back`));
  foot.append(count, compare, remove, none, undo);
  element.append(tools, list, foot);

  const who = `wf-${Math.random().toString(36).slice(2)}`;
  /** @type {Map<number, Session[]>} */
  let pages = new Map(), before = new Map();
  /** @type {Map<number, { key: string, made: HTMLElement }>} */
  const drawn = new Map();
  /** @type {Map<number, Promise<void>>} */
  let loading = new Map();
  /** @type {string[]} */
  let deleted = [];
  let rest = Promise.resolve();
  /** @type {Promise<void> | undefined} */
  let next;
  let isOld = false, shown = "", turn = 0, total = -1, active = 0, anchor = 0, activeId = "";

  /** @param {number} index @returns {Session | undefined} */
  const at = (index) => (pages.get(Math.floor(index / PAGE)) ?? before.get(Math.floor(index / PAGE)))?.[index % PAGE];

  /** @param {number} page @returns {Promise<void>} */
  function load(page) {
    const known = loading.get(page);
    if (known) return known;
    const mine = turn;
    const { filter: words, sort: by, descending, branches: all } = place();
    const asked = ask("sessions", { filter: words, sort: by, descending, branches: all, start: page * PAGE, count: PAGE }).then((found) => {
      if (mine !== turn) return;
      const top = Math.floor(list.scrollTop / ROW);
      const topId = at(top)?.id;
      pages.set(page, found.rows);
      total = found.total;
      /** @param {string | undefined} id */
      const where = (id) => found.rows.findIndex((/** @type {Session} */ one) => one.id === id);
      if (where(activeId) >= 0) active = page * PAGE + where(activeId);
      space.style.height = `${total * ROW}px`;
      if (top && where(topId) >= 0) list.scrollTop += (page * PAGE + where(topId) - top) * ROW; // what is read stays in its place
      draw();
    });
    loading.set(page, asked);
    return asked;
  }

  /** Ask again; what is shown stays until the answer is there. @returns {Promise<void>} */
  function refresh() {
    isOld = false;
    turn += 1;
    before = new Map([...before, ...pages]);
    pages = new Map();
    loading = new Map();
    return load(Math.floor(list.scrollTop / ROW / PAGE));
  }

  /** Something was saved: ask again, but leave the store four times as long in peace as it took. */
  function moved() {
    isOld = true;
    if (element.hidden) return Promise.resolve();
    return (next ??= rest.then(async () => {
      next = undefined;
      const began = performance.now();
      await refresh().finally(() => {
        const pause = 4 * (performance.now() - began);
        rest = new Promise((done) => setTimeout(done, pause));
      });
    }));
  }

  /** @param {Error} error */
  const failed = (error) => tell(error.message, "failed");

  function draw() {
    const { selected, session: current } = place();
    space.style.height = `${Math.max(total, 0) * ROW}px`;
    const first = Math.max(0, Math.floor(list.scrollTop / ROW) - 5);
    const end = Math.min(total, Math.ceil((list.scrollTop + (list.clientHeight || 400)) / ROW) + 5);
    for (let page = Math.floor(first / PAGE); page * PAGE < end; page += 1) load(page).catch(failed);
    for (const [index, { made }] of drawn) {
      if (index >= first && index < end) continue;
      made.remove();
      drawn.delete(index);
    }
    for (let index = first; index < end; index += 1) {
      const session = at(index);
      const marks = session && [selected.includes(session.id), session.id === current, index === active, age(session.updated_at)];
      const key = JSON.stringify([session, marks, total]);
      const old = drawn.get(index);
      if (old?.key === key) continue;
      const made = row(index, session, marks);
      if (old) old.made.replaceWith(made);
      else space.append(made);
      drawn.set(index, { key, made });
    }
    list.setAttribute("aria-activedescendant", drawn.has(active) ? `${who}-${active}` : "");
    list.dataset.empty = total ? "" : place().filter ? "no session has these words" : "no session yet";
    const chosen = selected.length;
    say(count, total < 0 ? "" : counted(total, "session") + (chosen ? `, ${chosen} selected` : ""));
    compare.hidden = chosen !== 2;
    remove.hidden = none.hidden = !chosen;
    undo.hidden = chosen > 0 || !deleted.length;
  }

  /** @param {number} index @param {Session} [session] @param {any[]} [marks] */
  function row(index, session, marks = []) {
    const [isSelected, isCurrent, isActive, since] = marks;
    const made = part("session", "div", { role: "option", id: `${who}-${index}`, "aria-selected": String(!!isSelected), "aria-posinset": String(index + 1), "aria-setsize": String(total) });
    made.dataset.index = String(index);
    made.style.top = `${index * ROW}px`;
    if (!session) return made;
    made.classList.toggle("wf-inspector-active", isActive);
    if (isCurrent) made.setAttribute("aria-current", "true");
    const { id, name, workflow, branch, status, versions, runs, size } = session;
    made.title = `${name ? `${name} · ` : ""}${id.slice(0, 200)}\n${counted(versions, "version")}, ${counted(runs, "run")}`;
    const [one, two] = [part("strip"), part("strip")];
    one.append(text("session-id", `${isSelected ? "☑ " : ""}${(name || id).slice(0, 200)}`), text("quiet", since));
    if (status) two.append(signed(status));
    two.append(text("session-of", [branch && "branch", workflow, name && id.slice(0, 200)].filter(Boolean).join(" · ")), text("quiet", bytes(size)));
    made.append(one, two);
    return made;
  }

  /** Choose what keys act on, and bring it into view. @param {number} index */
  function activate(index) {
    active = Math.max(0, Math.min(total - 1, index));
    activeId = at(active)?.id ?? "";
    const top = active * ROW;
    if (top < list.scrollTop) list.scrollTop = top;
    else if (top + ROW > list.scrollTop + list.clientHeight) list.scrollTop = top + ROW - list.clientHeight;
    draw();
  }

  /** @param {number} index */
  function open(index) {
    const session = at(index);
    if (session) go({ session: session.id, version: null, path: [] });
  }

  /** @param {number} index */
  function toggle(index) {
    const id = at(index)?.id;
    const { selected } = place();
    if (id !== undefined) go({ selected: selected.includes(id) ? selected.filter((one) => one !== id) : [...selected, id] });
  }

  /** Select from the anchor to here; what lies between may have to be asked for. @param {number} index */
  async function extend(index) {
    const [first, last] = [Math.min(anchor, index), Math.max(anchor, index)];
    const wanted = [];
    for (let page = Math.floor(first / PAGE); page * PAGE <= last; page += 1) wanted.push(load(page));
    await Promise.all(wanted).catch(failed);
    const ids = [];
    for (let place = first; place <= last; place += 1) ids.push(at(place)?.id);
    go({ selected: /** @type {string[]} */ (ids.filter((id) => id !== undefined)) });
  }

  /** @param {string[]} ids */
  async function hide(ids) {
    const what = ids.length === 1 ? `session ${ids[0].slice(0, 80)}` : counted(ids.length, "session");
    const sure = await question(element, { ask: `Delete ${what}? Nothing is erased: undo brings it back, later %wf restore --deleted ID.`, yes: "Delete" });
    if (sure === null) return;
    await change("delete_sessions", ids, `${what} deleted`);
  }

  /** @param {string} op @param {string[]} ids @param {string} done */
  async function change(op, ids, done) {
    try {
      await ask(op, { sessions: ids });
      deleted = op === "delete_sessions" ? ids : [];
      tell(done, "said");
      await refresh();
    } catch (error) {
      failed(/** @type {Error} */ (error));
    }
    list.focus();
  }

  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let typing;
  filter.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => go({ filter: filter.value }), PAUSE);
  });
  filter.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "Enter") list.focus();
  });
  sort.addEventListener("change", () => go({ sort: sort.value, descending: !/name|workflow/.test(sort.value) }));
  list.addEventListener("scroll", () => draw(), { passive: true });
  list.addEventListener("mousedown", (event) => {
    if (!event.shiftKey) return;
    event.preventDefault(); // it selects sessions: no text, and no cells
    event.stopPropagation();
    list.focus();
  });
  list.addEventListener("click", (event) => {
    const hit = /** @type {HTMLElement} */ (event.target).closest("[data-index]");
    const marked = getSelection();
    if (!(hit instanceof HTMLElement) || (list.contains(marked?.anchorNode ?? null) && `${marked}`)) return; // text to copy
    const index = Number(hit.dataset.index);
    activate(index);
    if (event.shiftKey) return void extend(index);
    anchor = index;
    if (event.ctrlKey || event.metaKey) toggle(index);
    else open(index);
  });
  list.addEventListener("keydown", (event) => {
    const far = Math.max(1, Math.floor(list.clientHeight / ROW) - 1);
    /** @type {Record<string, number>} */
    const to = { ArrowUp: active - 1, ArrowDown: active + 1, PageUp: active - far, PageDown: active + far, Home: 0, End: total - 1 };
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key in to) {
      activate(to[event.key]);
      if (event.shiftKey) extend(active);
      else anchor = active;
    } else if (event.key === " ") toggle((anchor = active));
    else if (event.key === "Enter") open(active);
    else if (event.key === "Escape") go({ selected: [] });
    else if (event.key === "Delete" && place().selected.length) hide(place().selected);
    else return;
    event.preventDefault();
  });
  new ResizeObserver(() => (isOld && !element.hidden ? moved().catch(failed) : draw())).observe(list);

  return {
    element,
    show(here) {
      const { filter: words, sort: by, descending, branches: all } = here;
      const asked = JSON.stringify([words, by, descending, all]);
      if (document.activeElement !== filter) filter.value = words;
      sort.value = by;
      say(way, descending ? "↓" : "↑");
      way.title = descending ? "descending" : "ascending";
      branches.setAttribute("aria-pressed", String(all));
      if (asked === shown) return draw();
      if (shown) list.scrollTop = active = anchor = 0;
      shown = asked;
      pages = before = new Map();
      activeId = "";
      return refresh();
    },
    moved,
    aged: draw,
  };
}
