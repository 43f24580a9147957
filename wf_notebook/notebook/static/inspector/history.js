/** The past of a session: its versions, what differs between any two, and the way back. */
import { differences } from "./differing.js";
import { button, part, text } from "./parts.js";
import { question } from "./question.js";
import { versionList } from "./versions.js";

/** @param {import("./inspector.js").Context} context @returns {import("./inspector.js").Panel} */
export function historyPanel(context) {
  const { ask, go, place, tell } = context;
  const element = part("history");
  const list = versionList(context);
  const diff = differences(context);
  const tools = part("past", "div", { role: "group", "aria-label": "compare and go back" });
  const other = /** @type {HTMLInputElement} */ (part("other", "input", { type: "text", "aria-label": "session to compare with", placeholder: "this session" }));
  const version = /** @type {HTMLInputElement} */ (part("other-version", "input", { type: "number", min: "0", "aria-label": "version to compare with", placeholder: "newest" }));
  const before = button("the one before", "compare with the version before", () => go({ other: null }));
  const restore = button("Restore…", "go back to this version", () => trying(goBack));
  const fork = button("Fork…", "begin a new session with this version", () => trying(branchOff));
  tools.append(text("quiet", "compared with"), other, version, before, restore, fork);
  const both = part("both");
  both.append(list.element, diff.element);
  element.append(tools, both);

  function compare() {
    const { session } = place();
    const id = other.value.trim();
    go({ other: id || version.value ? [id || session, version.value ? Number(version.value) : null] : null });
  }
  other.addEventListener("change", () => ((version.value = ""), compare())); // it was one of another session
  version.addEventListener("change", compare);

  /** @param {() => Promise<void>} does */
  const trying = (does) => does().catch((error) => tell(error.message, "failed"));
  async function goBack() {
    const { session, version: at } = place();
    if (at === null) return tell("this is the newest version; choose an earlier one to go back to");
    if ((await question(element, { ask: `Go back to version ${at} of ${session}? It becomes a new version, and none is lost.`, yes: "Restore" })) === null) return;
    const { said } = await ask("restore", { session, version: at });
    go({ version: null });
    tell(said);
  }
  async function branchOff() {
    const { session, version: at } = place();
    const { id } = await ask("suggest_id", { session });
    const from = at === null ? session : `version ${at} of ${session}`;
    const chosen = await question(element, { ask: `Begin a new session with ${from}, as`, yes: "Fork", field: "id of the new session", value: id });
    if (chosen === null) return;
    const forked = await ask("fork", { session, version: at, to: chosen });
    go({ session: forked.session, version: null, path: [], other: null });
    tell(forked.said);
  }

  /** @param {import("./inspector.js").Place} to */
  function differing(to) {
    return diff.load({ one: [to.session, to.version], other: to.other });
  }
  return {
    element,
    async show(to) {
      element.classList.toggle("wf-inspector-none", !to.session);
      if (!to.session) return;
      const [id, at] = to.other ?? ["", null];
      if (document.activeElement !== other) other.value = id === to.session ? "" : id;
      if (document.activeElement !== version) version.value = at === null ? "" : String(at);
      version.placeholder = to.other ? "newest" : "the one before";
      [before.hidden, /** @type {HTMLButtonElement} */ (restore).disabled] = [to.other === null, to.version === null];
      await Promise.all([list.show(), differing(to)]);
    },
    async moved() {
      if (place().session) await Promise.all([list.moved(), differing(place())]);
    },
  };
}
