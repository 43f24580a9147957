/** The state of a session: a tree of its values. */
import { part, text } from "./parts.js";

/** @param {import("./inspector.js").Context} context @returns {import("./inspector.js").Panel} */
export function statePanel({ ask, place }) {
  const element = part("state");
  const tree = part("tree", "div", { role: "tree", "aria-label": "state" });
  element.append(tree);

  async function show() {
    const { session, version } = place();
    if (!session) return;
    const { nodes } = await ask("open", { session, version });
    tree.replaceChildren(
      ...nodes.rows.map((/** @type {any} */ node) => {
        const row = part("node", "div", { role: "treeitem" });
        row.append(text("key", node.key), text("brief", ` ${node.brief}`));
        return row;
      }),
    );
  }
  return { element, show, moved: show };
}
