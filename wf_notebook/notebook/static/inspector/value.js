/** The value that is selected: where it is, what it is, and all of it in the view that fits. */
import { box, button, latest, number, part, rowsIn, say, text } from "./parts.js";
import { toVariable } from "./question.js";
import { pagedTable } from "./table.js";

/** Put a text onto the clipboard; where that is not allowed, into a field that is selected. @param {string} copied @param {HTMLElement} where @returns {Promise<string>} */
async function copyText(copied, where) {
  try {
    await navigator.clipboard.writeText(copied);
    return "copied";
  } catch {
    where.querySelector(":scope > .wfi-copy")?.remove();
    const field = part("copy", "textarea", { ariaLabel: "to copy", readOnly: true, rows: 3, value: copied, onblur: () => field.remove() });
    field.addEventListener("keydown", (event) => event.key === "Escape" && field.blur());
    where.prepend(field);
    field.select();
    return "the browser does not let us copy: press Ctrl+C, it is selected";
  }
}

/** @param {{ ask: (op: string, fields: object) => Promise<any>, tell: import("./inspector.js").Context["tell"] }} context */
export function valuePane({ ask, tell }) {
  const where = text("where", "", "code");
  const about = box("about");
  const views = part("views", "span", { role: "group", ariaLabel: "views of the value" });
  const content = box("content");
  /** @type {import("./inspector.js").Step[]} */
  let path = [];
  let [shown, chosen] = ["", ""];
  const last = latest();

  /** @param {string} kind @param {string} what */
  const copy = async (kind, what) => tell(`${await copyText((await ask("copy", { path, as: kind })).text, element)}: ${what}`);
  const put = async () => {
    const [of, name] = [path, String(path.at(-1))]; // another value may be selected before the question is answered
    const asked = `Put a copy of ${where.textContent} into the notebook as`;
    const is = await toVariable(element, asked, /^[a-z_]\w*$/i.test(name) ? name : "value", (to) => ask("variable", { path: of, ...to }));
    if (is) tell(`it is in ${is.name} now`);
  };
  const tools = box("tools", views,
    button("Copy path", "copy how Python says where it is", () => copy("path", "the path")),
    button("Copy JSON", "copy the value as JSON", () => copy("json", "the value as JSON")),
    button("To variable", "put a copy of it into a variable of the notebook", put));
  const element = part("pane", "div", { role: "region", ariaLabel: "selected value", hidden: true }, where, about, tools, content);

  const offer = rowsIn(views, ({ view }) => view, ({ view }) => button(view, `show it as ${view}`, () => {
    chosen = view;
    return load();
  }), (made, { isShown }) => void (made.ariaPressed = `${isShown}`));

  /** @param {any} value */
  function fill(value) {
    say(where, value.path);
    about.replaceChildren(text("type", value.type), text("size", value.size), ...(value.note ? [text("warned", value.note)] : []));
    offer(value.views.map((/** @type {string} */ view) => ({ view, isShown: view === value.view })));
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
      return [pagedTable({ label: value.path, columns, total, page }), ...(more ? [text("quiet", `${number(more)} more columns`)] : [])];
    }
    if ("html" in value) {
      const made = box("html");
      made.innerHTML = value.html; // made by render/, which lets nothing in that runs or fetches
      return [made, ...(value.shown < value.total ? [text("quiet", `the first ${number(value.shown)} of ${number(value.total)} characters; the text has all`)] : [])];
    }
    const made = text("code", value.text, "pre");
    if (value.total === null) return [made, text("quiet", "… cut here; open the tree, or copy it")];
    let end = value.start + value.text.length;
    const count = text("quiet");
    const more = button("more", "show more of the text", async () => {
      const next = await last(ask("value", { path, as: value.view, start: end }));
      if (!next) return;
      made.append(next.text);
      end += next.text.length;
      tellMore();
    });
    const foot = box("more", count, more);
    function tellMore() {
      say(count, `${number(end)} of ${number(value.total)} characters `);
      foot.hidden = end >= value.total;
    }
    tellMore();
    return [made, foot];
  }

  async function load() {
    element.hidden = !path.length;
    try {
      const value = await last(path.length > 0 && ask("value", { path, ...(chosen && { as: chosen }) }));
      if (!value) return;
      const told = JSON.stringify([path, value]);
      if (told !== shown) fill(value);
      shown = told;
    } catch (error) {
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
