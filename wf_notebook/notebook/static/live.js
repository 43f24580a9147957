// The live output of a run. It shows what the model's state says, and nothing else: after a reload it is whole again.
// The pages and the tail are HTML that the kernel made safe; everything else is text.

/**
 * @typedef {{ get(name: string): any, set(name: string, value: any): void, save_changes(): void,
 *   on(name: string, listener: () => void): void, off(name: string, listener: () => void): void }} Model
 * @typedef {{ model: Model, el: HTMLElement }} View
 */

/** How each status looks: never by colour alone. */
const SIGNS = { running: "●", completed: "✓", failed: "✗", stopped: "■" };

/** Jupyter gives the first heading of an element less room: in the record none of these is the first. */
const NOT_FIRST = "<span hidden></span>";

/** A reader this near to the end is at the end, in pixels. */
const NEAR = 32;

/**
 * @param {string} name
 * @param {string} tag
 * @param {Record<string, string>} attributes
 * @returns {HTMLElement}
 */
function part(name, tag = "span", attributes = {}) {
  const element = document.createElement(tag);
  element.className = `wf-live-${name}`;
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  return element;
}

/** @param {View} view */
function render({ model, el }) {
  const root = document.createElement("section");
  root.className = "wf-live";
  root.setAttribute("aria-label", `workflow ${model.get("workflow")}`);
  const head = part("head", "p");
  const workflow = part("workflow", "strong");
  const session = part("session");
  const status = part("status", "span", { role: "status", "aria-live": "polite" });
  const numbers = part("numbers");
  const body = part("body", "div", { tabindex: "0", role: "log", "aria-live": "off", "aria-label": "answer" });
  body.classList.add("jp-RenderedHTMLCommon"); // so that nothing moves when the record takes its place
  const pages = part("pages", "div");
  const tail = part("tail", "div");
  head.append(workflow, session, " · ", status, numbers);
  body.append(head, pages, tail);
  root.append(body);
  el.append(root);

  /** Change the body, and stay at its end if the reader is there. @param {() => void} change */
  function following(change) {
    const atEnd = body.scrollHeight - body.scrollTop - body.clientHeight < NEAR;
    change();
    if (atEnd) body.scrollTop = body.scrollHeight;
  }

  function showHead() {
    const state = /** @type {keyof typeof SIGNS} */ (model.get("status"));
    const word = `${SIGNS[state] ?? "?"} ${state}`;
    workflow.textContent = model.get("workflow");
    session.textContent = model.get("session") && ` · session ${model.get("session")}`;
    // A screen reader speaks each change: the same word again is none.
    if (status.textContent !== word) status.textContent = word;
    status.dataset.status = state;
    const tokens = model.get("tokens") ? [`${model.get("tokens").toLocaleString("en")} tokens`] : [];
    numbers.textContent = ["", ...tokens, `${model.get("elapsed").toFixed(1)} s`].join(" · ");
  }

  /** @param {number} n */
  function showPage(n) {
    const html = model.get(`page_${n}`);
    if (!html && n >= pages.childElementCount) return;
    following(() => {
      while (pages.childElementCount <= n) pages.append(part("page", "div"));
      pages.children[n].innerHTML = NOT_FIRST + html;
    });
  }

  const showTail = () => following(() => (tail.innerHTML = NOT_FIRST + model.get("tail")));

  /** @type {[string, () => void][]} */
  const listeners = [["change:tail", showTail]];
  for (const name of ["workflow", "session", "status", "elapsed", "tokens"]) listeners.push([`change:${name}`, showHead]);
  for (let n = 0; n < model.get("capacity"); n += 1) {
    listeners.push([`change:page_${n}`, () => showPage(n)]);
    showPage(n);
  }
  showTail();
  showHead();
  for (const [name, listener] of listeners) model.on(name, listener);
  return () => listeners.forEach(([name, listener]) => model.off(name, listener));
}

/** Tell the kernel that the model is here. @param {{ model: Model }} view */
function initialize({ model }) {
  model.set("loaded", true);
  model.save_changes();
}

export default { initialize, render };
