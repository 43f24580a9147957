/** The SQL box: a query that only reads, its result in pages, a Stop, and what there is to ask for. */
import { button, part, say, text } from "./parts.js";
import { question } from "./question.js";
import { pagedTable } from "./table.js";

/** Milliseconds after the last key until a query is kept. */
const QUERY_TYPED = 600;

/** @param {import("./inspector.js").Context} context @returns {import("./inspector.js").Panel} */
export function sqlPanel({ ask, go, place, tell }) {
  const element = part("sql");
  const box = /** @type {HTMLTextAreaElement} */ (part("query", "textarea", { rows: "3", spellcheck: "false", "aria-label": "SQL query", placeholder: "SELECT key, value FROM session_state" }));
  const starter = button("Run", "run the query (Ctrl+Enter)", run);
  const stopper = button("Stop", "end the query (Escape)", stop);
  const keeper = button("To dataframe", "put the result into the notebook, as a variable", keep);
  const clock = part("quiet", "span");
  const said = part("said", "p", { role: "status" });
  const given = part("given");
  const listed = part("schema", "details");
  const bar = part("bar");
  bar.append(starter, stopper, keeper, clock);
  element.append(box, bar, listed, said, given);

  let [running, kept, shown, some] = ["", "", 0, 0];
  /** @type {string | null} */
  let session = null;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let typed;

  function mark() {
    for (const [one, is] of /** @type {[any, any][]} */ ([[starter, !running], [stopper, running], [keeper, shown && !running]])) one.disabled = !is;
  }
  function remember() {
    clearTimeout(typed);
    if (place().query !== box.value) go({ query: (kept = box.value) });
  }
  /** @param {string} query */
  function write(query) {
    box.value = query;
    remember();
    box.focus();
  }

  async function run() {
    if (running) return;
    const [query, began] = [box.value, performance.now()];
    running = `${Math.random()}`;
    const tick = setInterval(() => say(clock, `${((performance.now() - began) / 1000).toFixed(1)} s`), 100);
    mark();
    remember();
    say(said, "");
    try {
      draw(await ask("sql", { query, run: running }));
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
    if (running) ask("sql_stop", { run: running }).catch((error) => tell(error.message, "failed"));
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
    const name = await question(element, { ask: "Put the result into the notebook as", yes: "Put", field: "name of the variable", value: "df" });
    if (name === null) return;
    const to = { result: shown, name: name.trim() };
    try {
      let put = await ask("dataframe", to);
      if (put.taken) {
        if ((await question(element, { ask: `${put.name} is there, of type ${put.taken}: replace it?`, yes: "Replace" })) === null) return;
        put = await ask("dataframe", { ...to, replace: true });
      }
      tell(`${put.name} is a ${put.type} of ${put.rows} row${put.rows === 1 ? "" : "s"}${put.replaced ? ", in the place of what it was" : ""}`);
    } catch (error) {
      tell(/** @type {Error} */ (error).message, "failed");
    }
  }

  async function list() {
    session = place().session;
    const { views, examples, seconds, rows } = await ask("schema", { session });
    if (session !== place().session) return;
    some = views.length;
    listed.replaceChildren(
      text("quiet", `Views and examples · reads only; at most ${seconds} s, as others cannot save meanwhile, and ${rows.toLocaleString("en")} rows`, "summary"),
      ...examples.map((/** @type {any} */ { title, query }) => button(title, query, () => write(query))),
      ...views.map((/** @type {any} */ { name, query, columns }) => {
        const line = part("view");
        line.append(button(name, query, () => write(query)), text("quiet", columns.map((/** @type {any} */ column) => column.name).join(", ")));
        return line;
      }),
    );
  }

  /** @param {import("./inspector.js").Place} here */
  async function show(here) {
    if (here.query !== kept) box.value = kept = here.query; // it was changed elsewhere
    if (session === null) listed.toggleAttribute("open", !kept);
    if (here.session !== session) await list();
    if (running || !kept.trim()) return;
    const found = await ask("sql_result", { query: kept });
    if (found && !running && found.query === kept && found.result !== shown) draw(found);
  }

  box.addEventListener("input", () => {
    clearTimeout(typed);
    typed = setTimeout(remember, QUERY_TYPED);
  });
  box.addEventListener("change", remember);
  box.addEventListener("keydown", (event) => {
    const { key, ctrlKey, metaKey } = event;
    if (!(key === "s" && (ctrlKey || metaKey))) event.stopPropagation(); // the notebook has keys of its own
    if (key === "Escape") stop();
    if (key !== "Enter" || !(ctrlKey || metaKey)) return;
    event.preventDefault();
    run();
  });
  mark();
  return { element, show, moved: () => (some ? undefined : list()) };
}
