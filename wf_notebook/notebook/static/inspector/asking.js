/** Asking the kernel: `{id, op, …}` is answered by `{id, ok, …}`; a question that gets lost is asked again. */

/**
 * @typedef {object} Model  what anywidget gives
 * @property {(name: string) => any} get
 * @property {(event: string, heard: (...args: any[]) => void) => void} on
 * @property {(event: string, heard: (...args: any[]) => void) => void} off
 * @property {(message: object) => void} send
 */

/** Milliseconds until it is asked again, and until it is said that the kernel does not answer. */
const AGAIN = 3000;
const QUIET = 1500;

/** What the kernel refused, and why. */
export class Refused extends Error {
  /** @param {string} kind @param {string} text */
  constructor(kind, text) {
    super(text);
    this.kind = kind;
  }
}

/**
 * Return a way to ask. `quiet` hears whether the kernel is silent although something was asked.
 * @param {Model} model @param {(isSilent: boolean) => void} quiet
 */
export function asking(model, quiet) {
  /** @type {Map<string, (answer: any) => void>} */
  const waiting = new Map();
  const who = Math.random().toString(36).slice(2);
  let count = 0;

  /** @param {any} answer */
  function hear(answer) {
    const done = waiting.get(answer?.id);
    waiting.delete(answer?.id);
    if (done) done(answer);
  }
  model.on("msg:custom", hear);

  /** @param {string} op @param {object} [fields] @returns {Promise<any>} */
  function ask(op, fields = {}) {
    const id = `${who} ${(count += 1)}`;
    const send = () => model.send({ id, op, ...fields });
    const again = setInterval(send, AGAIN);
    const late = setTimeout(() => quiet(true), QUIET);
    send();
    return new Promise((resolve, reject) => {
      waiting.set(id, (answer) => {
        clearInterval(again);
        clearTimeout(late);
        quiet(false);
        if (answer.ok) resolve(answer.result);
        else reject(new Refused(answer.kind, answer.error));
      });
    });
  }
  return { ask, end: () => model.off("msg:custom", hear) };
}
