/** Where a page is: it moves at once, tells the kernel, and follows it; what the kernel says late never moves it back. */

/** What begins something elsewhere in the page, as the running of a cell. */
const DONE = ["pointerdown", "keydown"];

/**
 * @param {import("./asking.js").Model} model
 * @param {Element} root
 * @param {(op: string, fields?: object) => Promise<any>} ask
 * @param {() => void} show  show what is looked at now
 * @param {(error: Error) => void} fail
 */
export function placing(model, root, ask, show, fail) {
  /** @typedef {import("./inspector.js").Place} Place */
  /** @type {Place} */
  let here = model.get("place");
  /** What the kernel was told and has not confirmed, and what it is told next. @type {Partial<Place> | null} */
  let told = null;
  /** @type {Partial<Place> | null} */
  let untold = null;
  let unconfirmed = 0;

  /** Be where the kernel says, and where this page has gone since. */
  function follow() {
    const there = { ...model.get("place"), ...told, ...untold };
    if (JSON.stringify(there) === JSON.stringify(here)) return;
    here = there;
    show();
  }

  /** Tell the kernel, one thing at a time: of all that a slider passes it hears where it stays. @param {boolean} [atOnce] */
  async function tell(atOnce = false) {
    if (!untold || (told && !atOnce)) return;
    const to = untold;
    told = { ...told, ...to };
    untold = null;
    unconfirmed += 1;
    await ask("look", { to }).catch(fail);
    unconfirmed -= 1;
    if (unconfirmed) return;
    told = null;
    follow();
    tell();
  }

  /** What is done elsewhere comes after: a cell that is run now finds Python where this page is. @param {Event} event */
  function left({ target }) {
    if (!root.contains(/** @type {Node | null} */ (target))) tell(true);
  }

  model.on("change:place", follow);
  for (const kind of DONE) document.addEventListener(kind, left, true);
  return {
    place: () => here,
    /** @param {Partial<Place>} to */
    go(to) {
      here = { ...here, ...to };
      untold = { ...untold, ...to };
      show();
      tell();
    },
    end() {
      model.off("change:place", follow);
      for (const kind of DONE) document.removeEventListener(kind, left, true);
    },
  };
}
