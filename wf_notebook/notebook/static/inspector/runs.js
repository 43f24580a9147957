/** The runs of a session: a list that grows as runs begin, and the run that is open. */
import { age, button, part, say, text } from "./parts.js";
import { openedRun, spent, stand } from "./run.js";

/** Runs on a page, and milliseconds between two looks at what goes on. */
const RUNS = 50;
const PACE = 1000;

/** @param {import("./inspector.js").Context} context @returns {import("./inspector.js").Panel} */
export function runsPanel(context) {
  const { ask, place, go, tell } = context;
  const element = part("runs");
  const list = part("runs-list", "div", { role: "listbox", "aria-label": "runs" });
  const words = /** @type {HTMLInputElement} */ (part("filter", "input", { type: "search", placeholder: "filter runs", "aria-label": "filter runs" }));
  const status = /** @type {HTMLSelectElement} */ (part("filter", "select", { "aria-label": "status" }));
  for (const name of ["", "open", "completed", "failed", "stopped", "lost"]) status.append(new Option(name || "all", name));
  const pager = part("pager");
  const left = part("runs-left");
  left.append(words, status, list, pager);
  const detail = part("run", "div", { role: "region", "aria-label": "run" });
  element.append(left, detail);

  let [session, start, total, asked, timer, looked, goesOn] = ["", 0, 0, 0, 0, 0, false];
  /** @type {ReturnType<typeof openedRun> | undefined} */
  let shown;
  /** @param {Error} error */
  const failed = (error) => tell(error.message, "failed");
  const rows = () => /** @type {HTMLElement[]} */ ([...list.querySelectorAll("[data-run]")]);

  /** @param {number} to */
  function turn(to) {
    [start, total] = [Math.max(0, to), 0];
    load().catch(failed);
  }

  /** @returns {Promise<void>} */
  async function load() {
    const mine = (asked += 1);
    if (place().session !== session) [session, start, total] = [place().session, 0, 0];
    if (!session) return list.replaceChildren(text("quiet", "choose a session"));
    const answer = await ask("runs", { session, start, count: RUNS, words: words.value, status: status.value });
    if (mine !== asked) return;
    const more = start && total ? answer.total - total : 0; // they came before this page, which stays where it is
    total = answer.total;
    if (more > 0) return ((start += more), load());
    const known = new Map(rows().map((row) => [row.dataset.run, row]));
    /** @type {Element[]} */
    const wanted = answer.rows.map((/** @type {any} */ run) => filled(known.get(run.id), run));
    if (!total) wanted.push(text("quiet", "no runs"));
    for (const child of [...list.children]) if (!wanted.includes(child)) child.remove();
    wanted.forEach((row, n) => row === list.children[n] || list.insertBefore(row, list.children[n] ?? null));
    goesOn = answer.rows.some((/** @type {any} */ run) => run.status === "running");
    const end = start + answer.rows.length;
    pager.replaceChildren(text("quiet", total > RUNS ? `${start + 1}–${end} of ${total.toLocaleString("en")} ` : ""));
    if (start) pager.append(button("‹ newer", "", () => turn(start - RUNS)));
    if (end < total) pager.append(button("older ›", "", () => turn(end)));
    mark();
  }

  /** @param {HTMLElement | undefined} known @param {any} run @returns {HTMLElement} */
  function filled(known, run) {
    const row = known ?? part("run-row", "div", { role: "option", "data-run": run.id });
    if (!known) {
      row.append(text("standing", ""), text("run-title", ""), text("quiet", ""));
      row.addEventListener("click", () => go({ run: run.id }));
    }
    const [stands, title, facts] = /** @type {any} */ (row.children);
    row.title = run.error;
    stand(stands, run.status);
    say(title, `${run.workflow} ${run.inputs}`);
    say(facts, [age(run.started_at), ...spent(run), ...(run.steps ? [`${run.hits} of ${run.steps} steps from the store`] : [])].join(" · "));
    return row;
  }

  /** Mark the run that is open; one row can be reached by Tab. */
  function mark() {
    const all = rows();
    const first = all.find((row) => row === document.activeElement) ?? all.find((row) => row.dataset.run === place().run) ?? all[0];
    for (const row of all) {
      row.ariaSelected = String(row.dataset.run === place().run);
      row.tabIndex = row === first ? 0 : -1;
    }
  }
  list.addEventListener("keydown", (event) => {
    const at = rows().indexOf(/** @type {HTMLElement} */ (event.target));
    const by = { ArrowDown: 1, ArrowUp: -1, Enter: 0, " ": 0 }[event.key];
    if (at < 0 || by === undefined) return;
    event.preventDefault();
    event.stopPropagation(); // the notebook has keys of its own
    if (by) rows()[at + by]?.focus();
    else rows()[at].click();
    mark();
  });
  words.addEventListener("keydown", (event) => event.stopPropagation());
  for (const field of [words, status]) field.addEventListener("input", () => turn(0));

  const look = () => ((looked = Date.now()), Promise.all([load(), shown?.refresh()]));
  /** Look again soon, and on while a run goes on: nobody says that its seconds pass, or that its process is gone. @param {number} [wait] */
  function soon(wait = looked + PACE - Date.now()) {
    timer ||= setTimeout(async () => {
      const seen = () => element.isConnected && !element.hidden;
      if (seen()) await look().catch(failed);
      timer = 0;
      if (goesOn && seen()) soon();
    }, wait);
  }

  async function show() {
    const { run } = place();
    if (run && run === shown?.id && place().session !== session) return go({ run: "" }); // it was of another session
    if (run !== (shown?.id ?? "")) {
      detail.replaceChildren();
      shown = run ? openedRun(context, run, detail, () => soon(0)) : undefined;
    }
    element.classList.toggle("wf-inspector-one", Boolean(run));
    mark();
    await look();
    if (goesOn) soon();
  }
  return { element, show, moved: () => soon() };
}
