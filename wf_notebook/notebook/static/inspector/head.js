/** The head over a session: which it is, how its last run stands, and which of its versions is shown. */
import { age, button, counted, part, signed, text } from "./parts.js";
import { question } from "./question.js";

/** @param {import("./inspector.js").Context} context @param {HTMLElement} fold the button that shows the list @returns {import("./inspector.js").Panel} */
export function headPanel({ ask, go, place, tell }, fold) {
  const element = part("heading", "header");
  const [line, below] = [part("strip"), part("strip")];
  line.append(fold);
  element.append(line, below);
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
    const { session, version } = place();
    const answer = session ? await ask("head", { session, version }) : null;
    if (mine !== asked) return;
    known = answer;
    draw();
  }

  function draw() {
    const focused = below.contains(document.activeElement) || line.contains(document.activeElement) ? document.activeElement?.textContent : null;
    line.replaceChildren(fold);
    below.replaceChildren();
    if (!known) {
      line.append(text("quiet", "choose a session"));
      return;
    }
    const { id, name, workflow, branch, status, version, newest } = known;
    const title = text("title", (name || id).slice(0, 200), "strong");
    title.title = id.slice(0, 1000);
    line.append(title);
    if (name) line.append(text("quiet", id.slice(0, 200)));
    const pen = button("✎", "rename this session", () => rename().catch((error) => tell(error.message, "failed")));
    if (!branch) line.append(pen);
    else line.append(text("quiet", "branch that a conflict left"));
    if (workflow) line.append(text("workflow", workflow));
    if (status) line.append(signed(status));
    if (!newest) {
      below.append(text("quiet", "no version yet"));
      return;
    }
    const isOld = version.number !== newest;
    const saved = version.saved_at ? `, saved ${age(version.saved_at)}` : "";
    const which = text(isOld ? "older" : "quiet", `${isOld ? "⚠ older " : ""}version ${version.number.toLocaleString("en")} of ${newest.toLocaleString("en")}${saved}${version.run_id ? " by" : ""}`);
    which.title = [version.saved_at && `${version.saved_at.slice(0, 19).replace("T", " ")} UTC`, version.changes].filter(Boolean).join("\n");
    below.append(which);
    if (version.run_id) {
      const run = button(`run ${version.run_id.slice(0, 8)}`, "show this run", () => go({ view: "runs", run: version.run_id }));
      run.classList.add("wf-inspector-link");
      below.append(run);
    }
    if (isOld) below.append(button("newest", "follow the newest version", () => go({ version: null })));
    for (const one of focused ? element.querySelectorAll("button") : []) if (one.textContent === focused) one.focus();
  }

  /** @param {import("./inspector.js").Place} here */
  function show({ session, version }) {
    const which = JSON.stringify([session, version]);
    if (which === shown) return;
    shown = which;
    return load();
  }
  return { element, show, moved: load, aged: draw };
}
