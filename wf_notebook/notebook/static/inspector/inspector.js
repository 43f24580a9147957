/** The inspector in a page: it takes the place of its static tree, wherever that is shown. */
import { asking } from "./asking.js";
import { framed } from "./frame.js";
import { hearing } from "./hearing.js";
import { historyPanel } from "./history.js";
import { mounting } from "./mounting.js";
import { part } from "./parts.js";
import { placing } from "./placing.js";
import { runsPanel } from "./runs.js";
import { sqlPanel } from "./sql.js";
import { standing } from "./standing.js";
import { statePanel } from "./state.js";

/**
 * @typedef {(string | number)} Step
 * @typedef {object} Place  where the inspector is: `wf_notebook.inspection.Place`
 * @property {string} session
 * @property {number | null} version  null: the newest is followed
 * @property {Step[]} path
 * @property {"state" | "history" | "runs" | "sql"} view
 * @property {string} filter
 * @property {string} sort
 * @property {boolean} descending
 * @property {boolean} branches
 * @property {string[]} selected
 * @property {[string, number | null] | null} other
 * @property {string} run
 * @property {string} query
 */
/**
 * @typedef {object} Context  what a panel is given
 * @property {(op: string, fields?: object) => Promise<any>} ask  ask the kernel; rejects with Refused
 * @property {() => Place} place  where the inspector is
 * @property {(to: Partial<Place>) => void} go  look at something else: each panel that is seen shows it
 * @property {(text: string) => void} tell  say a line below, and to a screen reader
 */
/**
 * @typedef {object} Panel
 * @property {HTMLElement} element
 * @property {(place: Place) => void | Promise<void>} show  show what is looked at
 * @property {() => void | Promise<void>} moved  something was saved: show that, and move nothing that is looked at
 * @property {() => void} [aged]  some time passed: say how long ago things were
 */

const VIEWS = /** @type {const} */ ([
  ["state", "State", statePanel],
  ["history", "History", historyPanel],
  ["runs", "Runs", runsPanel],
  ["sql", "SQL", sqlPanel],
]);

/** Build an inspector in an element. @param {import("./asking.js").Model} model @param {Element} el @returns {() => void} */
function build(model, el) {
  const root = part("root", "section", { ariaLabel: "inspector" });
  root.classList.add("wf-inspector");
  const status = part("status", "p", { role: "status" });
  const line = standing(root, status);
  const { ask, end, page } = asking(model, line.silent);
  const { all, fail, end: deaf } = hearing(model, page, line, { show, moved: () => each((panel) => panel.moved()) });
  const { place, go, end: stay } = placing(model, root, ask, show, fail);
  /** @type {Context} */
  const context = { place, go, tell: line.tell, ask };

  const frame = framed(root, context, VIEWS, model.get("key"));
  root.append(frame.element, status);
  root.addEventListener("wf-failed", (event) => fail(/** @type {CustomEvent} */ (event).detail, true));
  el.replaceChildren(root);

  /** Do something to the panels that are seen. @param {(panel: Panel) => void | Promise<void>} what */
  const each = (what) => all(frame.seen().map(async (panel) => what(panel)));
  function show() {
    frame.arrange();
    return each((panel) => panel.show(place()));
  }
  show();
  return () => {
    frame.end();
    stay();
    deaf();
    end();
  };
}

/** Be wherever the static tree is. @param {{ model: import("./asking.js").Model }} view */
const initialize = ({ model }) => mounting(model, build);

export default { initialize, render() {} };
