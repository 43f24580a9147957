/** What the kernel says without being asked: that something was saved, or why nothing can be read. */
import { Refused, send } from "./asking.js";

/** What the storage refuses: it is shown when that can be had again. */
const OF_STORAGE = ["StorageBusy", "BadStorage", "StorageFailed"];

/** Milliseconds until the kernel is told again that this page is there. */
const HERE = 2000;

/** Milliseconds until what the storage refused is asked for again. */
const TRIAL = 1500;

/**
 * @param {import("./asking.js").Model} model
 * @param {string} page
 * @param {import("./standing.js").Standing} line
 * @param {{ show: () => Promise<unknown>, moved: () => Promise<unknown> }} does
 */
export function hearing(model, page, line, { show, moved }) {
  let isBusy = false;
  let isDue = false;
  let told = 0;
  let wasOld = false;
  let hasFailed = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let trial;

  function here() {
    told = Date.now();
    send(model, { is: "shown", page });
  }

  /** Show what is new, once at a time; in a page that nobody sees, when it is seen. */
  async function hear() {
    isDue = true;
    line.old(model.get("news").error);
    if (isBusy || document.hidden) return;
    isBusy = true;
    try {
      while (isDue && !document.hidden) {
        isDue = false;
        if (Date.now() - told > HERE) here();
        const why = model.get("news").error;
        const isAgain = wasOld && !why;
        line.old(why);
        wasOld = Boolean(why);
        if (isAgain) await show(); // what was asked for and refused
        if (!why) await moved();
      }
    } finally {
      isBusy = false;
    }
  }

  /** Say why something could not be done; what the storage refused is shown when it can be. @param {Error} error @param {boolean} [isAsked]  by somebody, who shall read it */
  function fail(error, isAsked = false) {
    const kind = error instanceof Refused ? error.kind : "";
    if (OF_STORAGE.includes(kind)) {
      wasOld = true;
      line.old(error.message);
      trial ??= setTimeout(tryAgain, TRIAL);
    } else if (kind !== "Gone") {
      hasFailed ||= !isAsked;
      line.tell(error.message);
    }
  }

  /** Ask again for what was refused; unless the kernel says why it cannot be had, and so will say when it can. */
  function tryAgain() {
    trial = undefined;
    const why = model.get("news").error;
    if (why) line.old(why);
    else hear();
  }

  function seen() {
    if (document.hidden) return;
    here();
    if (isDue) hear();
  }
  const gone = () => send(model, { is: "gone", page });

  model.on("change:news", hear);
  document.addEventListener("visibilitychange", seen);
  window.addEventListener("pagehide", gone);
  here();
  line.old(model.get("news").error);
  return {
    fail,
    /** Do several things, and say which could not be done. @param {(void | Promise<void>)[]} things */
    async all(things) {
      const done = await Promise.allSettled(things);
      if (hasFailed && done.every(({ status }) => status === "fulfilled")) line.tell("");
      hasFailed = false;
      for (const each of done) if (each.status === "rejected") fail(each.reason);
    },
    end() {
      clearTimeout(trial);
      model.off("change:news", hear);
      document.removeEventListener("visibilitychange", seen);
      window.removeEventListener("pagehide", gone);
      gone();
    },
  };
}
