/** The head over a session: which it is, and how its last run stands. */
import { brief, button, latest, part, signed, text } from "./parts.js";
import { question } from "./question.js";

/** @param {import("./inspector.js").Context} context @param {HTMLElement} fold the button that shows the list @returns {import("./inspector.js").Panel} */
export function headPanel({ ask, place, tell }, fold) {
  const line = part("strip", "div", {}, fold);
  const element = part("heading", "header", {}, line);
  const newest = latest();
  const pen = button("✎", "rename this session", rename);
  let shown = "";
  /** @type {any} */
  let known = null;

  async function rename() {
    const { id, name } = known;
    const it = `session ${id.slice(0, 80)}`;
    const given = await question(element, `Name of ${it}:`, "Rename", "name", name ?? "");
    if (given === null) return;
    await ask("rename_session", { session: id, name: given });
    tell(`${it} ${given ? `is named ${given}` : "has no name"}`);
    await load();
  }

  async function load() {
    const { session } = place();
    const answer = await newest(session ? ask("head", { session }) : Promise.resolve(null));
    if (answer === undefined) return;
    known = answer;
    pen.hidden = false;
    const focused = document.activeElement;
    line.replaceChildren(fold, ...(known ? told(known) : [text("quiet", "choose a session")]));
    if (focused === fold || focused === pen) /** @type {HTMLElement} */ (focused).focus();
  }

  /** @param {any} of @returns {HTMLElement[]} */
  function told({ id, name, workflow, branch, status }) {
    const title = text("title", brief(name || id), "strong");
    title.title = id.slice(0, 1000);
    const after = [branch ? text("quiet", "branch that a conflict left") : pen, workflow && text("workflow", workflow), status && signed(status)];
    return [title, ...(name ? [text("quiet", brief(id))] : []), ...after.filter(Boolean)];
  }

  return {
    element,
    show({ session }) {
      if (session === shown) return;
      shown = session;
      pen.hidden = true; // it would rename the one before
      return load();
    },
    moved: load,
  };
}
