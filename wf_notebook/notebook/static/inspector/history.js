/** The past of a session: its versions, what differs between any two, and the way back. */
import { differences } from "./differing.js";
import { box, button, field, part, text } from "./parts.js";
import { question } from "./question.js";
import { versionList } from "./versions.js";

/** @param {import("./inspector.js").Context} context @returns {import("./inspector.js").Panel} */
export function historyPanel(context) {
  const { ask, go, place, tell } = context;
  const list = versionList(context);
  const diff = differences(context);
  const other = field("other", "session to compare with", { placeholder: "this session", onchange: () => ((version.value = ""), compare()) }); // it was one of another session
  const version = field("other", "version to compare with", { type: "number", min: "0", onchange: compare });
  const before = button("the one before", "compare with the version before", () => go({ other: null }));
  const restore = button("Restore…", "go back to this version", goBack);
  const fork = button("Fork…", "begin a new session with this version", branchOff);
  const tools = part("tools", "div", { role: "group", ariaLabel: "compare and go back" }, text("quiet", "compared with"), other, version, before, restore, fork);
  const element = box("history", tools, box("both", list.element, diff.element));

  function compare() {
    const { session } = place();
    const id = other.value.trim();
    go({ other: id || version.value ? [id || session, version.value ? Number(version.value) : null] : null });
  }
  async function goBack() {
    const { session, version: at } = place();
    if ((await question(element, `Go back to version ${at} of ${session}? It becomes a new version, and none is lost.`, "Restore")) === null) return;
    const { said } = await ask("restore", { session, version: at });
    go({ version: null });
    tell(said);
  }
  async function branchOff() {
    const { session, version: at } = place();
    const { id } = await ask("suggest_id", { session });
    const from = at === null ? session : `version ${at} of ${session}`;
    const chosen = await question(element, `Begin a new session with ${from}, as`, "Fork", "id of the new session", id);
    if (chosen === null) return;
    const forked = await ask("fork", { session, version: at, new_id: chosen });
    go({ session: forked.session, version: null, path: [], other: null });
    tell(forked.said);
  }

  /** @param {() => Promise<void>} listed */
  async function look(listed) {
    const { session, version, other } = place();
    if (session) await Promise.all([listed(), diff.load({ one: [session, version], other })]);
  }
  return {
    element,
    show(to) {
      element.classList.toggle("wfi-none", !to.session);
      const [id, at] = to.other ?? ["", null];
      if (document.activeElement !== other) other.value = id === to.session ? "" : id;
      if (document.activeElement !== version) version.value = `${at ?? ""}`;
      version.placeholder = to.other ? "newest" : "the one before";
      [before.hidden, restore.disabled] = [to.other === null, to.version === null];
      return look(async () => list.show());
    },
    moved: () => look(list.moved),
  };
}
