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

const STEPS = /** @type {const} */ ([["d", 86400], ["h", 3600], ["min", 60]]);

/** How long ago that was. @param {string} moment in ISO, UTC @returns {string} */
export function age(moment) {
  const seconds = (Date.now() - Date.parse(`${moment.replace(" ", "T").slice(0, 23)}Z`)) / 1000;
  for (const [unit, length] of STEPS) if (seconds >= length) return `${Math.floor(seconds / length)} ${unit} ago`;
  return seconds < 5 ? "now" : `${Math.floor(seconds)} s ago`;
}
