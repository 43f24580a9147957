/** The versions of a session: a slider over them, and their list. */
import { age, box, button, latest, pager, part, rowsIn, say, text, trying } from "./parts.js";

/** @typedef {{ version: number, saved_at: string, run: string | null, workflow: string, status: string, sign: string, summary: string }} Version */

/** Rows that are asked for at once. */
const VERSIONS = 50;

/** Say which run made a version, which a click leads to. @param {HTMLElement} element @param {Version} [row] @param {import("./inspector.js").Context["go"]} [go] */
function sayRun(element, row, go) {
  const run = row?.run ?? "";
  const words = run && row ? `${row.sign} ${row.status} ${row.workflow} ${run.slice(0, 8)}` : "";
  if (element.textContent === words) return;
  element.replaceChildren(...(words ? [button(words, "show the run that saved it", () => go?.({ view: "runs", run }))] : []));
}

/** A slider over the versions of a session. @param {import("./inspector.js").Context} context @returns {import("./inspector.js").Panel} */
export function versionBar({ ask, go, place }) {
  const range = part("slider", "input", { type: "range", step: "1", ariaLabel: "version", oninput: () => steer(Number(range.value)) });
  const [label, saved, summary, run] = [text("number"), text("quiet"), text("summary"), text("by")];
  const back = button("◀", "the version before", () => steer(Number(range.value) - 1));
  const on = button("▶", "the next version", () => steer(Number(range.value) + 1));
  const follow = button("newest", "follow the newest version", () => steer(newest));
  const element = part("bar", "div", { role: "group", ariaLabel: "version" }, back, range, on, follow, box("at", label, " ", saved, " ", summary, " ", run));
  /** @type {Map<number, Version>} */
  const known = new Map();
  const last = latest();
  let [session, first, newest, isGoing] = ["", 1, 0, false];
  /** @type {number | null} */
  let wanted = null;

  /** @param {any} answer */
  function take(answer) {
    [first, newest] = [answer.first, answer.newest];
    for (const row of answer.rows) known.set(row.version, row);
  }
  /** Show a version in the bar. @param {number} at */
  function point(at) {
    [range.min, range.max, range.value] = [`${first}`, `${newest}`, `${at}`];
    const row = known.get(at);
    const is = newest ? `version ${at} of ${newest}` : "no version yet";
    const isOld = at < newest;
    say(label, isOld ? `⚠ older ${is}` : is);
    label.classList.toggle("wfi-warned", isOld);
    say(saved, row ? age(row.saved_at) : "");
    say(summary, (summary.title = row?.summary ?? ""));
    sayRun(run, row, go);
    range.setAttribute("aria-valuetext", row ? `${is}, saved ${age(row.saved_at)}: ${row.summary}` : is);
    back.disabled = at <= first;
    on.disabled = at >= newest;
    follow.ariaPressed = `${place().version === null}`;
  }
  /** Go to a version: the bar at once, the rest as fast as the kernel answers, which is asked for the last one only. @param {number} to */
  async function steer(to) {
    wanted = Math.min(Math.max(to, first), newest);
    point(wanted);
    if (isGoing) return;
    isGoing = true;
    await trying(element, async () => {
      while (wanted !== null) {
        const [at, of] = [wanted, session];
        go({ version: at === newest ? null : at });
        const answer = await ask("at", { session: of, version: at, count: VERSIONS });
        if (of === session) take(answer);
        if (wanted === at || of !== session) wanted = null;
      }
    });
    wanted = null;
    isGoing = false;
    point(place().version ?? newest);
  }

  async function load() {
    const to = place();
    if (to.session !== session) known.clear();
    session = to.session;
    const answer = await last(session !== "" && ask("versions", { session, around: to.version, count: VERSIONS }));
    if (!answer) return;
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
  const list = part("rows", "div", { role: "list" });
  const pages = pager(VERSIONS, (to) => load(to));
  const element = part("versions", "div", { role: "group", ariaLabel: "versions" }, list, pages.element);
  const last = latest();
  let [session, start, newest, at] = ["", 0, 0, ""];

  const fill = rowsIn(list, (row) => `${row.version} ${session}`, ({ version }) => {
    const choose = button("", "", () => go({ version: version === newest ? null : version }));
    choose.dataset.version = `${version}`;
    return part("version", "div", { role: "listitem" }, choose, text("by"));
  }, ({ children: [choose, run] }, row) => {
    say(choose, `${row.version} · ${age(row.saved_at)} · ${row.summary}`);
    choose.title = row.summary;
    sayRun(run, row, go);
  });

  /** @param {number | null} from  null: where the chosen version is */
  async function load(from) {
    const to = place();
    session = to.session;
    const answer = await last(ask("versions", { session, count: VERSIONS, ...(from === null ? { around: to.version } : { start: from }) }));
    if (!answer) return;
    ({ start, newest } = answer);
    fill(answer.rows);
    pages.show(start, answer.rows.length, answer.total);
    mark(from === null);
  }
  const chosen = () => place().version ?? newest;
  function mark(isNew = true) {
    for (const row of /** @type {NodeListOf<HTMLElement>} */ (list.querySelectorAll("[data-version]"))) {
      const isChosen = row.dataset.version === `${chosen()}`;
      row.ariaCurrent = `${isChosen}`;
      const { offsetTop, offsetHeight } = row;
      if (isNew && isChosen) element.scrollTop = Math.max(offsetTop + offsetHeight - element.clientHeight, Math.min(element.scrollTop, offsetTop));
    }
  }
  return {
    element,
    show() {
      const [was, isOther] = [at, session !== place().session];
      at = `${place().version}`;
      if (isOther || (was !== at && !list.querySelector(`[data-version="${chosen()}"]`))) return load(null);
      return was === at ? load(start) : mark();
    },
    moved: () => load(start),
  };
}
