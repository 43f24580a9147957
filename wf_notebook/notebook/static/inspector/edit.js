/** A value is changed, added or removed, and that undone: each is a version of its own, and nothing of others is overwritten. */
import { button, part, say, text } from "./parts.js";
import { question } from "./question.js";

/**
 * An editor of the value that is looked at; what is typed stays until it is saved or given up.
 * @param {import("./inspector.js").Context} context
 */
export function editor({ ask, go, place, tell }) {
  const element = part("editor", "div", { role: "group", "aria-label": "change the value" });
  const tools = part("edits");
  const note = text("quiet", "");
  const edit = button("Edit", "change the value", () => trying(() => open(false)));
  const add = button("Add…", "add a value inside", () => trying(() => open(true)));
  const drop = button("Delete…", "remove the value", () => trying(remove));
  const undo = button("Undo", "put back what was there before the last change", () => trying(() => change("undo", {})));
  tools.append(edit, add, drop, undo, note);

  const form = part("form", "form", { "aria-label": "edit" });
  const title = part("where", "code");
  const key = /** @type {HTMLInputElement} */ (part("entry", "input", { type: "text", "aria-label": "key", placeholder: "key" }));
  const type = /** @type {HTMLSelectElement} */ (part("of-type", "select", { "aria-label": "type" }));
  const field = /** @type {HTMLTextAreaElement} */ (part("field", "textarea", { "aria-label": "value", rows: "4", spellcheck: "false" }));
  const wrong = part("wrong", "p", { role: "alert" });
  const both = part("conflict");
  const save = button("Save", "save as a new version (Ctrl+Enter)", () => trying(() => put()));
  form.append(title, key, type, field, wrong, save, button("Cancel", "change nothing (Escape)", close));
  form.hidden = true;
  element.append(tools, both, form);

  /** @type {any} */
  let told = null;
  /** What is being edited, and the version in which it was seen. @type {any} */
  let editing = null;
  let [asked, shown] = [0, ""];

  /** Whether what is known is of the value that is looked at. */
  const isOf = () => JSON.stringify([place().session, place().path]) === shown;
  async function look() {
    const now = (asked += 1);
    const { session, version, path } = place();
    if (!isOf()) edit.hidden = add.hidden = drop.hidden = true; // they would be of another value
    if (!session) return;
    const found = await ask("editable", { session, version, path }).catch((error) => ({ why_not: error.message, undo: "" }));
    if (now !== asked) return;
    told = { ...found, session, path };
    shown = JSON.stringify([session, path]);
    [edit.hidden, add.hidden, drop.hidden, undo.hidden] = [!path.length || Boolean(told.why_not), !told.adds, !told.removes, !told.undo];
    say(note, told.why_not ?? "");
    undo.title = told.undo ? `put back what was at ${told.undo}` : "";
    add.title = told.adds === "list" ? "add an item behind the last" : "add an entry";
  }

  /** @param {boolean} adds */
  async function open(adds) {
    if (!isOf()) await look();
    if ((adds ? add : edit).hidden) return;
    editing = { session: told.session, version: told.version, path: told.path, adds };
    say(title, adds ? `new in ${told.shown}` : told.shown);
    type.replaceChildren(...[...new Set(adds ? told.types : [told.type, ...told.types])].map((name) => text("option", name, "option")));
    type.value = adds ? "str" : told.type;
    [field.value, key.value, key.hidden] = [adds ? "" : told.text, "", !adds || told.adds === "list"];
    say(wrong, "");
    both.replaceChildren();
    form.hidden = false;
    tools.hidden = true;
    (key.hidden ? field : key).focus();
    fit();
    save.scrollIntoView({ block: "nearest" });
  }
  function close() {
    editing = null;
    form.hidden = true;
    tools.hidden = false;
    both.replaceChildren();
    edit.focus();
  }
  /** What is typed fits the type: a bool is one of two, None is none. */
  function fit() {
    if (type.value === "bool" && !["True", "False"].includes(field.value)) field.value = "True";
    if (type.value === "None") field.value = "None";
    field.disabled = type.value === "None";
    field.rows = type.value === "str" || field.value.includes("\n") ? 6 : 2;
  }
  type.addEventListener("change", fit);

  /** @param {number} [version] */
  const put = (version) => change("put", { ...editing, ...(version && { version }), type: type.value, text: field.value, key: key.value });
  async function remove() {
    if (!isOf()) await look();
    const seen = told;
    if ((await question(element, { ask: `Delete ${seen.shown}? Undo brings it back.`, yes: "Delete" })) === null) return;
    await change("remove", { session: seen.session, version: seen.version, path: seen.path });
  }

  /** Change something; where somebody else did, show both sides. @param {string} op @param {any} fields */
  async function change(op, fields) {
    const session = fields.session ?? place().session;
    const answer = await ask(op, { ...fields, session });
    both.replaceChildren();
    if (answer.conflict) return conflict(op, { ...fields, session }, answer.conflict);
    if (editing && op === "put") close();
    tell(answer.said);
    const here = place();
    if (here.session === session) go({ version: null, ...(op === "remove" && { path: fields.path.slice(0, -1) }) });
    await look();
  }

  /** @param {string} op @param {any} fields @param {any} met */
  function conflict(op, fields, met) {
    const box = part("sides", "div", { role: "alertdialog", "aria-label": "changed meanwhile" });
    const side = (/** @type {string} */ name, /** @type {string | null} */ value) => {
      const made = part("side");
      made.append(text("quiet", `${name}: `), text("value-text", value ?? "removed", "code"));
      return made;
    };
    const mine = button("Take mine over it", "write mine in its place", () => trying(() => (op === "put" ? put(met.version) : change(op, { ...fields, version: met.version }))));
    const theirs = button("Keep theirs", "write nothing", () => trying(async () => {
      if (op === "undo") tell((await ask("undo", { session: fields.session, keep: true })).said);
      both.replaceChildren();
      if (editing) close();
      go({ version: null });
      await look();
    }));
    box.append(text("asked", met.said, "p"), side("theirs", met.theirs), side("mine", met.mine), mine, theirs);
    both.replaceChildren(box);
    mine.focus();
  }

  /** @param {() => Promise<void>} does */
  async function trying(does) {
    try {
      say(wrong, "");
      await does();
    } catch (error) {
      const { message } = /** @type {Error} */ (error);
      if (editing) say(wrong, message);
      else tell(message, "failed");
    }
  }
  form.addEventListener("submit", (event) => event.preventDefault());
  element.addEventListener("keydown", (event) => {
    if (!editing) return;
    if (event.key === "Escape") close();
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey || event.target === key)) {
      event.preventDefault();
      trying(() => put());
    }
  });
  return {
    element,
    /** The value that is looked at may be another one. */
    show: () => look(),
  };
}
