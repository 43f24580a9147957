/** The state of a session: a tree of its values. */
import { editor } from "./edit.js";
import { part, text } from "./parts.js";

/** @param {import("./inspector.js").Context} context @returns {import("./inspector.js").Panel} */
export function statePanel(context) {
  const { ask, go, place } = context;
  const edits = editor(context);
  const element = part("state");
  const tree = part("tree", "div", { role: "tree", "aria-label": "state" });
  element.append(tree, edits.element);

  async function show() {
    const { session, version } = place();
    if (!session) return;
    const edited = edits.show();
    const { nodes } = await ask("open", { session, version });
    tree.replaceChildren(
      ...nodes.rows.map((/** @type {any} */ node) => {
        const row = part("node", "div", { role: "treeitem" });
        row.append(text("key", node.key), text("brief", ` ${node.brief}`));
        row.addEventListener("click", () => go({ path: [node.step] }));
        return row;
      }),
    );
    await edited;
  }
  return { element, show, moved: show };
}
