/** The value that is selected: where it is, what it is, and all of it in the view that fits. */
import { button, part, say, text } from "./parts.js";
import { question } from "./question.js";
import { pagedTable } from "./table.js";

/** Put a text onto the clipboard; where that is not allowed, into a field that is selected. @param {string} copied @param {HTMLElement} where @returns {Promise<string>} */
async function copyText(copied, where) {
  try {
    await navigator.clipboard.writeText(copied);
    return "copied";
  } catch {
    where.querySelector(":scope > .wf-inspector-copy")?.remove();
    const field = /** @type {HTMLTextAreaElement} */ (part("copy", "textarea", { "aria-label": "to copy", readonly: "", rows: "3" }));
    field.value = copied;
    field.addEventListener("blur", () => field.remove());
    field.addEventListener("keydown", (event) => event.key === "Escape" && field.blur());
    where.prepend(field);
    field.select();
    return "the browser does not let us copy: press Ctrl+C, it is selected";
  }
}

/** @param {{ ask: (op: string, fields: object) => Promise<any>, tell: import("./inspector.js").Context["tell"] }} context */
export function valuePane({ ask, tell }) {
  const element = part("value", "div", { role: "region", "aria-label": "selected value" });
  const where = part("where", "code");
  const about = part("about");
  const views = part("views", "span", { role: "group", "aria-label": "views of the value" });
  const tools = part("tools");
  const content = part("content");
  /** @type {import("./inspector.js").Step[]} */
  let path = [];
  let shown = "";
  let chosen = "";
  let asked = 0;

  /** @param {string} kind */
  const copy = async (kind) => tell(`${await copyText((await ask("copy", { path, as: kind })).text, element)}: ${kind === "path" ? "the path" : "the value as JSON"}`);
  async function toVariable() {
    const last = String(path.at(-1) ?? "");
    const name = await question(element, { ask: "Put a copy of it into the notebook as", yes: "Put", field: "name of the variable", value: /^[a-z_]\w*$/i.test(last) ? last : "value" });
    if (name === null) return;
    let put = await ask("variable", { path, name });
    if (put.taken && (await question(element, { ask: `${put.name} is a ${put.taken} already; replace it?`, yes: "Replace" })) === null) return;
    if (put.taken) put = await ask("variable", { path, name, replace: true });
    tell(`it is in ${put.name} now`);
  }
  /** @param {() => Promise<void>} does */
  const trying = (does) => () => void does().catch((error) => tell(error.message, "failed"));
  /** @type {[string, string, () => Promise<void>][]} */
  const ways = [
    ["Copy path", "copy how Python says where it is", () => copy("path")],
    ["Copy JSON", "copy the value as JSON", () => copy("json")],
    ["To variable", "put a copy of it into a variable of the notebook", toVariable],
  ];
  tools.append(views, ...ways.map(([label, title, does]) => button(label, title, trying(does))));
  element.append(where, about, tools, content);
  element.hidden = true;

  /** @param {any} value */
  function fill(value) {
    say(where, value.path);
    about.replaceChildren(text("type", value.type), text("size", value.size), ...(value.note ? [text("note", value.note)] : []));
    views.replaceChildren(...value.views.map((/** @type {string} */ view) => {
      const made = button(view, `show it as ${view}`, () => {
        chosen = view;
        load().then(() => /** @type {HTMLElement | null} */ (views.querySelector("[aria-pressed=true]"))?.focus());
      });
      made.setAttribute("aria-pressed", String(view === value.view));
      return made;
    }));
    views.hidden = value.views.length < 2;
    const at = content.scrollTop;
    content.replaceChildren(...parts(value));
    content.scrollTop = at;
  }

  /** @param {any} value @returns {HTMLElement[]} */
  function parts(value) {
    if (value.table) {
      const { columns, total, more } = value.table;
      const page = (/** @type {number} */ start, /** @type {number} */ count) => ask("rows", { path, start, count });
      return [pagedTable({ label: value.path, columns, total, page }), ...(more ? [text("quiet", `${more.toLocaleString("en")} more columns`)] : [])];
    }
    if ("html" in value) {
      const made = part("html");
      made.innerHTML = value.html; // made by render/, which lets nothing in that runs or fetches
      return [made, ...(value.shown < value.total ? [text("quiet", `the first ${value.shown.toLocaleString("en")} of ${value.total.toLocaleString("en")} characters; the text has all`)] : [])];
    }
    const made = text("text", value.text, "pre");
    if (value.total === null) return [made, text("quiet", "… cut here; open the tree, or copy it")];
    const foot = part("more");
    let end = value.start + value.text.length;
    const more = button("more", "show more of the text", trying(async () => {
      const now = asked;
      const next = await ask("value", { path, as: value.view, start: end });
      if (now !== asked) return;
      made.append(next.text);
      end += next.text.length;
      tellMore();
    }));
    const count = text("quiet", "");
    function tellMore() {
      say(count, `${end.toLocaleString("en")} of ${value.total.toLocaleString("en")} characters `);
      foot.hidden = end >= value.total;
    }
    tellMore();
    foot.append(count, more);
    return [made, foot];
  }

  async function load() {
    const now = (asked += 1);
    element.hidden = !path.length;
    if (!path.length) return;
    try {
      const value = await ask("value", { path, ...(chosen && { as: chosen }) });
      if (now !== asked) return;
      const told = JSON.stringify([path, value]);
      if (told !== shown) fill(value);
      shown = told;
    } catch (error) {
      if (now !== asked) return;
      shown = "";
      say(where, "");
      about.replaceChildren();
      content.replaceChildren(text("quiet", /** @type {Error} */ (error).message, "p"));
    }
    tools.hidden = !shown;
  }

  return {
    element,
    /** Show the value at a path. @param {import("./inspector.js").Step[]} to */
    show(to) {
      if (JSON.stringify(to) !== JSON.stringify(path)) [path, chosen] = [to, ""];
      return load();
    },
  };
}
