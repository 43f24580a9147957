// A run that plays again: a model that changes with the time, shown by the script of the live output.

/** How often a playing run moves on, in milliseconds. */
const FRAME = 50;

/**
 * @typedef {{ fields: Record<string, any>, status: string, error: string, inputs: Record<string, string>, seconds: number,
 *   moments: [number, Record<string, any>][], changes: [number, string, string, string][] }} Score
 */

/** The fields of a run at any of its moments. */
class Playing {
  /** @param {Score} score */
  constructor(score) {
    this.score = score;
    /** @type {Set<() => void>} */
    this.listeners = new Set();
    this.rewind();
  }
  rewind() {
    this.next = 0;
    /** @type {Record<string, any>} */
    this.fields = { sections: [], note: "", stoppable: false, ended: false, status: "running", elapsed: 0, ...this.score.fields };
  }
  /** @param {number} seconds */
  advance(seconds) {
    const { moments, seconds: end, status, error } = this.score;
    while (this.next < moments.length && moments[this.next][0] <= seconds) Object.assign(this.fields, moments[this.next++][1]);
    this.fields.elapsed = Math.min(seconds, end);
    if (seconds >= end) Object.assign(this.fields, { status, note: error });
    for (const listener of this.listeners) listener();
  }
  /** @param {string} name */
  get(name) {
    return this.fields[name] ?? "";
  }
  /** @param {string} name @param {() => void} listener */
  on(name, listener) {
    if (name === "change") this.listeners.add(listener);
  }
  /** @param {string} _ @param {() => void} listener */
  off(_, listener) {
    this.listeners.delete(listener);
  }
  send() {}
}

/** @param {Score} score */
function play(score) {
  const model = new Playing(score);
  const end = Math.max(score.seconds, ...score.moments.map(([at]) => at), 0.001);
  const main = document.createElement("main");
  const el = part("player-run", "div");
  const beside = part("player-state", "aside", { "aria-label": "session_state" });
  const bar = part("player-bar", "div", { role: "group", "aria-label": "playback" });
  const toggle = part("stop", "button", { type: "button" });
  const scrubber = /** @type {HTMLInputElement} */ (
    part("player-scrubber", "input", { type: "range", min: "0", max: String(end), step: "0.01", "aria-label": "time in seconds" })
  );
  const speed = /** @type {HTMLSelectElement} */ (part("player-speed", "select", { "aria-label": "speed" }));
  for (const times of [1, 2, 4, 8, 0.5]) speed.append(new Option(`${times}×`, String(times)));
  const clock = part("numbers");
  bar.append(toggle, scrubber, speed, clock);
  main.append(el, beside);
  document.body.append(main, bar);

  const given = Object.entries(score.inputs);
  if (given.length) beside.append(listed("inputs", given.map(([name, value]) => `${name} = ${value}`)));
  const state = listed("session_state", score.changes.map(([at, key, op, value]) => `${at.toFixed(1)} s · ${op} ${key} ${value}`));
  if (score.changes.length) beside.append(state);
  beside.hidden = !beside.childElementCount;

  let now = 0;
  let playing = !matchMedia("(prefers-reduced-motion: reduce)").matches;
  let close = render({ model, el });

  /** @param {number} seconds */
  function seek(seconds) {
    if (seconds < now) {
      close();
      el.replaceChildren();
      model.rewind();
      model.advance(seconds);
      close = render({ model, el });
    } else model.advance(seconds);
    now = seconds;
    scrubber.value = String(now);
    say(clock, `${now.toFixed(1)} / ${end.toFixed(1)} s`);
    score.changes.forEach(([at], n) => state.children[n + 1].toggleAttribute("hidden", at > now));
    if (now >= end) playing = false;
    say(toggle, playing ? "❚❚ Pause" : now >= end ? "↻ Again" : "▶ Play");
  }

  toggle.addEventListener("click", () => {
    playing = !playing;
    seek(playing && now >= end ? 0 : now);
  });
  scrubber.addEventListener("input", () => {
    playing = false;
    seek(Number(scrubber.value));
  });
  let before = performance.now();
  setInterval(() => {
    const passed = (performance.now() - before) / 1000;
    before = performance.now();
    if (playing) seek(Math.min(end, now + passed * Number(speed.value)));
  }, FRAME);
  seek(playing ? 0 : end);
}

/** @param {string} title @param {string[]} lines @returns {HTMLElement} */
function listed(title, lines) {
  const list = part("player-list", "div");
  const head = document.createElement("strong");
  head.textContent = title;
  list.append(head);
  for (const line of lines) {
    const item = document.createElement("p");
    item.textContent = line;
    list.append(item);
  }
  return list;
}

play(JSON.parse(/** @type {HTMLElement} */ (document.getElementById("wf-run")).textContent ?? "{}"));
