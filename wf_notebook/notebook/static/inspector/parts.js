/** What the views of an inspector are made of: elements, buttons that may fail, pages, lists that keys go through, numbers to read. */

/**
 * An element of ours.
 * @template {keyof HTMLElementTagNameMap} T
 * @param {string} name  its class, without what all have in common
 * @param {T} tag
 * @param {Partial<Omit<HTMLElementTagNameMap[T], "style">>} [is]
 * @param {(Node | string)[]} inside
 * @returns {HTMLElementTagNameMap[T]}
 */
export function part(name, tag, is, ...inside) {
  const element = Object.assign(document.createElement(tag), is, { className: `wfi-${name}` });
  element.append(...inside);
  return element;
}

/** A box. @param {string} name @param {(Node | string)[]} inside */
export const box = (name, ...inside) => part(name, "div", {}, ...inside);

/** An element with a text. @param {string} name @param {string} [words] @param {any} [tag] @returns {HTMLElement} */
export const text = (name, words = "", tag = "span") => part(name, tag, { textContent: words });

/** A line that can be typed. @param {string} name @param {string} label @param {Partial<Omit<HTMLInputElement, "style">>} [is] */
export const field = (name, label, is) => part(name, "input", { type: "text", ariaLabel: label, placeholder: label, ...is });

/** A choice: names, or values and their names. @param {string} label @param {string[] | Record<string, string>} options @param {Partial<Omit<HTMLSelectElement, "style">>} [is] */
export const choice = (label, options, is) =>
  part("choice", "select", { ariaLabel: label, title: label, ...is }, ...Object.entries(options).map(([value, name]) => new Option(name, Array.isArray(options) ? name : value)));

/** Do what somebody asked for in an element; the inspector around it says why it could not be done. @param {Element} element @param {() => unknown} does */
export async function trying(element, does) {
  const root = element.closest(".wf-inspector");
  try {
    await does();
  } catch (error) {
    root?.dispatchEvent(new CustomEvent("wf-failed", { detail: error }));
  }
}

/** A button. @param {string} label @param {string} title @param {(event: MouseEvent) => unknown} press */
export function button(label, title, press) {
  const made = part("button", "button", { type: "button", title, onclick: (event) => trying(made, () => press(event)) }, label);
  return made;
}

/** Set a text that changed; a screen reader speaks each change. @param {Element} element @param {string} words */
export function say(element, words) {
  if (element.textContent !== words) element.textContent = words;
}

/** Show these in an element; what is there already stays, with its focus and its place. @param {Element} element @param {Element[]} wanted */
export function arrange(element, wanted) {
  for (const child of [...element.children]) if (!wanted.includes(child)) child.remove();
  wanted.forEach((each, n) => each === element.children[n] || element.insertBefore(each, element.children[n] ?? null));
}

/**
 * Show rows in an element: the one that is there for a row is filled anew.
 * @param {Element} element @param {(row: any) => string} name @param {(row: any) => HTMLElement} make @param {(made: any, row: any) => void} fill
 * @returns {(rows: any[]) => void}
 */
export function rowsIn(element, name, make, fill) {
  /** @type {Map<string, HTMLElement>} */
  let known = new Map();
  return (rows) => {
    known = new Map(rows.map((row) => [name(row), known.get(name(row)) ?? make(row)]));
    rows.forEach((row) => fill(known.get(name(row)), row));
    arrange(element, [...known.values()]);
  };
}

/** Of several questions only the last one counts: what is answered to another is dropped, and undefined; to none at all, too. @returns {(asked?: Promise<any> | false) => Promise<any>} */
export function latest() {
  let last = 0;
  return async (asked) => {
    const mine = (last += 1);
    try {
      const answer = await asked;
      return mine === last && asked ? answer : undefined;
    } catch (error) {
      if (mine === last) throw error;
    }
  };
}

/** Do something when nobody has typed for so long. @param {() => unknown} does @param {number} pause @returns {(isDue?: boolean) => void} */
export function rested(does, pause) {
  /** @type {ReturnType<typeof setTimeout>} */
  let timer;
  return (isDue = true) => {
    clearTimeout(timer);
    if (isDue) timer = setTimeout(does, pause);
  };
}

/** Whether a key is pressed together with another that makes it a shortcut. @param {KeyboardEvent | MouseEvent} event */
export const isShortcut = ({ ctrlKey, metaKey, altKey }) => ctrlKey || metaKey || altKey;

/** Whether text in an element is marked, as one does to copy it. @param {Element} element */
export function isMarked(element) {
  const marked = getSelection();
  return element.contains(marked?.anchorNode ?? null) && `${marked}` !== "";
}

/**
 * Let keys go through the items of a list; one of them is reached by Tab, Enter and Space press it.
 * @param {HTMLElement} list @param {string} selector @param {(item: HTMLElement) => unknown} [press] @param {boolean} [isRow]  they stand in a row, which has no end
 */
export function roving(list, selector, press = (item) => item.click(), isRow = false) {
  const [before, after] = isRow ? ["ArrowLeft", "ArrowRight"] : ["ArrowUp", "ArrowDown"];
  const items = () => /** @type {HTMLElement[]} */ ([...list.querySelectorAll(selector)]);
  /** @param {EventTarget | null | undefined} [item] */
  const reach = (item) => {
    const all = items();
    const reached = all.find((each) => each === item) ?? all.find(({ tabIndex }) => !tabIndex) ?? all[0];
    for (const each of all) each.tabIndex = each === reached ? 0 : -1;
  };
  list.addEventListener("focusin", ({ target }) => reach(target));
  list.addEventListener("keydown", (event) => {
    const all = items();
    const at = all.indexOf(/** @type {HTMLElement} */ (event.target));
    if (at < 0 || isShortcut(event)) return;
    const to = { [before]: at - 1, [after]: at + 1, Home: 0, End: all.length - 1 }[event.key];
    if (to !== undefined) (isRow ? all.at(to % all.length) : all[to])?.focus();
    else if (event.key === "Enter" || event.key === " ") press(all[at]);
    else return;
    event.preventDefault();
  });
  return { items, reach };
}

/**
 * Turn pages of so many rows; `turn` is given where another begins.
 * @param {number} size @param {(start: number) => unknown} turn
 */
export function pager(size, turn) {
  let [start, end] = [0, 0];
  const count = part("quiet", "span", { role: "status" });
  const ways = /** @type {[string, string, () => number][]} */ ([
    ["«", "first page (Ctrl+Home)", () => 0],
    ["‹", "previous page (Page Up)", () => Math.max(0, start - size)],
    ["›", "next page (Page Down)", () => Math.min(start + size, end)],
    ["»", "last page (Ctrl+End)", () => end],
  ]);
  const turners = ways.map(([sign, title, to]) => Object.assign(button(sign, title, () => to() === start || turn(to())), { ariaLabel: title, hidden: true }));
  const [first, previous, next, last] = turners;
  return {
    element: box("pager", first, previous, count, next, last),
    count,
    turners,
    /** Say which rows are shown. @param {number} from @param {number} shown @param {number} total */
    show(from, shown, total) {
      [start, end] = [from, Math.max(from, Math.floor((total - 1) / size) * size)];
      if (from + shown >= total) end = from;
      turners.forEach((turner, n) => {
        turner.hidden = !start && !end;
        turner.ariaDisabled = `${ways[n][2]() === start}`;
      });
      say(count, start || end ? `${number(start + 1)}–${number(start + shown)} of ${number(total)}` : counted(total, "row"));
    },
  };
}

/** A number to read. @param {number} n */
export const number = (n) => n.toLocaleString("en");

/** So many of something. @param {number} count @param {string} noun */
export const counted = (count, noun) => `${number(count)} ${noun}${count === 1 ? "" : "s"}`;

/** Seconds since a moment. @param {string} moment in ISO; UTC, where it names no zone */
export const since = (moment) => (Date.now() - Date.parse(/(Z|[+-]\d\d:\d\d)$/.test(moment) ? moment : `${moment.replace(" ", "T")}Z`)) / 1000;

/** How long ago that was. @param {string} moment */
export function age(moment) {
  const seconds = since(moment);
  for (const [unit, length] of /** @type {const} */ ([["d", 86400], ["h", 3600], ["min", 60]])) if (seconds >= length) return `${Math.floor(seconds / length)} ${unit} ago`;
  return seconds < 5 ? "now" : `${Math.floor(seconds)} s ago`;
}

/** So many bytes. @param {number} count */
export function bytes(count) {
  if (count < 1000) return `${count} B`;
  const power = Math.min(4, Math.floor(Math.log10(count) / 3));
  const part = count / 1000 ** power;
  return `${part < 10 ? part.toFixed(1) : Math.round(part)} ${["", "kB", "MB", "GB", "TB"][power]}`;
}

/** The start of an id that may be long. @param {string} id */
export const brief = (id) => id.slice(0, 200);

/** How each status looks: never by colour alone. @type {Record<string, string>} */
const SIGNS = { running: "●", completed: "✓", failed: "✗", stopped: "■", lost: "?" };

/** How a run stands: a sign and a word. @param {string} status @param {string} [words] */
export function signed(status, words = `${SIGNS[status] ?? "?"} ${status}`) {
  const element = text("standing", words);
  element.dataset.status = status;
  return element;
}
