/** A value is changed, added or removed, and that undone: each is a version of its own, and nothing of others is overwritten. */
import { box, button, choice, field, latest, part, say, text, trying } from "./parts.js";
import { question } from "./question.js";

/**
 * An editor of the value that is looked at; what is typed stays until it is saved or given up.
 * @param {import("./inspector.js").Context} context
 */
export function editor({ ask, go, place, tell }) {
  const note = text("quiet");
  const edit = button("Edit", "change the value", () => open(false));
  const add = button("Add…", "add a value inside", () => open(true));
  const drop = button("Delete…", "remove the value", remove);
  const undo = button("Undo", "put back what was there before the last change", () => change("undo", {}));
  const tools = box("tools", edit, add, drop, undo, note);

  const title = text("where", "", "code");
  const key = field("key", "key");
  const type = choice("type", [], { onchange: fit });
  const value = part("value", "textarea", { ariaLabel: "value", rows: 4, spellcheck: false });
  const wrong = part("wrong", "p", { role: "alert" });
  const both = box("conflict");
  const save = button("Save", "save as a new version (Ctrl+Enter)", () => saving());
  const form = part("form", "form", { ariaLabel: "edit", hidden: true }, title, key, type, value, wrong, save, button("Cancel", "change nothing (Escape)", close));
  const element = part("editor", "div", { role: "group", ariaLabel: "change the value" }, tools, both, form);

  const newest = latest();
  /** @type {any} */
  let told = null;
  /** What is being edited, and the version in which it was seen. @type {any} */
  let editing = null;
  let shown = "";

  /** Whether what is known is of the value that is looked at. */
  const isOf = () => JSON.stringify([place().session, place().path]) === shown;
  async function look() {
    const { session, version, path } = place();
    if (!isOf()) edit.hidden = add.hidden = drop.hidden = true; // they would be of another value
    if (editing && `${editing.path}` !== `${path}` && value.value === editing.text && !key.value) leave(); // nothing was typed
    if (!session) return;
    const found = await newest(ask("editable", { session, version, path }).catch((error) => ({ why_not: error.message, undo: "" })));
    if (!found) return;
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
    const types = adds ? told.types : [told.type, ...told.types];
    type.replaceChildren(...[...new Set(types)].map((name) => new Option(name)));
    type.value = adds ? "str" : told.type;
    [value.value, key.value, key.hidden] = [adds ? "" : told.text, "", !adds || told.adds === "list"];
    editing.text = value.value;
    say(wrong, "");
    both.replaceChildren();
    form.hidden = false;
    tools.hidden = true;
    (key.hidden ? value : key).focus();
    fit();
    save.scrollIntoView({ block: "nearest" });
  }
  function leave() {
    editing = null;
    form.hidden = true;
    tools.hidden = false;
    both.replaceChildren();
  }
  function close() {
    leave();
    edit.focus();
  }
  /** What is typed fits the type: a bool is one of two, None is none. */
  function fit() {
    if (type.value === "bool" && !["True", "False"].includes(value.value)) value.value = "True";
    if (type.value === "None") value.value = "None";
    value.disabled = type.value === "None";
    value.rows = type.value === "str" || value.value.includes("\n") ? 6 : 2;
  }

  /** Save what is typed; what is wrong with it is said beside it. @param {number} [version] */
  async function saving(version = editing.version) {
    say(wrong, "");
    await change("put", { ...editing, version, type: type.value, text: value.value, key: key.value }).catch((error) => say(wrong, error.message));
  }
  async function remove() {
    if (!isOf()) await look();
    const { session, version, path, shown } = told;
    if ((await question(element, `Delete ${shown}? Undo brings it back.`, "Delete")) !== null) await change("remove", { session, version, path });
  }

  /** Change something; where somebody else did, show both sides. @param {string} op @param {any} fields */
  async function change(op, fields) {
    const session = fields.session ?? place().session;
    const answer = await ask(op, { ...fields, session });
    both.replaceChildren();
    if (answer.conflict) return conflict(op, { ...fields, session }, answer.conflict);
    if (editing && op === "put") close();
    tell(answer.said);
    if (place().session === session) go({ version: null, ...(op === "remove" && { path: fields.path.slice(0, -1) }) });
    await look();
  }

  /** @param {string} op @param {any} fields @param {any} met */
  function conflict(op, fields, met) {
    /** @param {string} name @param {string | null} value */
    const side = (name, value) => box("side", text("quiet", `${name}: `), text("code", value ?? "removed", "code"));
    const mine = button("Take mine over it", "write mine in its place", () => (op === "put" ? saving(met.version) : change(op, { ...fields, version: met.version })));
    const theirs = button("Keep theirs", "write nothing", async () => {
      if (op === "undo") tell((await ask("undo", { session: fields.session, keep: true })).said);
      both.replaceChildren();
      if (editing) close();
      go({ version: null });
      await look();
    });
    both.replaceChildren(part("sides", "div", { role: "alertdialog", ariaLabel: "changed meanwhile" }, text("asked", met.said, "p"), side("theirs", met.theirs), side("mine", met.mine), mine, theirs));
    mine.focus();
  }

  form.addEventListener("submit", (event) => event.preventDefault());
  element.addEventListener("keydown", (event) => {
    if (!editing) return;
    if (event.key === "Escape") close();
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey || event.target === key)) {
      event.preventDefault();
      saving();
    }
  });
  return { element, /** The value that is looked at may be another one. */ show: look };
}
