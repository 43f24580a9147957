/** The list of sessions: filtered as one types, sorted, a page at a time. */
import { age, part, text } from "./parts.js";

/** @param {import("./inspector.js").Context} context @returns {import("./inspector.js").Panel} */
export function sessionsPanel({ ask, go, place }) {
  const element = part("sessions");
  const filter = /** @type {HTMLInputElement} */ (part("filter", "input", { type: "search", placeholder: "filter sessions", "aria-label": "filter sessions" }));
  const list = part("list", "div", { role: "listbox", "aria-label": "sessions" });
  element.append(filter, list);

  async function load() {
    const { filter: words, sort, descending } = place();
    const { rows } = await ask("sessions", { filter: words, sort, descending, start: 0, count: 100 });
    list.replaceChildren(...rows.map(row));
  }

  /** @param {any} session */
  function row(session) {
    const made = part("session", "div", { role: "option", tabindex: "0", "aria-selected": String(session.id === place().session) });
    made.append(text("session-id", session.id), text("quiet", ` ${session.workflow ?? ""} · ${age(session.updated_at)}`));
    made.addEventListener("click", () => go({ session: session.id, version: null, path: [] }));
    return made;
  }

  filter.addEventListener("input", () => go({ filter: filter.value }));
  return { element, show: load, moved: load };
}
