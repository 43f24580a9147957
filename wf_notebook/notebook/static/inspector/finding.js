/** The search of a state: hits by key, value and path as one types; Enter or a click goes to one, Escape leaves. */
import { button, part, say, text } from "./parts.js";

/** Milliseconds that nobody types, before it is looked for. */
const TYPING = 150;

/** @param {{ ask: (op: string, fields: object) => Promise<any>, pick: (path: import("./inspector.js").Step[]) => void, seen: (isSearching: boolean) => void, fail: (error: any) => void }} context */
export function finder({ ask, pick, seen, fail }) {
  const field = /** @type {HTMLInputElement} */ (part("find", "input", { type: "search", placeholder: "search keys, values, paths", "aria-label": "search the state" }));
  const found = part("found");
  const list = part("hits", "div", { role: "listbox", "aria-label": "found" });
  const count = part("quiet", "span", { role: "status" });
  const more = button("more", "show more of what was found", () => void look(list.children.length));
  found.append(count, list, more);
  found.hidden = true;
  let asked = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let typing;

  async function look(start = 0) {
    const now = (asked += 1);
    const words = field.value;
    seen(!!words);
    found.hidden = !words;
    if (!words) return list.replaceChildren();
    try {
      const answer = await ask("search", { text: words, start });
      if (now !== asked) return;
      if (!start) list.replaceChildren();
      list.append(...answer.hits.map(hit));
      const first = /** @type {HTMLElement | null} */ (list.firstElementChild);
      if (first && !list.querySelector("[tabindex='0']")) first.tabIndex = 0;
      say(count, answer.total ? `${answer.more ? "at least " : ""}${answer.total.toLocaleString("en")} found` : "nothing found");
      more.hidden = !answer.more;
    } catch (error) {
      if (now === asked) fail(error);
    }
  }

  /** @param {any} told */
  function hit(told) {
    const made = part("hit", "div", { role: "option", tabindex: "-1", "aria-selected": "false" });
    const brief = part("brief", "div");
    brief.append(told.before, text("match", told.match, "mark"), told.after);
    made.append(text("path", told.shown, "code"), text("quiet", ` ${told.where}`), ...(told.where === "path" ? [] : [brief]));
    made.addEventListener("click", () => go(told.path));
    made.addEventListener("keydown", (event) => event.key === "Enter" && go(told.path));
    return made;
  }
  /** @param {import("./inspector.js").Step[]} path */
  function go(path) {
    leave();
    pick(path);
  }
  function leave() {
    clearTimeout(typing);
    asked += 1;
    found.hidden = true;
    seen(false);
  }

  field.addEventListener("input", () => {
    clearTimeout(typing);
    typing = setTimeout(() => void look(), TYPING);
  });
  field.addEventListener("focus", () => field.value && found.hidden && void look());
  for (const element of [field, found]) {
    element.addEventListener("keydown", (event) => {
      const hits = /** @type {HTMLElement[]} */ ([...list.children]);
      const here = hits.indexOf(/** @type {HTMLElement} */ (event.target));
      if (event.key === "Escape") {
        field.value = "";
        leave();
        field.focus();
      } else if (event.key === "ArrowDown") hits[here + 1]?.focus();
      else if (event.key === "ArrowUp") (hits[here - 1] ?? field).focus();
      else if (event.key === "Enter" && event.target === field) hits[0]?.click();
      else return;
      event.preventDefault();
      event.stopPropagation(); // the notebook has keys of its own
    });
  }
  return { field, found, leave };
}
