/** The head over a session: which it is, and how its last run stands. */
import { button, part, signed, text } from "./parts.js";
import { question } from "./question.js";

/** @param {import("./inspector.js").Context} context @param {HTMLElement} fold the button that shows the list @returns {import("./inspector.js").Panel} */
export function headPanel({ ask, place, tell }, fold) {
  const element = part("heading", "header");
  const line = part("strip");
  line.append(fold);
  element.append(line);
  let asked = 0;
  let shown = "";
  /** @type {any} */
  let known = null;

  async function rename() {
    const { id, name } = known;
    const given = await question(element, { ask: `Name of session ${id.slice(0, 80)}:`, yes: "Rename", field: "name", value: name ?? "" });
    if (given === null) return;
    await ask("rename_session", { session: id, name: given });
    tell(given ? `session ${id.slice(0, 80)} is named ${given}` : `session ${id.slice(0, 80)} has no name`, "said");
    await load();
  }

  async function load() {
    const mine = (asked += 1);
    const { session } = place();
    const answer = session ? await ask("head", { session }) : null;
    if (mine !== asked) return;
    known = answer;
    draw();
  }

  function draw() {
    const focused = line.contains(document.activeElement) ? document.activeElement?.textContent : null;
    line.replaceChildren(fold);
    if (!known) {
      line.append(text("quiet", "choose a session"));
      return;
    }
    const { id, name, workflow, branch, status } = known;
    const title = text("title", (name || id).slice(0, 200), "strong");
    title.title = id.slice(0, 1000);
    line.append(title);
    if (name) line.append(text("quiet", id.slice(0, 200)));
    const pen = button("✎", "rename this session", () => rename().catch((error) => tell(error.message, "failed")));
    if (!branch) line.append(pen);
    else line.append(text("quiet", "branch that a conflict left"));
    if (workflow) line.append(text("workflow", workflow));
    if (status) line.append(signed(status));
    for (const one of focused ? element.querySelectorAll("button") : []) if (one.textContent === focused) one.focus();
  }

  /** @param {import("./inspector.js").Place} here */
  function show({ session }) {
    if (session === shown) return;
    shown = session;
    return load();
  }
  return { element, show, moved: load, aged: draw };
}
