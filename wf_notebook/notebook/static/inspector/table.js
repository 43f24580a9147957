/** A table in pages: a hundred rows at a time, asked for when they are looked at; a long cell opens to all of its text. */
import { button, part, say, text } from "./parts.js";

const PAGE_ROWS = 100;
/** A cell of more characters stands in one line until it is opened. */
const CELL_LINE = 48;

/**
 * @typedef {object} TableColumn
 * @property {string} name
 * @property {string} type  stands below the name
 * @property {boolean} [right]  numbers stand at the right
 */
/**
 * A table of so many rows. `page` gives the texts of some of them, null for None, cut at 200 characters with an "…" at the end;
 * `whole` gives all of a text that was cut.
 * @param {{ label: string, columns: TableColumn[], total: number,
 *   page: (start: number, count: number) => Promise<(string | null)[][]>,
 *   whole?: (row: number, column: number) => Promise<string> }} of
 * @returns {HTMLElement}
 */
export function pagedTable({ label, columns, total, page, whole }) {
  const element = part("paged");
  const area = part("paged-area", "div", { role: "region", "aria-label": label, tabindex: "0" });
  const table = /** @type {HTMLTableElement} */ (part("table", "table", { "aria-label": label, "aria-rowcount": `${total + 1}` }));
  const head = table.createTHead().insertRow();
  const body = table.createTBody();
  const count = part("paged-count", "span", { role: "status" });
  const foot = part("paged-foot");
  const last = Math.max(0, Math.ceil(total / PAGE_ROWS) - 1);
  let [here, asked] = [0, 0];

  head.append(...columns.map(({ name, type, right }) => {
    const cell = part(right ? "right" : "left", "th", { scope: "col", title: name });
    cell.append(text("table-name", name), text("table-type", type));
    return cell;
  }));
  /** @param {any} error */
  const fail = (error) => say(count, error.message);
  /** @param {number} number */
  const spelt = (number) => number.toLocaleString("en");

  /** Look at another page; what is answered after a later question is dropped. @param {number} to */
  async function turn(to) {
    here = Math.min(Math.max(to, 0), last);
    const turned = (asked += 1);
    const start = here * PAGE_ROWS;
    turners.forEach(([turner, goes]) => turner.setAttribute("aria-disabled", `${goes() === here}`));
    try {
      const rows = await page(start, PAGE_ROWS);
      if (turned !== asked) return;
      body.replaceChildren(...rows.map((cells, number) => row(cells, start + number)));
      area.scrollTop = 0;
      say(count, last ? `${spelt(start + 1)}–${spelt(start + rows.length)} of ${spelt(total)}` : `${total} row${total === 1 ? "" : "s"}`);
    } catch (error) {
      if (turned === asked) fail(error);
    }
  }

  /** @param {(string | null)[]} cells @param {number} number */
  function row(cells, number) {
    const made = document.createElement("tr");
    made.setAttribute("aria-rowindex", `${number + 2}`);
    made.append(...cells.map((value, place) => {
      const cell = text(columns[place].right ? "right" : "left", value ?? "None", "td");
      cell.tabIndex = -1;
      if (value === null) cell.classList.add("wf-inspector-quiet");
      else if (value.length > CELL_LINE || value.includes("\n")) openable(cell, value, number, place);
      return cell;
    }));
    return made;
  }

  /** @param {HTMLElement} cell @param {string} cut @param {number} number @param {number} place */
  function openable(cell, cut, number, place) {
    const line = text("cell", cut);
    let known = !whole || !cut.endsWith("…");
    cell.replaceChildren(line);
    cell.title = "click or Enter: all of it";
    cell.setAttribute("aria-expanded", "false");
    const open = () => {
      if (getSelection()?.toString()) return; // it is being copied
      cell.setAttribute("aria-expanded", `${cell.getAttribute("aria-expanded") === "false"}`);
      if (known) return;
      known = true;
      whole?.(number, place).then((all) => say(line, all), fail);
    };
    cell.addEventListener("click", open);
    cell.addEventListener("keydown", (event) => event.key === "Enter" && open());
  }

  /** @type {[HTMLElement, () => number][]} */
  const turners = /** @type {[string, string, () => number][]} */ ([
    ["⏮", "first page (Ctrl+Home)", () => 0],
    ["◀", "previous page (Page Up)", () => Math.max(here - 1, 0)],
    ["▶", "next page (Page Down)", () => Math.min(here + 1, last)],
    ["⏭", "last page (Ctrl+End)", () => last],
  ]).map(([sign, title, goes]) => {
    const made = button(sign, title, () => goes() === here || turn(goes()));
    made.setAttribute("aria-label", title);
    return [made, goes];
  });

  area.addEventListener("keydown", (event) => {
    const { key, ctrlKey, metaKey, target } = event;
    const page = { PageUp: 1, PageDown: 2, ...(ctrlKey || metaKey ? { Home: 0, End: 3 } : {}) }[key];
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[key];
    if (page === undefined && !step && key !== "Enter") return;
    event.preventDefault();
    event.stopPropagation(); // the notebook has keys of its own
    if (page !== undefined) turners[page][0].click();
    if (!step) return;
    const at = /** @type {any} */ (target).closest("td");
    body.rows[at ? at.parentNode.sectionRowIndex + step[0] : 0]?.cells[at ? at.cellIndex + step[1] : 0]?.focus();
  });

  const [first, previous, next, end] = turners.map(([made]) => made);
  foot.append(...(last ? [first, previous, count, next, end] : [count]));
  area.append(table);
  element.append(area, foot);
  turn(0);
  return element;
}
