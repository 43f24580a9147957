// The live output of a run. It shows what the model's state says, and nothing else: after a reload it is whole again.
// Pages, tails and the board are HTML that the kernel made safe; everything else is text.

/**
 * @typedef {{ get(name: string): any, on(name: string, listener: () => void): void,
 *   off(name: string, listener: () => void): void, send(message: object): void }} Model
 * @typedef {{ model: Model, el: HTMLElement }} View
 * @typedef {{ title: string, pages: number[], tail: number | null, status: string }} Section
 * @typedef {{ title: string, box: HTMLElement, sign: HTMLElement, pages: HTMLElement, tail: HTMLElement }} Shown
 * @typedef {{ views: number, status: string, told: number[] }} Known
 */

/** How each status looks: never by colour alone. */
const SIGNS = { running: "●", completed: "✓", failed: "✗", stopped: "■", lost: "?" };

/** @param {string} status @returns {string} */
const sign = (status) => SIGNS[/** @type {keyof typeof SIGNS} */ (status)] ?? "?";

/** Jupyter gives the first heading of an element less room: in the record none of these is the first. */
const NOT_FIRST = "<span hidden></span>";

/** A reader this near to the end is at the end, in pixels. */
const NEAR = 32;

/** An output that is there so long after the run's end could not be replaced by the record, in milliseconds. */
const LATE = 2000;

/** A press of Stop is said again after so many milliseconds, so often. */
const AGAIN = 250;
const TIMES = 20;

/** A kernel that was not heard for so long is gone, or can do nothing else, in milliseconds: it tells the time four times a second. */
const SILENCE = 15000;

/** A screen reader is told so often, in milliseconds, and no more at once than so many characters; they stay so long. */
const PAUSE = 1000;
const BREATH = 500;
const HEARD = 5000;

/** Where the last sentence ends; that a number has a point ends none. */
const END = /(?:[.!?:](?=\s)|\n)(?:(?![.!?:]\s)[^\n])*$/;

/** Keys that scroll what has the focus, and in which direction: JupyterLab would go to the next cell. */
const SCROLLING = { ArrowUp: -1, ArrowDown: 1 };

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

/** What this page knows of a run that it shows, in however many views. @type {Map<string, Known>} */
const runs = new Map();

/** Return where a screen reader hears this page: it stays when an output gives way to its record. @returns {Element} */
function voice() {
  const there = document.querySelector(".wf-live-voice");
  if (there) return there;
  const made = part("voice", "div", { role: "log", "aria-live": "polite", "aria-label": "workflows" });
  made.style.cssText = "position: fixed; top: 0; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%)";
  document.body.append(made);
  return made;
}

/** Tell a screen reader. @param {string} text */
function speak(text) {
  const line = part("said", "p");
  line.textContent = text;
  voice().append(line);
  setTimeout(() => line.remove(), HEARD);
}

/** Return the end of a text, from the beginning of a sentence. @param {string} text @returns {string} */
function breath(text) {
  return text.length > BREATH ? text.slice(-BREATH).replace(/^.*?[.!?:\n]\s/s, "… ") : text;
}

/** @param {View} view */
function render({ model, el }) {
  const root = document.createElement("section");
  root.className = "wf-live";
  root.setAttribute("aria-label", `workflow ${model.get("workflow")}`);
  const head = part("head", "p");
  const workflow = part("workflow", "strong");
  const session = part("session");
  const status = part("status", "span", { role: "status", "aria-live": "off" }); // told by the voice
  const numbers = part("numbers");
  const stop = part("stop", "button", { type: "button", title: "Stop this run; what it said so far is kept" });
  const body = part("body", "div", { tabindex: "0", role: "log", "aria-live": "off", "aria-label": "answer" });
  body.classList.add("jp-RenderedHTMLCommon"); // so that nothing moves when the record takes its place
  const [board, content] = [part("board", "div"), part("content", "div")];
  const note = part("note", "div");
  stop.textContent = "■ Stop";
  head.append(workflow, session, " · ", status, numbers, stop);
  body.append(head, board, content, note);
  root.append(body);
  el.append(root);

  /** @type {Shown[]} */
  const sections = [];
  /** @type {string} */
  const key = model.get("key");
  const known = (key && runs.get(key)) || { views: 0, status: model.get("status") === "running" ? "" : model.get("status"), told: [] };
  let isHeard = true;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let telling, ending, waiting, pressing, saying;

  /** @returns {string} */
  const standing = () => (isHeard || model.get("status") !== "running" ? model.get("status") : "lost");

  function showHead() {
    const state = standing();
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

  /** Tell a screen reader whole sentences, not tokens; at the end all that is left, and how it ended; each once in a page. */
  function tell() {
    clearTimeout(telling);
    telling = undefined;
    const state = standing();
    sections.forEach(({ title, pages, tail }, n) => {
      const open = (tail.textContent ?? "").trimEnd(); // the line's end is not the sentence's
      const rest = `${pages.textContent}${open}`.slice(known.told[n] ?? 0);
      const end = state === "running" ? rest.search(END) + 1 : rest.length;
      const text = rest.slice(0, end).trim();
      known.told[n] = (known.told[n] ?? 0) + end;
      if (text) speak(`${title && `${title}: `}${breath(text)}`);
    });
    if (known.status !== state) speak(`${model.get("workflow")} ${state}${state === "lost" ? `. ${model.get("unheard")}` : ""}`);
    known.status = state;
  }

  /** Show what changed, and stay at the end if the reader is there. */
  function show() {
    const atEnd = body.scrollHeight - body.scrollTop - body.clientHeight < NEAR;
    fill(board, model.get("board"));
    model.get("sections").forEach(showSection);
    if (model.get("ended")) ending ??= setTimeout(() => say(note, model.get("note")), LATE);
    else say(note, standing() === "lost" ? model.get("unheard") : model.get("note"));
    if (atEnd) body.scrollTop = body.scrollHeight;
    showHead();
    if (known.status !== standing()) tell();
    else telling ??= setTimeout(tell, PAUSE);
  }

  /** Show what came, and wait for more. */
  function hear() {
    isHeard = true;
    clearTimeout(waiting);
    if (model.get("status") === "running" && model.get("unheard")) waiting = setTimeout(unheard, SILENCE);
    show();
  }

  /** Say that nothing more comes. */
  function unheard() {
    isHeard = false;
    clearTimeout(waiting);
    show();
  }

  /** Say again that it is shown; a kernel that is gone by then hears nothing. */
  function shownStill() {
    try {
      model.send({ is: "shown" });
    } catch {
      unheard();
    }
  }

  /** Let a key scroll as far as it can. @param {KeyboardEvent} event */
  function scroll(event) {
    const way = SCROLLING[/** @type {keyof typeof SCROLLING} */ (event.key)];
    if (event.target !== body || !way || event.shiftKey || event.ctrlKey || event.altKey || event.metaKey) return;
    const room = way < 0 ? body.scrollTop : body.scrollHeight - body.clientHeight - body.scrollTop;
    if (room >= 1) event.stopPropagation();
  }

  /** Press Stop, again until it is heard: the kernel reads what a page says at its very first only after the cell. */
  function press() {
    clearTimeout(pressing);
    const number = `${key} ${performance.now()}`;
    /** @param {number} left */
    const again = (left) => {
      if (stop.hidden || !left) return;
      model.send({ is: "stop", press: number });
      pressing = setTimeout(again, AGAIN, left - 1);
    };
    again(TIMES);
  }

  stop.addEventListener("click", press);
  window.addEventListener("keydown", scroll, true);
  voice();
  if (key) runs.set(key, known);
  known.views += 1;
  hear();
  model.on("change", hear);
  model.on("comm_live_update", unheard); // as when the kernel is restarted
  model.send({ is: "shown" });
  saying = setTimeout(shownStill, LATE); // the first time may be heard only after the cell
  return () => {
    for (const each of [telling, ending, waiting, pressing, saying]) clearTimeout(each);
    window.removeEventListener("keydown", scroll, true);
    model.off("change", hear);
    model.off("comm_live_update", unheard);
    known.views -= 1;
    if (!known.views) model.send({ is: "gone" });
  };
}

/** Tell the kernel that the model is here. @param {{ model: Model }} view */
function initialize({ model }) {
  model.send({ is: "loaded" });
}

export default { initialize, render };
