/** A run, part by part: each is asked for when it is opened, and again while the run goes on. */
import { age, button, part, say, text } from "./parts.js";
import { question } from "./question.js";

/**
 * @typedef {import("./inspector.js").Context & { body: HTMLElement, run: () => any, title: (more: string) => void,
 *   get: (op: string, more?: object) => Promise<any> }} Inside  `get` asks about the run
 * @typedef {(inside: Inside) => () => unknown} Make  gives what brings a part up to date
 */

/** How a run stands: a sign and words. @param {HTMLElement} element @param {any} run @param {string} [before] */
export function stand(element, run, before = "") {
  element.dataset.status = run.status;
  say(element, before + run.standing);
}

/** @param {number} n */
const count = (n) => n.toLocaleString("en");

/** What something took. @param {{ seconds?: number | null, tokens?: number, cost?: number | null }} of @returns {string[]} */
const took = ({ seconds, tokens, cost }) => [
  ...(seconds == null ? [] : [seconds < 60 ? `${seconds.toFixed(1)} s` : `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`]),
  ...(tokens ? [`${count(tokens)} tokens`] : []),
  ...(cost ? [`$${cost.toFixed(4)}`] : []),
];

/** What a run took, or has taken. @param {any} run */
export const spent = (run) =>
  took({ ...run, seconds: run.status === "running" ? Math.max(0, Date.now() - Date.parse(`${run.started_at.replace(" ", "T").slice(0, 23)}Z`)) / 1000 : run.duration });

/** A text of which there may be more. @param {any} told @param {string} [tag] */
const begun = (told, tag = "pre") => text("code", told.length > told.text.length ? `${told.text}… (${count(told.length)} characters)` : told.text, tag);

/** A part that is HTML by `render`, in blocks: one that did not change is not touched. @param {string} op @param {string} none @returns {Make} */
const rendered = (op, none) => ({ body, get, title }) => {
  const note = text("quiet", "", "p");
  /** @type {{ html: string, element: HTMLElement }[]} */
  const shown = [];
  body.append(note);
  return async () => {
    const { blocks, more, summary } = await get(op);
    title(summary);
    blocks.forEach((/** @type {string} */ html, /** @type {number} */ n) => {
      if (!shown[n]) note.before((shown[n] = { html: "", element: part("block") }).element);
      const { element } = shown[n];
      if (shown[n].html === html) return;
      const before = [...element.querySelectorAll("details")];
      element.innerHTML = shown[n].html = html;
      element.querySelectorAll("details").forEach((fold, n) => before[n] && (fold.open = before[n].open)); // as the reader left them
    });
    for (const { element } of shown.splice(blocks.length)) element.remove();
    say(note, more || (blocks.length ? "" : none));
  };
};

/** A part that is a table, a page at a time. @param {string} op @param {string[]} names @param {(row: any, inside: Inside) => (string | Node)[]} cells @param {string} none @returns {Make} */
const tabled = (op, names, cells, none) => (inside) => {
  let start = 0;
  const update = async () => {
    const { rows, total, summary } = await inside.get(op, { start });
    inside.title(summary);
    const table = /** @type {HTMLTableElement} */ (part("rows", "table"));
    for (const each of [names, ...rows.map((/** @type {any} */ row) => cells(row, inside))]) {
      const line = table.insertRow();
      for (const cell of each) line.appendChild(document.createElement(each === names ? "th" : "td")).append(cell);
    }
    const turn = (/** @type {string} */ label, /** @type {number} */ to) => button(label, "", () => ((start = to), update()));
    const end = start + rows.length;
    inside.body.replaceChildren(total ? table : text("quiet", none));
    if (start) inside.body.append(turn("‹ before", Math.max(0, start - 100)));
    if (end < total) inside.body.append(turn(`after ${count(end)} of ${count(total)} ›`, end));
  };
  return update;
};

/** @type {Make} */
const takesOf = ({ ask, body, run, tell }) => async function update(start = 0) {
  const { session } = run();
  const { rows, total } = await ask("takes", { session, start });
  body.replaceChildren(text("quiet", total ? `${count(total)} steps have takes in session ${session}` : "no step has several takes"));
  for (const { step, place, takes } of rows) {
    const group = part("takes", "div", { role: "group", "aria-label": `takes of ${step}` });
    for (const take of takes) {
      const use = async () => {
        const words = `Use take ${take.number} of ${step} from now on? What depends on it is done again at the next run.`;
        if ((await question(body, { ask: words, yes: "Use it" })) === null) return;
        await ask("use_take", { session, take: take.id }).then(() => update(start)).catch((error) => tell(error.message, "failed"));
      };
      const column = part("take");
      const choice = take.used ? text("used", "✓ used") : button("use this one", "from now on", use);
      column.append(text("key", `take ${take.number} `), choice, text("quiet", [age(take.made_at), ...took(take)].join(" · "), "p"), begun(take));
      group.append(column);
    }
    body.append(text("key", `${step} ${place}`, "p"), group);
  }
  const turn = (/** @type {string} */ label, /** @type {number} */ to) => button(label, "", () => update(to).catch((error) => tell(error.message, "failed")));
  const end = start + rows.length;
  if (start) body.append(turn("‹ the first", 0));
  if (end < total) body.append(turn(`after ${count(end)} of ${count(total)} ›`, end));
};

/** @type {Make} */
const replayed = ({ body, get, run }) => {
  let was = "";
  return async () => {
    if (was === run().status) return; // what plays is not begun anew
    const { page } = await get("replay");
    was = run().status;
    // Of an origin of its own: it cannot reach this page.
    body.replaceChildren(part("replay", "iframe", { sandbox: "allow-scripts", title: "replay", srcdoc: page }));
  };
};

/** @type {Make} */
const failure = ({ body, get }) => async () => {
  const told = await get("run_error");
  body.replaceChildren(begun(told), text("quiet", told.note));
};

const RUN_PARTS = /** @type {[string, Make][]} */ ([
  ["Responses", rendered("run_said", "nothing was said")],
  ["Error", failure],
  ["Timeline", rendered("run_timeline", "no agent, tool or branch was at work")],
  ["Steps", tabled("run_steps", ["step", "kind", "lane", "from", "why", "took"],
    (row) => [row.step, row.kind, row.lane, row.from, row.why, took(row).join(", ")], "it had no steps that could be remembered")],
  ["Changes", tabled("run_changes", ["key", "what", "version"], ({ key, op, step, version }, { go, run }) => [
    button(key, `as of version ${version}`, () => go({ session: run().session, version, path: [step], view: "state" })), op, `${version}`,
  ], "nothing changed in the state")],
  ["Takes", takesOf],
  ["Record", rendered("record", "")],
  ["Replay", replayed],
]);
/** The parts that are open, of whichever run. */
const unfolded = new Set(["Responses", "Error"]);

/** Show a run in an element. @param {import("./inspector.js").Context} context @param {string} id @param {HTMLElement} where @param {() => void} changed */
export function openedRun(context, id, where, changed) {
  const { ask, go, tell } = context;
  const failed = (/** @type {Error} */ error) => tell(error.message, "failed");
  const get = (/** @type {string} */ op, more = {}) => ask(op, { run: id, ...more });
  const head = part("run-head");
  const [stands, facts, inputs] = [text("standing", ""), text("quiet", "", "p"), part("inputs", "dl")];
  const stop = button("Stop", "what was said is kept", () => get("stop").then(changed, failed));
  const again = async () => {
    const { words } = await get("again");
    if ((await question(head, { ask: words, yes: "Run again" })) !== null) go({ run: (await get("again", { sure: true })).run });
  };
  const close = button("All runs", "close this one", () => go({ run: "" }));
  head.append(stands, button("Run again", "with the same inputs", () => again().catch(failed)), stop, close, facts, inputs);
  /** @type {any} */
  let is;
  const parts = RUN_PARTS.map(([name, make]) => {
    const fold = /** @type {HTMLDetailsElement} */ (part("fold", "details"));
    const [summary, body] = [text("fold-title", name, "summary"), part("fold-body")];
    fold.append(summary, body);
    fold.open = unfolded.has(name);
    const update = make({ ...context, body, get, run: () => is, title: (more) => say(summary, more ? `${name}: ${more}` : name) });
    /** @type {Promise<unknown>} */
    let last = Promise.resolve();
    const fresh = () => (last = last.then(() => fold.open && is && update()).catch(failed));
    fold.addEventListener("toggle", () => {
      unfolded[fold.open ? "add" : "delete"](name);
      fresh();
    });
    return { name, fold, fresh };
  });
  where.replaceChildren(head, ...parts.map(({ fold }) => fold));

  /** @param {any} input @param {number} number */
  function given(input, number) {
    const value = part("value", "dd");
    const whole = () => get("run_input", { number }).then((told) => value.replaceChildren(begun(told, "code")), failed);
    value.append(begun(input, "code"), ...(input.length > input.text.length ? [button("more", "show all of it", whole)] : []));
    return [text("key", input.name, "dt"), value];
  }

  async function refresh() {
    if (is && is.status !== "running") return; // it is over
    const now = await get("run");
    if (!is) inputs.append(...now.inputs.flatMap(given));
    is = now;
    stand(stands, is, `${is.workflow} · `);
    const tokens = is.tokens ? [`${count(is.input_tokens)} in, ${count(is.output_tokens)} out`] : [];
    say(facts, [age(is.started_at), `${is.started_at.slice(0, 19)} UTC`, ...is.models, ...spent(is), ...tokens].join(" · "));
    stop.hidden = is.status !== "running";
    for (const { name, fold } of parts) if (name === "Error") fold.hidden = !is.has_error;
    await Promise.all(parts.map(({ fresh }) => fresh()));
  }
  return { id, refresh };
}
