/** The versions of a session: a slider over them, and their list. */
import { age, button, part, say, text } from "./parts.js";

/** @typedef {{ version: number, saved_at: string, run: string | null, workflow: string, status: string, sign: string, summary: string }} Version */

/** Rows that are asked for at once. */
const VERSIONS = 50;

/** The run that made a version, which a click leads to. @param {Version} row @param {import("./inspector.js").Context["go"]} go @returns {HTMLElement[]} */
function runOf(row, go) {
  const { run } = row;
  return !run ? [] : [button(`${row.sign} ${row.status} ${row.workflow} ${run.slice(0, 8)}`, "show the run that saved it", () => go({ view: "runs", run }))];
}

/** A slider over the versions of a session. @param {import("./inspector.js").Context} context @returns {import("./inspector.js").Panel} */
export function versionBar({ ask, go, place, tell }) {
  const element = part("bar", "div", { role: "group", "aria-label": "version" });
  const range = /** @type {HTMLInputElement} */ (part("slider", "input", { type: "range", step: "1", "aria-label": "version" }));
  const [number, saved, summary, run] = [text("number", ""), text("quiet", ""), text("summary", ""), part("by", "span")];
  const back = button("◀", "the version before", () => steer(Number(range.value) - 1));
  const on = button("▶", "the next version", () => steer(Number(range.value) + 1));
  const follow = button("newest", "follow the newest version", () => steer(newest));
  const said = part("at");
  said.append(number, " ", saved, " ", summary, " ", run);
  element.append(back, range, on, follow, said);
  /** @type {Map<number, Version>} */
  const known = new Map();
  let [session, first, newest, asked] = ["", 1, 0, 0];
  /** @type {number | null} */
  let wanted = null;
  let isGoing = false;

  /** @param {any} answer */
  function take(answer) {
    [first, newest] = [answer.first, answer.newest];
    for (const row of answer.rows) known.set(row.version, row);
  }
  /** Show a version in the bar. @param {number} at */
  function point(at) {
    [range.min, range.max, range.value] = [String(first), String(newest), String(at)];
    const row = known.get(at);
    const is = newest ? `version ${at} of ${newest}` : "no version yet";
    const isOld = at < newest;
    say(number, isOld ? `⚠ older ${is}` : is);
    number.classList.toggle("wf-inspector-older", isOld);
    say(saved, row ? age(row.saved_at) : "");
    say(summary, row ? row.summary : "");
    summary.title = row ? row.summary : "";
    run.replaceChildren(...(row ? runOf(row, go) : []));
    range.setAttribute("aria-valuetext", row ? `${is}, saved ${age(row.saved_at)}: ${row.summary}` : is);
    /** @type {HTMLButtonElement} */ (back).disabled = at <= first;
    /** @type {HTMLButtonElement} */ (on).disabled = at >= newest;
    follow.setAttribute("aria-pressed", String(place().version === null));
  }
  /** Go to a version: the bar at once, the rest as fast as the kernel answers, which is asked for the last one only. @param {number} to */
  async function steer(to) {
    wanted = Math.min(Math.max(to, first), newest);
    point(wanted);
    if (isGoing) return;
    isGoing = true;
    try {
      while (wanted !== null) {
        const at = wanted;
        const of = session;
        go({ version: at === newest ? null : at });
        const answer = await ask("at", { session: of, version: at, count: VERSIONS });
        if (of === session) take(answer);
        if (wanted === at || of !== session) wanted = null;
      }
    } catch (error) {
      wanted = null;
      tell(/** @type {Error} */ (error).message, "failed");
    } finally {
      isGoing = false;
    }
    point(place().version ?? newest);
  }
  range.addEventListener("input", () => steer(Number(range.value)));

  async function load() {
    const now = (asked += 1);
    const to = place();
    if (to.session !== session) known.clear();
    session = to.session;
    if (!session) return;
    const answer = await ask("versions", { session, around: to.version, count: VERSIONS });
    if (now !== asked) return;
    take(answer);
    if (wanted === null) point(place().version ?? newest);
  }
  return {
    element,
    show(to) {
      if (to.session === session && wanted !== null) return;
      if (to.session === session && to.version !== null && known.has(to.version)) return point(to.version);
      return load();
    },
    moved: load,
  };
}

/** The list of versions, newest on top, a page at a time. @param {import("./inspector.js").Context} context */
export function versionList({ ask, go, place }) {
  const element = part("versions", "div", { role: "group", "aria-label": "versions" });
  const list = part("rows", "div", { role: "list" });
  const newer = button("↑ newer", "newer versions", () => page(start - VERSIONS));
  const older = button("↓ older", "older versions", () => page(start + VERSIONS));
  element.append(newer, list, older);
  let [session, start, total, newest, asked, shown, at] = ["", 0, 0, 0, 0, "", ""];

  /** @param {number | null} from  null: where the chosen version is */
  async function page(from) {
    const now = (asked += 1);
    const to = place();
    session = to.session;
    const answer = await ask("versions", { session, count: VERSIONS, ...(from === null ? { around: to.version } : { start: Math.max(from, 0) }) });
    if (now !== asked) return;
    ({ start, total, newest } = answer);
    const told = JSON.stringify([session, answer.rows]);
    if (told !== shown) fill(answer.rows);
    shown = told;
    mark(from === null);
  }
  /** @param {Version[]} rows */
  function fill(rows) {
    const focused = /** @type {HTMLElement | null} */ (list.querySelector(":focus"))?.dataset.version;
    list.replaceChildren(...rows.map((row) => {
      const made = part("version", "div", { role: "listitem" });
      const choose = button(`${row.version} · ${age(row.saved_at)} · ${row.summary}`, row.summary, () => go({ version: row.version === newest ? null : row.version }));
      choose.dataset.version = String(row.version);
      made.append(choose, ...runOf(row, go));
      return made;
    }));
    [newer.hidden, older.hidden] = [start === 0, start + rows.length >= total];
    if (focused) /** @type {HTMLElement | null} */ (list.querySelector(`[data-version="${focused}"]`))?.focus();
  }
  const chosen = () => place().version ?? newest;
  function mark(isNew = true) {
    for (const row of list.querySelectorAll("[data-version]")) row.setAttribute("aria-current", String(/** @type {HTMLElement} */ (row).dataset.version === String(chosen())));
    const now = /** @type {HTMLElement | null} */ (list.querySelector("[aria-current=true]"));
    if (isNew && now) element.scrollTop += Math.min(now.offsetTop - element.scrollTop, 0) + Math.max(now.offsetTop + now.offsetHeight - element.scrollTop - element.clientHeight, 0);
  }
  return {
    element,
    show() {
      const [was, isOther] = [at, session !== place().session];
      at = `${place().version}`;
      if (isOther || (was !== at && !list.querySelector(`[data-version="${chosen()}"]`))) return page(null);
      return was === at ? page(start) : mark();
    },
    moved: () => page(start),
  };
}
