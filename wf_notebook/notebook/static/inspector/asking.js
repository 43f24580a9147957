/** Asking the kernel: `{id, op, …}` is answered by `{id, ok, …}`; a question that gets lost is asked again, and done once. */

/**
 * @typedef {object} Model  what anywidget gives
 * @property {(name: string) => any} get
 * @property {(event: string, heard: (...args: any[]) => void) => void} on
 * @property {(event: string, heard: (...args: any[]) => void) => void} off
 * @property {(message: object) => void} send
 */

/** Milliseconds until it is asked again, at first and at most; and until it is said that the kernel does not hear. */
const AGAIN = 1500;
const SELDOM = 30000;
const QUIET = 2000;

const DEAF = "the kernel does not answer yet: it runs a cell, or is gone";
const AT_WORK = "the kernel is at work on this";

/** What the kernel refused, and why. */
export class Refused extends Error {
  /** @param {string} kind @param {string} text */
  constructor(kind, text) {
    super(text);
    this.kind = kind;
  }
}

/** Say something to the kernel, if there is one. @param {Model} model @param {object} message */
export function send(model, message) {
  try {
    model.send(message);
  } catch {} // it is gone, which is said by the model
}

/**
 * Return a way to ask. `silent` hears why no answer comes, and "" when all is answered.
 * @param {Model} model @param {(why: string) => void} silent
 */
export function asking(model, silent) {
  /** @type {Map<string, { done: (answer: any) => void, why: string }>} */
  const waiting = new Map();
  const page = Math.random().toString(36).slice(2);
  let count = 0;

  function tell() {
    const reasons = [...waiting.values()].map(({ why }) => why);
    silent(reasons.find((why) => why === DEAF) ?? reasons.find(Boolean) ?? "");
  }

  /** @param {any} answer */
  function hear(answer) {
    const asked = waiting.get(answer?.id);
    if (!asked) return;
    if (answer.working) {
      asked.why = AT_WORK;
    } else {
      waiting.delete(answer.id);
      asked.done(answer);
    }
    tell();
  }
  model.on("msg:custom", hear);

  /** @param {string} op @param {object} [fields] @returns {Promise<any>} */
  function ask(op, fields = {}) {
    const id = `${page} ${(count += 1)}`;
    /** @type {ReturnType<typeof setTimeout>} */
    let again;
    /** @param {number} pause */
    const repeat = (pause) => {
      send(model, { ...fields, id, op, page });
      again = setTimeout(repeat, pause, Math.min(2 * pause, SELDOM));
    };
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        asked.why ||= DEAF;
        tell();
      }, QUIET);
      const asked = {
        why: "",
        /** @param {any} answer */
        done(answer) {
          clearTimeout(again);
          clearTimeout(late);
          if (answer.ok) resolve(answer.result);
          else reject(new Refused(answer.kind, answer.error));
        },
      };
      waiting.set(id, asked);
      repeat(AGAIN);
    });
  }

  function end() {
    model.off("msg:custom", hear);
    for (const { done } of waiting.values()) done({ kind: "Gone", error: "" });
    waiting.clear();
  }
  return { ask, end, page };
}
