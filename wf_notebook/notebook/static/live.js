// The live output of a run. It shows what the model's state says, and nothing else: after a reload it is whole again.
// Pages and tails are HTML that the kernel made safe; everything else is text.

/**
 * @typedef {{ get(name: string): any, on(name: string, listener: () => void): void,
 *   off(name: string, listener: () => void): void, send(message: object): void }} Model
 * @typedef {{ model: Model, el: HTMLElement }} View
 * @typedef {{ title: string, pages: number[], tail: number | null, status: string }} Section
 * @typedef {{ title: string, box: HTMLElement, sign: HTMLElement, pages: HTMLElement, tail: HTMLElement }} Shown
 */

/** How each status looks: never by colour alone. */
const SIGNS = { running: "●", completed: "✓", failed: "✗", stopped: "■" };

/** @param {string} status @returns {string} */
const sign = (status) => SIGNS[/** @type {keyof typeof SIGNS} */ (status)] ?? "?";

/** Jupyter gives the first heading of an element less room: in the record none of these is the first. */
const NOT_FIRST = "<span hidden></span>";

/** A reader this near to the end is at the end, in pixels. */
const NEAR = 32;

/** An output that is there so long after the run's end could not be replaced by the record, in milliseconds. */
const LATE = 2000;

/** A screen reader is told so often, in milliseconds, and no more at once than so many characters. */
const PAUSE = 1000;
const BREATH = 500;

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

/** Set a text that changed; a screen reader speaks each change. @param {HTMLElement} element @param {string} text */
function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Show HTML that changed. @param {HTMLElement} element @param {string} html */
function fill(element, html) {
  if (filled.get(element) === html) return;
  filled.set(element, html);
  element.innerHTML = NOT_FIRST + html;
}
/** @type {WeakMap<HTMLElement, string>} */
const filled = new WeakMap();

/** @param {string} title @returns {Shown} */
function opened(title) {
  const box = title ? part("section", "details", { open: "" }) : part("section", "div");
  const [state, pages, tail] = [part("sign"), part("pages", "div"), part("tail", "div")];
  if (title) {
    const head = part("lane", "summary");
    head.append(state, ` ${title}`);
    box.append(head);
  }
  box.append(pages, tail);
  return { title, box, sign: state, pages, tail };
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
  const stop = part("stop", "button", { type: "button", title: "Stop this run; what it said so far is kept" });
  const body = part("body", "div", { tabindex: "0", role: "log", "aria-live": "off", "aria-label": "answer" });
  body.classList.add("jp-RenderedHTMLCommon"); // so that nothing moves when the record takes its place
  const content = part("content", "div");
  const note = part("note", "p");
  const spoken = part("spoken", "div", { "aria-live": "polite" });
  stop.textContent = "■ Stop";
  head.append(workflow, session, " · ", status, numbers, stop);
  body.append(head, content, note);
  root.append(body, spoken);
  el.append(root);

  /** @type {Shown[]} */
  const sections = [];
  let told = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let telling, ending;

  function showHead() {
    const state = model.get("status");
    say(workflow, model.get("workflow"));
    say(session, model.get("session") && ` · session ${model.get("session")}`);
    say(status, `${sign(state)} ${state}`);
    status.dataset.status = state;
    say(numbers, ["", ...model.get("facts"), `${model.get("elapsed").toFixed(1)} s`].join(" · "));
    stop.hidden = !model.get("stoppable") || state !== "running";
  }

  /** @param {Section} section @param {number} n */
  function showSection({ title, pages, tail, status }, n) {
    let here = sections[n];
    if (here?.title !== title) {
      here = opened(title);
      if (sections[n]) sections[n].box.replaceWith(here.box);
      else content.append(here.box);
      sections[n] = here;
    }
    // Only the last page of those that are there can have changed.
    for (let place = Math.max(0, here.pages.childElementCount - 1); place < pages.length; place += 1) {
      if (place === here.pages.childElementCount) here.pages.append(part("page", "div"));
      fill(/** @type {HTMLElement} */ (here.pages.children[place]), model.get(`page_${pages[place]}`));
    }
    fill(here.tail, tail === null ? "" : model.get(`tail_${tail}`));
    say(here.sign, sign(status));
  }

  /** Tell a screen reader whole sentences, not tokens. */
  function tell() {
    telling = undefined;
    const text = content.textContent ?? "";
    const end = text.search(/[.!?:\n][^.!?:\n]*$/) + 1;
    if (end > told) spoken.textContent = text.slice(Math.max(told, end - BREATH), end);
    told = Math.max(told, end);
  }

  /** Show what changed, and stay at the end if the reader is there. */
  function show() {
    const atEnd = body.scrollHeight - body.scrollTop - body.clientHeight < NEAR;
    model.get("sections").forEach(showSection);
    if (model.get("ended")) ending ??= setTimeout(() => say(note, model.get("note")), LATE);
    else say(note, model.get("note"));
    if (atEnd) body.scrollTop = body.scrollHeight;
    showHead();
    telling ??= setTimeout(tell, PAUSE);
  }

  stop.addEventListener("click", () => model.send({ is: "stop" }));
  show();
  model.on("change", show);
  model.send({ is: "shown" });
  return () => {
    clearTimeout(telling);
    clearTimeout(ending);
    model.off("change", show);
    model.send({ is: "gone" });
  };
}

/** Tell the kernel that the model is here. @param {{ model: Model }} view */
function initialize({ model }) {
  model.send({ is: "loaded" });
}

export default { initialize, render };
