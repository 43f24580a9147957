/** What differs between two versions, as a tree: a sign and a word for each, and of texts the words. */
import { button, part, say, text } from "./parts.js";

/** Rows that are asked for at once. */
const DIFFERENCES = 60;

/** What differs, as a tree. @param {import("./inspector.js").Context} context */
export function differences({ ask, go, tell }) {
  const element = part("diff", "div", { role: "region", "aria-label": "what differs" });
  const count = part("counts", "p", { role: "status" });
  const tree = part("diff-tree", "div", { role: "tree", "aria-label": "differences" });
  const more = button("more", "show more differences", () => next().catch((error) => tell(error.message, "failed")));
  element.append(count, tree, more);
  /** @type {any} */
  let sides = {};
  /** @type {any} */
  let last = {};
  /** @type {import("./inspector.js").Step[]} */
  let above = [];
  let [start, asked, shown] = [0, 0, ""];

  /** @param {any} of  both sides */
  async function load(of) {
    const now = (asked += 1);
    sides = of;
    const answer = await ask("diff", { ...of, start: 0, count: DIFFERENCES }).catch((error) => ({ error: error.message, rows: [] }));
    if (now !== asked) return;
    const told = JSON.stringify(answer);
    if (told === shown) return;
    [shown, start, above] = [told, 0, []];
    const by = Object.entries(answer.counts ?? {}).map(([kind, n]) => `${/** @type {number} */ (n).toLocaleString("en")} ${kind}`);
    const many = answer.more_than ? `more than ${answer.more_than.toLocaleString("en")} differences, of the first ` : "";
    say(count, answer.error ?? `${answer.before} → ${answer.after}: ${many}${by.join(", ") || "nothing differs"}`);
    tree.replaceChildren();
    add(answer);
  }
  async function next() {
    const now = asked;
    const answer = await ask("diff", { ...sides, start, count: DIFFERENCES });
    if (now === asked) add(answer);
  }
  /** @param {any} answer */
  function add(answer) {
    last = answer;
    for (const row of answer.rows) tree.append(...lines(row));
    start += answer.rows.length;
    more.hidden = start >= (answer.total ?? 0);
    if (!tree.querySelector("[tabindex='0']")) tree.querySelector("[tabindex]")?.setAttribute("tabindex", "0");
  }
  /** The names that lead to a value, as far as they do not stand above it, and its own line. @param {any} row */
  function* lines(row) {
    let depth = 0;
    while (depth < Math.min(above.length, row.path.length - 1) && above[depth] === row.path[depth]) depth += 1;
    above = row.path.slice(0, -1);
    for (; depth < above.length; depth += 1) yield line(depth, row.keys[depth]);
    const made = line(depth, row.keys[depth]);
    made.setAttribute("tabindex", "-1");
    made.dataset.kind = row.kind;
    made.title = row.shown;
    made.append(text("kind", `${row.sign} ${row.kind}`), " ", ...values(row));
    const [before, after] = last.sides;
    const [session, version] = row.kind === "removed" ? before : after;
    const newest = sides.one[1] === null && row.kind !== "removed";
    made.addEventListener("click", () => go({ view: "state", session, version: newest ? null : version, path: row.path }));
    yield made;
  }
  /** @param {number} depth @param {string} key */
  function line(depth, key) {
    const made = part("difference", "div", { role: "treeitem", "aria-level": String(depth + 1) });
    made.style.setProperty("--wf-level", String(depth));
    made.append(text("key", key), " ");
    return made;
  }
  /** @param {any} row @returns {HTMLElement[]} */
  function values(row) {
    if (row.pieces) {
      const words = part("words", "span");
      words.append(...pieces(row.pieces));
      if (!row.is_cut) return [words];
      const all = button("all of it", "show all of the text", () => {
        ask("texts", { ...sides, path: row.path }).then(({ pieces: found, left }) => {
          words.replaceChildren(...pieces(found), ...(left ? [text("quiet", ` … and ${left.toLocaleString("en")} characters more`)] : []));
          words.classList.add("wf-inspector-all");
          all.remove();
        }, (error) => tell(error.message, "failed"));
      });
      all.addEventListener("click", (event) => event.stopPropagation()); // the line leads elsewhere
      return [words, all];
    }
    const old = row.before === null ? [] : [text("old", row.before, "del")];
    const now = row.after === null ? [] : [text("new", row.after, "ins")];
    return [...old, ...(old.length && now.length ? [text("quiet", " → ")] : []), ...now];
  }
  /** @param {[string, string][]} found */
  const pieces = (found) => found.map(([kind, words]) => text(kind, words, { added: "ins", removed: "del" }[kind] ?? "span"));

  tree.addEventListener("keydown", (event) => {
    const items = /** @type {HTMLElement[]} */ ([...tree.querySelectorAll("[tabindex]")]);
    const at = items.indexOf(/** @type {HTMLElement} */ (event.target));
    const to = items[{ ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key] ?? -1];
    if (at >= 0 && event.key === "Enter") items[at].click();
    if (at < 0 || !to) return;
    event.preventDefault();
    items[at].setAttribute("tabindex", "-1");
    to.setAttribute("tabindex", "0");
    to.focus();
  });
  return { element, load };
}
