/** The list of sessions: filtered as one types, sorted, and asked for a page at a time while one scrolls. */
import { age, box, brief, button, bytes, choice, counted, field, isMarked, isShortcut, part, rested, say, signed, text, trying } from "./parts.js";
import { question } from "./question.js";

/** The height of a row, as in sessions.css; rows of a page; how long a typist pauses, in milliseconds. */
const ROW = 40;
const PAGE = 100;
const PAUSE = 120;
const SORTS = { updated_at: "last used", name: "name", workflow: "workflow", size: "size", versions: "versions", runs: "runs" };

/**
 * @typedef {{ id: string, name: string | null, workflow: string | null, branch: boolean, status: string | null, run_id: string | null,
 *   updated_at: string, versions: number, runs: number, size: number, rows?: string }} Session  `rows` of a sweep says how many they are, and how they stand
 */

/** @param {import("./inspector.js").Context} context @returns {import("./inspector.js").Panel} */
export function sessionsPanel({ ask, go, place, tell }) {
  const filter = field("sought", "filter sessions", { type: "search" });
  const sort = choice("sort by", SORTS, { onchange: () => go({ sort: sort.value, descending: !/name|workflow/.test(sort.value) }) });
  const way = button("", "", () => go({ descending: !place().descending }));
  const branches = button("branches", "show the branches that conflicts left", () => go({ branches: !place().branches }));
  const space = part("space", "div", { role: "presentation" });
  const list = part("list", "div", { role: "listbox", tabIndex: 0, ariaLabel: "sessions", ariaMultiSelectable: "true" }, space);
  const count = part("quiet", "span", { role: "status" });
  const compare = button("compare", "what differs between the two", () => {
    const [session, other] = place().selected;
    go({ view: "history", session, version: null, path: [], other: [other, null] });
  });
  const remove = button("delete", "hide what is selected", hide);
  const none = button("clear", "select none", () => go({ selected: [] }));
  const undo = button("undo", "bring back what was deleted", () => change("restore_sessions", deleted, `${counted(deleted.length, "session")} brought back`));
  const element = box("sessions", box("sorting", filter, sort, way, branches), list, box("foot", count, compare, remove, none, undo));

  const who = `wf-${Math.random().toString(36).slice(2)}`;
  /** What is known of each page, and the turn in which it was asked for. @type {Map<number, { turn: number, rows: Session[], asked: Promise<void> }>} */
  const pages = new Map();
  /** @type {Map<number, { key: string, made: HTMLElement }>} */
  const drawn = new Map();
  /** @type {string[]} */
  let deleted = [];
  let rest = Promise.resolve();
  /** @type {Promise<void> | undefined} */
  let next;
  let isOld = false, shown = "", turn = 0, total = -1, active = 0, anchor = 0, activeId = "";

  /** Which sessions are listed, and in which order. */
  function wanted() {
    const { filter, sort, descending, branches } = place();
    return { filter, sort, descending, branches };
  }
  /** @param {number} index */
  const pageOf = (index) => Math.floor(index / PAGE);
  /** @param {number} index @returns {Session | undefined} */
  const at = (index) => pages.get(pageOf(index))?.rows[index % PAGE];
  const top = () => Math.floor(list.scrollTop / ROW);

  /** Ask for a page, once in a turn; what is shown stays until the answer is there. @param {number} page @returns {Promise<void>} */
  function load(page) {
    const known = pages.get(page);
    if (known?.turn === turn) return known.asked;
    const mine = turn;
    const asked = ask("sessions", { ...wanted(), start: page * PAGE, count: PAGE }).then(({ rows, total: all }) => {
      if (mine !== turn) return;
      const [above, aboveId] = [top(), at(top())?.id];
      pages.set(page, { turn, rows, asked });
      total = all;
      /** @param {string | undefined} id */
      const where = (id) => rows.findIndex((/** @type {Session} */ one) => one.id === id);
      if (where(activeId) >= 0) active = page * PAGE + where(activeId);
      space.style.height = `${total * ROW}px`;
      if (above && where(aboveId) >= 0) list.scrollTop += (page * PAGE + where(aboveId) - above) * ROW; // what is read stays in its place
      draw();
    });
    pages.set(page, { turn, rows: known?.rows ?? [], asked });
    return asked;
  }
  /** @param {number} first @param {number} last  rows */
  function loadAll(first, last) {
    return Promise.all(Array.from({ length: pageOf(last) - pageOf(first) + 1 }, (_, n) => load(pageOf(first) + n)));
  }
  /** Ask again. @returns {Promise<void>} */
  function refresh() {
    isOld = false;
    turn += 1;
    return load(pageOf(top()));
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

  function draw() {
    const { selected, session: current } = place();
    space.style.height = `${Math.max(total, 0) * ROW}px`;
    const first = Math.max(0, top() - 5);
    const end = Math.min(total, Math.ceil((list.scrollTop + (list.clientHeight || 400)) / ROW) + 5);
    if (first < end) trying(list, () => loadAll(first, end - 1));
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
    const [isSelected, isCurrent, isActive, used] = marks;
    const made = part("session", "div", { role: "option", id: `${who}-${index}`, ariaSelected: `${!!isSelected}`, ariaPosInSet: `${index + 1}`, ariaSetSize: `${total}` });
    made.dataset.index = `${index}`;
    made.style.top = `${index * ROW}px`;
    if (!session) return made;
    made.classList.toggle("wfi-active", isActive);
    if (isCurrent) made.ariaCurrent = "true";
    const { id, name, workflow, branch, status, versions, runs, size, rows } = session;
    made.title = rows ? "list its rows" : `${name ? `${name} · ` : ""}${brief(id)}\n${counted(versions, "version")}, ${counted(runs, "run")}`;
    const about = [branch && "branch", rows && `sweep of ${rows}`, workflow, name && brief(id)].filter(Boolean).join(" · ");
    made.append(
      box("strip", text("cut", `${isSelected ? "☑ " : ""}${brief(name || id)}`), text("quiet", used)),
      box("strip", ...(status ? [signed(status)] : []), text("cut", about), text("quiet", rows ? "" : bytes(size))),
    );
    return made;
  }

  /** Choose what keys act on, and bring it into view. @param {number} index */
  function activate(index) {
    active = Math.max(0, Math.min(total - 1, index));
    activeId = at(active)?.id ?? "";
    list.scrollTop = Math.max((active + 1) * ROW - list.clientHeight, Math.min(list.scrollTop, active * ROW));
    draw();
  }
  /** @param {number} index */
  function open(index) {
    const session = at(index);
    if (session?.rows) go({ filter: (filter.value = `${session.id} ${filter.value}`.trim()) });
    else if (session) go({ session: session.id, version: null, path: [] });
  }
  /** @param {number} index */
  function toggle(index) {
    const { id, rows } = at(index) ?? {};
    const { selected } = place();
    if (id !== undefined && !rows) go({ selected: selected.includes(id) ? selected.filter((one) => one !== id) : [...selected, id] });
  }
  /** Select from the anchor to here; what lies between may have to be asked for. @param {number} index */
  const extend = (index) => trying(list, async () => {
    const [first, last] = [Math.min(anchor, index), Math.max(anchor, index)];
    await loadAll(first, last);
    go({ selected: Array.from({ length: last - first + 1 }, (_, n) => at(first + n) ?? []).flat().filter(({ rows }) => !rows).map(({ id }) => id) });
  });

  async function hide() {
    const ids = place().selected;
    const what = ids.length === 1 ? `session ${ids[0].slice(0, 80)}` : counted(ids.length, "session");
    const asked = `Delete ${what}? Nothing is erased: undo brings it back, later %wf restore --deleted ID.`;
    if ((await question(element, asked, "Delete")) !== null) await change("delete_sessions", ids, `${what} deleted`);
  }
  /** @param {string} op @param {string[]} ids @param {string} done */
  async function change(op, ids, done) {
    await trying(list, async () => {
      await ask(op, { sessions: ids });
      deleted = op === "delete_sessions" ? ids : [];
      tell(done);
      await refresh();
    });
    list.focus();
  }

  const typed = rested(() => go({ filter: filter.value }), PAUSE);
  filter.addEventListener("input", () => typed());
  filter.addEventListener("change", () => {
    typed(false);
    go({ filter: filter.value }); // what comes next goes by it already
  });
  filter.addEventListener("keydown", ({ key }) => (key === "ArrowDown" || key === "Enter") && list.focus());
  list.addEventListener("scroll", draw, { passive: true });
  list.addEventListener("mousedown", (event) => {
    if (!event.shiftKey) return;
    event.preventDefault(); // it selects sessions: no text, and no cells
    event.stopPropagation();
    list.focus();
  });
  list.addEventListener("click", (event) => {
    const hit = /** @type {HTMLElement} */ (event.target).closest("[data-index]");
    if (!(hit instanceof HTMLElement) || isMarked(list)) return;
    const index = Number(hit.dataset.index);
    activate(index);
    if (event.shiftKey) return void extend(index);
    anchor = index;
    if (isShortcut(event)) toggle(index);
    else open(index);
  });
  list.addEventListener("keydown", (event) => {
    const far = Math.max(1, Math.floor(list.clientHeight / ROW) - 1);
    const to = { ArrowUp: active - 1, ArrowDown: active + 1, PageUp: active - far, PageDown: active + far, Home: 0, End: total - 1 }[event.key];
    if (isShortcut(event)) return;
    if (to !== undefined) {
      activate(to);
      if (event.shiftKey) extend(active);
      else anchor = active;
    } else if (event.key === " ") toggle((anchor = active));
    else if (event.key === "Enter") open(active);
    else if (event.key === "Escape") go({ selected: [] });
    else if (event.key === "Delete" && place().selected.length) hide();
    else return;
    event.preventDefault();
  });
  new ResizeObserver(() => (isOld && !element.hidden ? trying(list, moved) : draw())).observe(list);

  return {
    element,
    show(here) {
      const asked = JSON.stringify(wanted());
      if (document.activeElement !== filter) filter.value = here.filter;
      sort.value = here.sort;
      say(way, here.descending ? "↓" : "↑");
      way.title = here.descending ? "descending" : "ascending";
      branches.ariaPressed = `${here.branches}`;
      if (asked === shown) return draw();
      if (shown) list.scrollTop = active = anchor = 0;
      shown = asked;
      pages.clear();
      activeId = "";
      return refresh();
    },
    moved,
    aged: draw,
  };
}
