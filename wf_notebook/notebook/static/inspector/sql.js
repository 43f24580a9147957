/** The SQL box: a query that only reads, its result in pages, a Stop, and what there is to ask for. */
import { box, button, counted, number, part, rested, say, text, trying } from "./parts.js";
import { toVariable } from "./question.js";
import { pagedTable } from "./table.js";

/** Milliseconds after the last key until a query is kept. */
const QUERY_TYPED = 600;

/** @param {import("./inspector.js").Context} context @returns {import("./inspector.js").Panel} */
export function sqlPanel({ ask, go, place, tell }) {
  const query = part("query", "textarea", { rows: 3, spellcheck: false, ariaLabel: "SQL query", placeholder: "SELECT key, value FROM session_state" });
  const starter = button("Run", "run the query (Ctrl+Enter)", run);
  const stopper = button("Stop", "end the query (Escape)", stop);
  const keeper = button("To dataframe", "put the result into the notebook, as a variable", keep);
  const clock = text("quiet");
  const said = part("said", "p", { role: "status" });
  const given = box("given");
  const listed = part("schema", "details");
  const element = box("sql", query, box("tools", starter, stopper, keeper, clock), listed, said, given);

  let [running, kept, shown, some] = ["", "", 0, 0];
  /** @type {string | null} */
  let session = null;
  const typed = rested(remember, QUERY_TYPED);

  function mark() {
    starter.disabled = !!running;
    stopper.disabled = !running;
    keeper.disabled = !shown || !!running;
  }
  function remember() {
    typed(false);
    if (place().query !== query.value) go({ query: (kept = query.value) });
  }
  /** @param {string} words */
  function write(words) {
    query.value = words;
    remember();
    query.focus();
  }

  async function run() {
    if (running) return;
    const began = performance.now();
    running = `${Math.random()}`;
    const tick = setInterval(() => say(clock, `${((performance.now() - began) / 1000).toFixed(1)} s`), 100);
    mark();
    remember();
    say(said, "");
    try {
      draw(await ask("sql", { query: query.value, run: running }));
    } catch (error) {
      shown = 0;
      given.replaceChildren();
      say(said, /** @type {Error} */ (error).message);
    }
    clearInterval(tick);
    running = "";
    mark();
  }
  function stop() {
    if (running) trying(element, () => ask("sql_stop", { run: running }));
  }

  /** @param {any} found */
  function draw({ result, columns, left_out, total, seconds }) {
    shown = result;
    listed.removeAttribute("open");
    say(clock, `${seconds.toFixed(seconds < 1 ? 3 : 1)} s`);
    say(said, total ? (left_out ? `${left_out} more columns are not shown` : "") : "the query gives no rows");
    given.replaceChildren(pagedTable({
      label: "result", columns, total,
      page: async (start, count) => (await ask("sql_rows", { result, start, count })).rows,
      whole: async (row, column) => (await ask("sql_cell", { result, row, column })).text,
    }));
    mark();
  }

  async function keep() {
    const put = await toVariable(element, "Put the result into the notebook as", "df", (to) => ask("dataframe", { result: shown, ...to }));
    if (put) tell(`${put.name} is a ${put.type} of ${counted(put.rows, "row")}${put.replaced ? ", in the place of what it was" : ""}`);
  }

  async function list() {
    session = place().session;
    const { views, examples, seconds, rows } = await ask("schema", { session });
    if (session !== place().session) return;
    some = views.length;
    listed.replaceChildren(
      text("quiet", `Views and examples · reads only; at most ${seconds} s, as others cannot save meanwhile, and ${number(rows)} rows`, "summary"),
      ...examples.map((/** @type {any} */ { title, query }) => button(title, query, () => write(query))),
      ...views.map((/** @type {any} */ { name, query, columns }) =>
        box("view", button(name, query, () => write(query)), text("quiet", columns.map((/** @type {any} */ column) => column.name).join(", ")))),
    );
  }

  /** @param {import("./inspector.js").Place} here */
  async function show(here) {
    if (here.query !== kept) query.value = kept = here.query; // it was changed elsewhere
    if (session === null) listed.toggleAttribute("open", !kept);
    if (here.session !== session) await list();
    if (running || !kept.trim()) return;
    const found = await ask("sql_result", { query: kept });
    if (found && !running && found.query === kept && found.result !== shown) draw(found);
  }

  query.addEventListener("input", () => typed());
  query.addEventListener("change", remember);
  query.addEventListener("keydown", (event) => {
    if (event.key === "Escape") stop();
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    run();
  });
  mark();
  return { element, show, moved: () => (some ? undefined : list()) };
}
