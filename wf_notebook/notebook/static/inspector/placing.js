/** Where a page is: it moves at once, tells the kernel, and follows it; what the kernel says late never moves it back. */

/**
 * @param {import("./asking.js").Model} model
 * @param {(op: string, fields?: object) => Promise<any>} ask
 * @param {() => void} show  show what is looked at now
 * @param {(error: Error) => void} fail
 */
export function placing(model, ask, show, fail) {
  /** @typedef {import("./inspector.js").Place} Place */
  /** @type {Place} */
  let here = model.get("place");
  /** What the kernel was told and has not confirmed, and what it is told next. @type {Partial<Place> | null} */
  let told = null;
  /** @type {Partial<Place> | null} */
  let untold = null;

  /** Be where the kernel says, and where this page has gone since. */
  function follow() {
    const there = { ...model.get("place"), ...told, ...untold };
    if (JSON.stringify(there) === JSON.stringify(here)) return;
    here = there;
    show();
  }

  /** Tell the kernel, one thing at a time: of all that a slider passes it hears where it stays. */
  async function tell() {
    if (told || !untold) return;
    [told, untold] = [untold, null];
    await ask("look", { to: told }).catch(fail);
    told = null;
    follow();
    tell();
  }

  model.on("change:place", follow);
  return {
    place: () => here,
    /** @param {Partial<Place>} to */
    go(to) {
      here = { ...here, ...to };
      untold = { ...untold, ...to };
      show();
      tell();
    },
    end: () => model.off("change:place", follow),
  };
}
