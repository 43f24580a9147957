/** A question before anything is changed: asked in the inspector itself, answered by a button, Enter or Escape. */
import { button, field, part, text } from "./parts.js";

/**
 * Ask in an element; give what was typed ("" where nothing is asked for), or null for no.
 * @param {HTMLElement} where it stands above all that is in it
 * @param {string} asked @param {string} yes
 * @param {string} [name] of the line that can be typed
 * @param {string} [value]
 * @returns {Promise<string | null>}
 */
export function question(where, asked, yes, name, value = "") {
  where.querySelector(":scope > .wfi-question")?.remove();
  const line = field("line", name ?? "", { value, placeholder: "" });
  const before = document.activeElement;
  return new Promise((resolve) => {
    /** @param {string | null} answer */
    const done = (answer) => {
      made.remove();
      if (before instanceof HTMLElement) before.focus();
      resolve(answer);
    };
    const sure = button(yes, "", () => done(name ? line.value : ""));
    const made = part("question", "div", { role: "alertdialog", ariaLabel: asked }, text("asked", asked), ...(name ? [line] : []), sure, button("Cancel", "change nothing", () => done(null)));
    made.addEventListener("keydown", (event) => {
      const isSaid = event.key === "Enter" && event.target === line;
      if (event.key !== "Escape" && !isSaid) return;
      event.preventDefault(); // or the button that has the focus then would be pressed
      event.stopPropagation(); // nor does it end what is asked about
      done(isSaid ? line.value : null);
    });
    where.prepend(made);
    (name ? line : sure).focus();
  });
}

/**
 * Put something into a variable of the notebook, and ask before another is replaced; give what the kernel says of it, or null for no.
 * @param {HTMLElement} where @param {string} asked @param {string} value the name to begin with @param {(fields: object) => Promise<any>} put
 */
export async function toVariable(where, asked, value, put) {
  const name = await question(where, asked, "Put", "name of the variable", value);
  if (name === null) return null;
  const is = await put({ name: name.trim() });
  if (!is.taken) return is;
  const sure = await question(where, `${is.name} is a ${is.taken} already; replace it?`, "Replace");
  return sure === null ? null : put({ name: name.trim(), replace: true });
}
