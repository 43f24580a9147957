/** The runs of a session: a list that grows as runs begin, and the run that is open. */
import { age, box, choice, field, latest, pager, part, rowsIn, roving, say, text, trying } from "./parts.js";
import { openedRun, spent, stand } from "./run.js";

/** Runs on a page, and milliseconds between two looks at what goes on. */
const RUNS = 50;
const PACE = 1000;

/** @param {import("./inspector.js").Context} context @returns {import("./inspector.js").Panel} */
export function runsPanel(context) {
  const { ask, place, go } = context;
  const turn = (/** @type {number} */ to) => {
    [start, total] = [to, 0];
    return trying(element, load);
  };
  const words = field("filter", "filter runs", { type: "search", oninput: () => turn(0) });
  const status = choice("status", { "": "all", ...Object.fromEntries(["open", "completed", "failed", "stopped", "lost"].map((name) => [name, name])) }, { oninput: () => turn(0) });
  const list = part("runs-list", "div", { role: "listbox", ariaLabel: "runs" });
  const none = text("quiet");
  const pages = pager(RUNS, turn);
  const detail = part("run", "div", { role: "region", ariaLabel: "run" });
  const element = box("runs", box("runs-left", words, status, list, none, pages.element), detail);
  const { items, reach } = roving(list, ".wfi-run-row");
  const last = latest();

  let [session, start, total, timer, looked, goesOn] = ["", 0, 0, 0, 0, false];
  /** @type {ReturnType<typeof openedRun> | undefined} */
  let shown;

  /** @returns {Promise<void>} */
  async function load() {
    if (place().session !== session) [session, start, total] = [place().session, 0, 0];
    const answer = await last(session ? ask("runs", { session, start, count: RUNS, words: words.value, status: status.value }) : Promise.resolve({ rows: [], total: 0 }));
    if (!answer) return;
    const more = start && total ? answer.total - total : 0; // they came before this page, which stays where it is
    total = answer.total;
    if (more > 0) return ((start += more), load());
    fill(answer.rows);
    say(none, total ? "" : session ? "no runs" : "choose a session");
    goesOn = answer.rows.some((/** @type {any} */ run) => run.status === "running");
    pages.show(start, answer.rows.length, total);
    pages.element.hidden = total <= RUNS;
    mark();
  }

  const fill = rowsIn(list, ({ id }) => id, ({ id }) => {
    const made = part("run-row", "div", { role: "option", onclick: () => go({ run: id }) }, text("standing"), text("run-title"), text("quiet"));
    made.dataset.run = id;
    return made;
  }, (row, run) => {
    const [stands, title, facts] = row.children;
    row.title = run.error;
    stand(stands, run);
    say(title, `${run.workflow} ${run.inputs}`);
    say(facts, [age(run.started_at), ...spent(run), ...(run.steps ? [`${run.hits} of ${run.steps} steps from the store`] : [])].join(" · "));
  });

  /** Mark the run that is open. */
  function mark() {
    for (const row of items()) row.ariaSelected = `${row.dataset.run === place().run}`;
    if (!list.contains(document.activeElement)) reach(items().find((row) => row.dataset.run === place().run));
  }

  const look = () => ((looked = Date.now()), Promise.all([load(), shown?.refresh()]));
  /** Look again soon, and on while a run goes on: nobody says that its seconds pass, or that its process is gone. @param {number} [wait] */
  function soon(wait = looked + PACE - Date.now()) {
    timer ||= setTimeout(async () => {
      const seen = () => element.isConnected && !element.hidden;
      if (seen()) await trying(element, look);
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
    element.classList.toggle("wfi-one", Boolean(run));
    mark();
    await look();
    if (goesOn) soon();
  }
  return { element, show, moved: () => soon() };
}
