/** The state of a session: a tree of its values, a search in it, and the value that is selected. */
import { editor } from "./edit.js";
import { finder } from "./finding.js";
import { box, latest } from "./parts.js";
import { treeView } from "./tree.js";
import { valuePane } from "./value.js";

/** @param {import("./inspector.js").Context} context @returns {import("./inspector.js").Panel} */
export function statePanel(context) {
  const { go, place, tell } = context;
  let [session, version, selected] = ["", 0, ""];
  const last = latest();
  /** Ask of what is shown. @param {string} op @param {object} fields */
  const ask = (op, fields) => context.ask(op, { session, version, ...fields });
  /** @param {import("./inspector.js").Step[]} path */
  const pick = (path) => go({ path });
  const tree = treeView({ ask, pick });
  const pane = valuePane({ ask, tell });
  const edits = editor(context);
  const search = finder({ ask, pick, seen: (is) => void (tree.element.hidden = is) });
  const element = box("state", box("seek", search.element, search.found, tree.element), box("about-value", pane.element, edits.element));

  /** Show the version that is looked at: the tree from anew where it is of another session. */
  async function look() {
    const to = place();
    if (!to.session) return;
    const answer = await last(context.ask("open", { session: to.session, version: to.version }));
    if (!answer) return;
    const isOther = session !== to.session;
    const isMoved = isOther || version !== answer.version;
    [session, version] = [to.session, answer.version];
    if (isOther) {
      selected = "";
      search.leave();
    }
    if (isMoved) await (isOther ? tree.begin(answer.nodes) : tree.refresh(answer.nodes));
    if (session === place().session) await select(isMoved);
  }

  /** @param {boolean} isMoved */
  async function select(isMoved) {
    const { path } = place();
    const isOther = JSON.stringify(path) !== selected;
    selected = JSON.stringify(path);
    const edited = edits.show(); // at once: what it shows must not be of another value
    const shown = isOther || isMoved ? pane.show(path) : undefined;
    tree.select(path);
    if (isOther && path.length) await tree.reveal(path).catch(() => {}); // the pane says that it is not there
    await Promise.all([shown, edited]);
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
