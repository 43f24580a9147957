/** A question before anything is changed: asked in the inspector itself, answered by a button, Enter or Escape. */
import { button, part, text } from "./parts.js";

/**
 * Ask in an element; give what was typed ("" where nothing is asked for), or null for no.
 * @param {HTMLElement} where it stands above all that is in it
 * @param {{ ask: string, yes: string, field?: string, value?: string }} question  `field` names the line that can be typed
 * @returns {Promise<string | null>}
 */
export function question(where, { ask, yes, field, value = "" }) {
  where.querySelector(":scope > .wf-inspector-question")?.remove();
  const box = part("question", "div", { role: "alertdialog", "aria-label": ask });
  const line = /** @type {HTMLInputElement} */ (part("line", "input", { type: "text", "aria-label": field ?? "" }));
  line.value = value;
  const before = document.activeElement;
  return new Promise((resolve) => {
    /** @param {string | null} answer */
    const done = (answer) => {
      box.remove();
      if (before instanceof HTMLElement) before.focus();
      resolve(answer);
    };
    const sure = button(yes, yes, () => done(field ? line.value : ""));
    sure.classList.add("wf-inspector-sure");
    box.append(text("asked", ask), ...(field ? [line] : []), sure, button("Cancel", "change nothing", () => done(null)));
    box.addEventListener("keydown", (event) => {
      event.stopPropagation(); // the notebook has keys of its own
      const isSaid = event.key === "Enter" && event.target === line;
      if (event.key !== "Escape" && !isSaid) return;
      event.preventDefault(); // or the button that has the focus then would be pressed
      done(isSaid ? line.value : null);
    });
    where.prepend(box);
    (field ? line : sure).focus();
  });
}
