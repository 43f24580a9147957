/** The state of a session: a tree of its values, a search in it, and the value that is selected. */
import { finder } from "./finding.js";
import { part } from "./parts.js";
import { treeView } from "./tree.js";
import { valuePane } from "./value.js";

/** @param {import("./inspector.js").Context} context @returns {import("./inspector.js").Panel} */
export function statePanel({ ask, go, place, tell }) {
  const element = part("state");
  let [session, version] = ["", 0];
  let asked = 0;
  /** Ask of what is shown. @param {string} op @param {object} fields */
  const here = (op, fields) => ask(op, { session, version, ...fields });
  /** @param {import("./inspector.js").Step[]} path */
  const pick = (path) => go({ path });
  /** @param {any} error */
  const fail = (error) => tell(error.message, "failed");
  const tree = treeView({ ask: here, pick, fail });
  const pane = valuePane({ ask: here, tell });
  const search = finder({ ask: here, pick, fail, seen: (is) => void (tree.element.hidden = is) });
  const left = part("state-left");
  left.append(search.field, search.found, tree.element);
  element.append(left, pane.element);
  let selected = "";

  /** Show the version that is looked at: the tree from anew where it is of another session. */
  async function look() {
    const now = (asked += 1);
    const to = place();
    if (!to.session) return;
    const answer = await ask("open", { session: to.session, version: to.version });
    if (now !== asked) return;
    const isOther = session !== to.session;
    const isMoved = isOther || version !== answer.version;
    [session, version] = [to.session, answer.version];
    if (isOther) {
      selected = "";
      search.leave();
    }
    if (isMoved) await (isOther ? tree.begin(answer.nodes) : tree.refresh(answer.nodes));
    if (now !== asked) return;
    await select(isMoved);
  }

  /** @param {boolean} isMoved */
  async function select(isMoved) {
    const { path } = place();
    const isOther = JSON.stringify(path) !== selected;
    selected = JSON.stringify(path);
    const shown = isOther || isMoved ? pane.show(path) : undefined;
    tree.select(path);
    if (isOther && path.length) await tree.reveal(path).catch(() => {}); // the pane says that it is not there
    await shown;
  }

  return {
    element,
    async show(to) {
      const isHere = to.session === session && (to.version === null || to.version === version);
      if (isHere) await select(false);
      if (!isHere || to.version === null) await look();
    },
    moved: () => (place().version === null ? look() : undefined),
  };
}
