/** A table in pages: a hundred rows at a time, asked for when they are looked at; a long cell opens to all of its text. */
import { box, latest, pager, part, say, text } from "./parts.js";

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
  const table = part("table", "table", { ariaLabel: label, ariaRowCount: `${total + 1}` });
  const area = part("paged-area", "div", { role: "region", ariaLabel: label, tabIndex: 0 }, table);
  const pages = pager(PAGE_ROWS, turn);
  const last = latest();
  /** @param {number} column */
  const side = (column) => (columns[column].right ? "right" : "left");
  table.createTHead().insertRow().append(...columns.map(({ name, type }, column) =>
    part(side(column), "th", { scope: "col", title: name }, text("table-name", name), text("table-type", type))));
  const body = table.createTBody();
  /** @param {any} error */
  const fail = (error) => say(pages.count, error.message);

  /** @param {number} start */
  async function turn(start) {
    try {
      const rows = await last(page(start, PAGE_ROWS));
      if (!rows) return;
      body.replaceChildren(...rows.map((/** @type {(string | null)[]} */ cells, /** @type {number} */ n) => row(cells, start + n)));
      area.scrollTop = 0;
      pages.show(start, rows.length, total);
    } catch (error) {
      fail(error);
    }
  }

  /** @param {(string | null)[]} cells @param {number} index */
  function row(cells, index) {
    return part("row", "tr", { ariaRowIndex: `${index + 2}` }, ...cells.map((value, column) => {
      const cell = part(side(column), "td", { tabIndex: -1 }, value ?? "None");
      if (value === null) cell.classList.add("wfi-quiet");
      else if (value.length > CELL_LINE || value.includes("\n")) openable(cell, value, index, column);
      return cell;
    }));
  }

  /** @param {HTMLElement} cell @param {string} cut @param {number} index @param {number} column */
  function openable(cell, cut, index, column) {
    const line = text("cell", cut);
    let known = !whole || !cut.endsWith("…");
    cell.replaceChildren(line);
    cell.title = "click or Enter: all of it";
    cell.ariaExpanded = "false";
    const open = () => {
      if (getSelection()?.toString()) return; // it is being copied
      cell.ariaExpanded = `${cell.ariaExpanded === "false"}`;
      if (known) return;
      known = true;
      whole?.(index, column).then((all) => say(line, all), fail);
    };
    cell.addEventListener("click", open);
    cell.addEventListener("keydown", (event) => event.key === "Enter" && open());
  }

  area.addEventListener("keydown", (event) => {
    const { key, ctrlKey, metaKey, target } = event;
    const way = { PageUp: 1, PageDown: 2, ...(ctrlKey || metaKey ? { Home: 0, End: 3 } : {}) }[key];
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[key];
    if (way === undefined && !step && key !== "Enter") return;
    event.preventDefault();
    event.stopPropagation(); // with Ctrl, too
    if (way !== undefined) pages.turners[way].click();
    if (!step) return;
    const at = /** @type {any} */ (target).closest("td");
    body.rows[at ? at.parentNode.sectionRowIndex + step[0] : 0]?.cells[at ? at.cellIndex + step[1] : 0]?.focus();
  });
  turn(0);
  return box("paged", area, pages.element);
}
