/** What differs between two versions, as a tree: a sign and a word for each, and of texts the words. */
import { button, latest, number, part, roving, say, text } from "./parts.js";

/** Rows that are asked for at once. */
const DIFFERENCES = 60;

/** What differs, as a tree. @param {import("./inspector.js").Context} context */
export function differences({ ask, go }) {
  const count = part("counts", "p", { role: "status" });
  const tree = part("diff-tree", "div", { role: "tree", ariaLabel: "differences" });
  const more = button("more", "show more differences", async () => {
    const answer = await last(ask("diff", { ...sides, start, count: DIFFERENCES }));
    if (answer) add(answer);
  });
  const element = part("diff", "div", { role: "region", ariaLabel: "what differs" }, count, tree, more);
  const { reach } = roving(tree, "[tabindex]");
  const last = latest();
  /** @type {any} */
  let sides = {};
  /** @type {import("./inspector.js").Step[]} */
  let above = [];
  let [start, shown] = [0, ""];

  /** @param {any} of  both sides */
  async function load(of) {
    sides = of;
    const answer = await last(ask("diff", { ...of, start: 0, count: DIFFERENCES }).catch((error) => ({ error: error.message, rows: [] })));
    const told = JSON.stringify(answer);
    if (!answer || told === shown) return;
    [shown, start, above] = [told, 0, []];
    const by = Object.entries(answer.counts ?? {}).map(([kind, n]) => `${number(n)} ${kind}`);
    const many = answer.more_than ? `more than ${number(answer.more_than)} differences, of the first ` : "";
    say(count, answer.error ?? `${answer.before} → ${answer.after}: ${many}${by.join(", ") || "nothing differs"}`);
    tree.replaceChildren();
    add(answer);
  }
  /** @param {any} answer */
  function add(answer) {
    for (const row of answer.rows) tree.append(...lines(row, answer.sides));
    start += answer.rows.length;
    more.hidden = start >= (answer.total ?? 0);
    reach();
  }
  /** The names that lead to a value, as far as they do not stand above it, and its own line. @param {any} row @param {[string, number][]} versions */
  function* lines(row, [before, after]) {
    let depth = 0;
    while (depth < Math.min(above.length, row.path.length - 1) && above[depth] === row.path[depth]) depth += 1;
    above = row.path.slice(0, -1);
    for (; depth < above.length; depth += 1) yield line(depth, row.keys[depth]);
    const [session, version] = row.kind === "removed" ? before : after;
    const newest = sides.one[1] === null && row.kind !== "removed";
    const made = line(depth, row.keys[depth], { tabIndex: -1, title: row.shown, onclick: () => go({ view: "state", session, version: newest ? null : version, path: row.path }) });
    made.dataset.kind = row.kind;
    made.append(text("kind", `${row.sign} ${row.kind}`), " ", ...values(row));
    yield made;
  }
  /** @param {number} depth @param {string} key @param {object} [is] */
  function line(depth, key, is) {
    const made = part("difference", "div", { role: "treeitem", ariaLevel: `${depth + 1}`, ...is }, text("key", key), " ");
    made.style.setProperty("--wf-level", `${depth}`);
    return made;
  }
  /** @param {any} row @returns {HTMLElement[]} */
  function values(row) {
    if (row.pieces) {
      const words = part("words", "span", {}, ...pieces(row.pieces));
      const all = button("all of it", "show all of the text", async (event) => {
        event.stopPropagation(); // the line leads elsewhere
        const { pieces: found, left } = await ask("texts", { ...sides, path: row.path });
        words.replaceChildren(...pieces(found), ...(left ? [text("quiet", ` … and ${number(left)} characters more`)] : []));
        words.classList.add("wfi-all");
        all.remove();
      });
      return row.is_cut ? [words, all] : [words];
    }
    const old = row.before === null ? [] : [text("old", row.before, "del")];
    const now = row.after === null ? [] : [text("new", row.after, "ins")];
    return [...old, ...(old.length && now.length ? [text("quiet", " → ")] : []), ...now];
  }
  /** @param {[string, string][]} found */
  const pieces = (found) => found.map(([kind, words]) => text(kind, words, { added: "ins", removed: "del" }[kind] ?? "span"));

  return { element, load };
}
