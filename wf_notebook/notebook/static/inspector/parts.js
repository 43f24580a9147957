/** The parts that the views of an inspector are made of: elements with a class, text that changes, numbers that people read. */

/** An element of ours. @param {string} name @param {string} [tag] @param {Record<string, string>} [attributes] @returns {HTMLElement} */
export function part(name, tag = "div", attributes = {}) {
  const element = document.createElement(tag);
  element.className = `wf-inspector-${name}`;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

/** An element of ours with a text. @param {string} name @param {string} text @param {string} [tag] @returns {HTMLElement} */
export function text(name, text, tag = "span") {
  const element = part(name, tag);
  element.textContent = text;
  return element;
}

/** A button. @param {string} label @param {string} title @param {() => void} press @returns {HTMLElement} */
export function button(label, title, press) {
  const element = part("button", "button", { type: "button", title });
  element.textContent = label;
  element.addEventListener("click", press);
  return element;
}

/** Set a text that changed; a screen reader speaks each change. @param {HTMLElement} element @param {string} text */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

const AGES = /** @type {const} */ ([["d", 86400], ["h", 3600], ["min", 60]]);

/** How long ago that was. @param {string} moment in ISO; UTC, where it names no zone @returns {string} */
export function age(moment) {
  const zoned = /(Z|[+-]\d\d:\d\d)$/.test(moment) ? moment : `${moment.replace(" ", "T")}Z`;
  const seconds = (Date.now() - Date.parse(zoned)) / 1000;
  for (const [unit, length] of AGES) if (seconds >= length) return `${Math.floor(seconds / length)} ${unit} ago`;
  return seconds < 5 ? "now" : `${Math.floor(seconds)} s ago`;
}

/** So many bytes. @param {number} count @returns {string} */
export function bytes(count) {
  if (count < 1000) return `${count} B`;
  const power = Math.min(4, Math.floor(Math.log10(count) / 3));
  const number = count / 1000 ** power;
  return `${number < 10 ? number.toFixed(1) : Math.round(number)} ${["", "kB", "MB", "GB", "TB"][power]}`;
}

/** So many of something. @param {number} count @param {string} noun @returns {string} */
export const counted = (count, noun) => `${count.toLocaleString("en")} ${noun}${count === 1 ? "" : "s"}`;

/** How each status looks: never by colour alone. @type {Record<string, string>} */
export const SIGNS = { running: "●", completed: "✓", failed: "✗", stopped: "■", lost: "?" };

/** How a run stands: a sign and a word. @param {string} status @returns {HTMLElement} */
export function signed(status) {
  const element = text("standing", `${SIGNS[status] ?? "?"} ${status}`);
  element.dataset.status = status;
  return element;
}
