/** The search of a state: hits by key, value and path as one types; Enter or a click goes to one, Escape leaves. */
import { box, button, field, latest, number, part, rested, roving, say, text, trying } from "./parts.js";

/** Milliseconds that nobody types, before it is looked for. */
const TYPING = 150;

/** @param {{ ask: (op: string, fields: object) => Promise<any>, pick: (path: import("./inspector.js").Step[]) => void, seen: (isSearching: boolean) => void }} context */
export function finder({ ask, pick, seen }) {
  const words = field("find", "search the state", { type: "search", placeholder: "search keys, values, paths" });
  const list = part("hits", "div", { role: "listbox", ariaLabel: "found" });
  const count = part("quiet", "span", { role: "status" });
  const more = button("more", "show more of what was found", () => look(list.children.length));
  const found = part("found", "div", { hidden: true }, count, list, more);
  const { items, reach } = roving(list, ".wfi-hit");
  const last = latest();
  const typed = rested(() => trying(words, look), TYPING);

  async function look(start = 0) {
    const sought = words.value;
    seen(!!sought);
    found.hidden = !sought;
    const answer = await last(sought !== "" && ask("search", { text: sought, start }));
    if (!answer) return sought || list.replaceChildren();
    if (!start) list.replaceChildren();
    list.append(...answer.hits.map(hit));
    reach();
    say(count, answer.total ? `${answer.more ? "at least " : ""}${number(answer.total)} found` : "nothing found");
    more.hidden = !answer.more;
  }

  /** @param {any} told */
  function hit({ path, shown, where, before, match, after }) {
    const around = where === "path" ? [] : [box("brief", before, text("match", match, "mark"), after)];
    const onclick = () => {
      leave();
      pick(path);
    };
    return part("hit", "div", { role: "option", tabIndex: -1, ariaSelected: "false", onclick }, text("path", shown, "code"), text("quiet", ` ${where}`), ...around);
  }
  function leave() {
    typed(false);
    last();
    found.hidden = true;
    seen(false);
  }

  words.addEventListener("input", () => typed());
  words.addEventListener("focus", () => words.value && found.hidden && trying(words, look));
  for (const element of [words, found]) {
    element.addEventListener("keydown", (event) => {
      const first = items()[0];
      if (event.key === "Escape") {
        words.value = "";
        leave();
        words.focus();
      } else if (event.key === "ArrowUp" && event.target === first) words.focus();
      else if (event.key === "ArrowDown" && element === words) first?.focus();
      else if (event.key === "Enter" && element === words) first?.click();
      else return;
      event.preventDefault();
    });
  }
  return { element: words, found, leave };
}
