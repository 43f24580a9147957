/** The line below an inspector: why nothing can be read, else that the kernel is silent, else what was done last. */
import { say } from "./parts.js";

/** So long it is said what was done, in milliseconds. */
const TOLD = 20000;

/**
 * @typedef {object} Standing
 * @property {(text: string) => void} tell  what was done, or was refused
 * @property {(why: string) => void} silent  why no answer comes; "" when one came
 * @property {(why: string) => void} old  why what is shown may be old; "" when it is not
 */

/** @param {HTMLElement} root @param {HTMLElement} line @returns {Standing} */
export function standing(root, line) {
  const lines = { old: "", silent: "", told: "" };
  /** @param {keyof typeof lines} what @returns {(text: string) => void} */
  const set = (what) => (text) => {
    lines[what] = text;
    root.classList.toggle("wfi-old", Boolean(lines.old));
    say(line, lines.old || lines.silent || lines.told);
  };
  /** @type {ReturnType<typeof setTimeout>} */
  let later;
  /** @param {string} told */
  function tell(told) {
    clearTimeout(later);
    set("told")(told);
    later = setTimeout(set("told"), TOLD, "");
  }
  return { tell, silent: set("silent"), old: set("old") };
}
