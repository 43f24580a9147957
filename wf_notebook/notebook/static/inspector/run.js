/** A run, part by part: each is asked for when it is opened, and again while the run goes on. */
import { age, arrange, box, button, number, pager, part, say, since, text, trying } from "./parts.js";
import { question } from "./question.js";

/** Steps with takes that are shown at once: as the kernel gives them. */
const TAKES = 10;

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

/** What something took. @param {{ seconds?: number | null, tokens?: number, cost?: number | null }} of @returns {string[]} */
const took = ({ seconds, tokens, cost }) => [
  ...(seconds == null ? [] : [seconds < 60 ? `${seconds.toFixed(1)} s` : `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`]),
  ...(tokens ? [`${number(tokens)} tokens`] : []),
  ...(cost ? [`$${cost.toFixed(4)}`] : []),
];

/** What a run took, or has taken. @param {any} run */
export const spent = (run) => took({ ...run, seconds: run.status === "running" ? Math.max(0, since(run.started_at)) : run.duration });

/** A text of which there may be more. @param {any} told @param {string} [tag] */
const begun = (told, tag = "pre") => text("code", told.length > told.text.length ? `${told.text}… (${number(told.length)} characters)` : told.text, tag);

/** A part that is HTML by `render`, in blocks: one that did not change is not touched. @param {string} op @param {string} none @returns {Make} */
const rendered = (op, none) => ({ body, get, title }) => {
  const note = text("quiet", "", "p");
  /** @type {[html: string, element: HTMLElement][]} */
  let shown = [];
  return async () => {
    const { blocks, more, summary } = await get(op);
    title(summary);
    shown = blocks.map((/** @type {string} */ html, /** @type {number} */ n) => {
      const [was, element] = shown[n] ?? ["", box("block")];
      if (was !== html) {
        const before = [...element.querySelectorAll("details")];
        element.innerHTML = html;
        element.querySelectorAll("details").forEach((fold, n) => before[n] && (fold.open = before[n].open)); // as the reader left them
      }
      return [html, element];
    });
    arrange(body, [...shown.map(([, element]) => element), note]);
    say(note, more || (blocks.length ? "" : none));
  };
};

/** A part that is a table, a page at a time. @param {string} op @param {string[]} names @param {(row: any, inside: Inside) => (string | Node)[]} cells @param {string} none @returns {Make} */
const tabled = (op, names, cells, none) => (inside) => {
  let start = 0;
  const pages = pager(100, (to) => ((start = to), update()));
  async function update() {
    const { rows, total, summary } = await inside.get(op, { start });
    inside.title(summary);
    /** @param {"th" | "td"} tag @param {(string | Node)[]} inside */
    const line = (tag, inside) => part("row", "tr", {}, ...inside.map((cell) => part("left", tag, {}, cell)));
    const table = part("plain", "table", {}, line("th", names), ...rows.map((/** @type {any} */ row) => line("td", cells(row, inside))));
    pages.show(start, rows.length, total);
    pages.element.hidden = rows.length === total;
    inside.body.replaceChildren(...(total ? [table, pages.element] : [text("quiet", none)]));
  }
  return update;
};

/** @type {Make} */
const takesOf = ({ ask, body, run }) => {
  let start = 0;
  const pages = pager(TAKES, (to) => ((start = to), update()));
  async function update() {
    const { session } = run();
    const { rows, total } = await ask("takes", { session, start });
    body.replaceChildren(text("quiet", total ? `${number(total)} steps have takes in session ${session}` : "no step has several takes"));
    for (const { step, place, takes } of rows) {
      /** @param {any} take */
      const column = (take) => {
        const use = button("use this one", "from now on", async () => {
          const words = `Use take ${take.number} of ${step} from now on? What depends on it is done again at the next run.`;
          if ((await question(body, words, "Use it")) === null) return;
          await ask("use_take", { session, take: take.id });
          await update();
        });
        const facts = [age(take.made_at), ...took(take)].join(" · ");
        return box("take", text("key", `take ${take.number} `), take.used ? text("used", "✓ used") : use, text("quiet", facts, "p"), begun(take));
      };
      body.append(text("key", `${step} ${place}`, "p"), part("takes", "div", { role: "group", ariaLabel: `takes of ${step}` }, ...takes.map(column)));
    }
    pages.show(start, rows.length, total);
    pages.element.hidden = rows.length === total;
    body.append(pages.element);
  }
  return update;
};

/** @type {Make} */
const replayed = ({ body, get, run }) => {
  let was = "";
  return async () => {
    if (was === run().status) return; // what plays is not begun anew
    const { page } = await get("replay");
    was = run().status;
    // Of an origin of its own: it cannot reach this page.
    body.replaceChildren(part("replay", "iframe", /** @type {any} */ ({ sandbox: "allow-scripts", title: "replay", srcdoc: page })));
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
    (row) => [row.step, row.kind, row.lane, row.from, row.why, took(row).join(", ")], "it had no steps that could be remembered, or cache='off'")],
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
  const { ask, go } = context;
  const get = (/** @type {string} */ op, more = {}) => ask(op, { run: id, ...more });
  const [stands, facts, inputs] = [text("standing"), text("quiet", "", "p"), part("inputs", "dl")];
  const again = button("Run again", "with the same inputs", async () => {
    const { words } = await get("run_again");
    if ((await question(head, words, "Run again")) !== null) go({ run: (await get("run_again", { sure: true })).run });
  });
  const stop = button("Stop", "what was said is kept", () => get("run_stop").then(changed));
  const head = box("run-head", stands, again, stop, button("All runs", "close this one", () => go({ run: "" })), facts, inputs);
  /** @type {any} */
  let is;
  const parts = RUN_PARTS.map(([name, make]) => {
    const [summary, body] = [text("fold-title", name, "summary"), box("fold-body")];
    const fold = part("fold", "details", { open: unfolded.has(name) }, summary, body);
    const update = make({ ...context, body, get, run: () => is, title: (more) => say(summary, more ? `${name}: ${more}` : name) });
    /** @type {Promise<unknown>} */
    let last = Promise.resolve();
    const fresh = () => (last = last.then(() => trying(fold, () => fold.open && is && update())));
    fold.addEventListener("toggle", () => {
      unfolded[fold.open ? "add" : "delete"](name);
      fresh();
    });
    return { name, fold, fresh };
  });
  where.replaceChildren(head, ...parts.map(({ fold }) => fold));

  /** @param {any} input @param {number} number */
  function given(input, number) {
    const whole = button("more", "show all of it", async () => value.replaceChildren(begun(await get("run_input", { number }), "code")));
    const value = part("input", "dd", {}, begun(input, "code"), ...(input.length > input.text.length ? [whole] : []));
    return [text("key", input.name, "dt"), value];
  }

  async function refresh() {
    if (is && is.status !== "running") return; // it is over
    const now = await get("run");
    if (!is) inputs.append(...now.inputs.flatMap(given));
    is = now;
    stand(stands, is, `${is.workflow} · `);
    const tokens = is.tokens ? [`${number(is.input_tokens)} in, ${number(is.output_tokens)} out`] : [];
    say(facts, [age(is.started_at), `${is.started_at.slice(0, 19)} UTC`, ...is.models, ...spent(is), ...tokens].join(" · "));
    stop.hidden = is.status !== "running";
    for (const { name, fold } of parts) if (name === "Error") fold.hidden = !is.has_error;
    await Promise.all(parts.map(({ fresh }) => fresh()));
  }
  return { id, refresh };
}
