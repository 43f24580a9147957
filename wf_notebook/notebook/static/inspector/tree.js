/** A tree of values: nodes are asked for when they are opened, and changed in place when something was saved. */
import { part, say, text } from "./parts.js";

/**
 * @typedef {object} TreeRow  a node as the kernel tells of it; a range has a `start`, what is not there any more a `gone`
 * @property {string} key
 * @property {number} count  so many nodes are below it
 * @property {"added" | "changed" | "within" | "removed" | null} mark
 * @property {import("./inspector.js").Step | null} [step]
 * @property {import("./inspector.js").Step} [gone]
 * @property {number} [start]
 * @property {string} [long]  the length of a key that is cut
 * @property {string} [type]
 * @property {string} [size]
 * @property {string} [brief]
 */
/**
 * @typedef {object} TreeNode
 * @property {TreeRow} row
 * @property {string} told  the row as it is shown
 * @property {import("./inspector.js").Step[]} path
 * @property {number} level
 * @property {HTMLElement} element
 * @property {HTMLElement} line
 * @property {HTMLElement} below
 * @property {TreeNode[]} nodes
 * @property {boolean} isOpen
 * @property {number} asked
 */

const MARKS = { added: "+ added", changed: "~ changed", within: "·", removed: "- removed" };

/** @param {{ ask: (op: string, fields: object) => Promise<any>, pick: (path: import("./inspector.js").Step[]) => void, fail: (error: any) => void }} context */
export function treeView({ ask, pick, fail }) {
  const element = part("tree", "div", { role: "tree", "aria-label": "state" });
  /** @type {WeakMap<Element, TreeNode>} */
  const ofLine = new WeakMap();
  let root = made({ key: "", count: 0, mark: null }, [], 0);
  /** @type {TreeNode | undefined} */
  let focused;
  let selected = "[]";

  /** @param {TreeRow} row @param {import("./inspector.js").Step[]} path @param {number} level @returns {TreeNode} */
  function made(row, path, level) {
    const node = { row, told: "", path, level, element: part("branch", "div", { role: "none" }), line: part("node", "div", { role: "treeitem", tabindex: "-1", "aria-level": `${level}` }), below: part("below", "div", { role: "none" }), nodes: [], isOpen: false, asked: 0 };
    node.line.style.setProperty("--wf-level", `${Math.min(level, 40)}`);
    node.element.append(node.line, node.below);
    ofLine.set(node.line, node);
    return node;
  }

  /** @param {TreeNode} node */
  function paint(node) {
    const { row, line } = node;
    const told = JSON.stringify(row);
    if (told !== node.told) {
      node.told = told;
      line.replaceChildren(text("key", row.key));
      line.classList.toggle("wf-inspector-gone", row.mark === "removed");
      if (row.mark) {
        const mark = text("mark", MARKS[row.mark]);
        mark.dataset.mark = row.mark;
        mark.title = row.mark === "within" ? "something in it changed" : "since the version before";
        line.append(" ", mark);
      }
      for (const name of /** @type {const} */ (["long", "type", "size", "brief"])) if (row[name]) line.append(" ", text(name, row[name] ?? ""));
    }
    if (row.count) line.setAttribute("aria-expanded", String(node.isOpen));
    else line.removeAttribute("aria-expanded");
    line.setAttribute("aria-selected", String("step" in row && JSON.stringify(node.path) === selected));
  }

  /** What a node is told apart by from those beside it. @param {TreeRow} row */
  const named = (row) => ("start" in row ? `from ${row.start}` : "gone" in row ? `gone ${row.gone}` : JSON.stringify(row.step));

  /** Show these rows below a node; those that were there already stay. @param {TreeNode} node @param {TreeRow[]} rows @param {number} total */
  function fill(node, rows, total) {
    const known = new Map(node.nodes.map((each) => [named(each.row), each]));
    node.nodes = rows.map((row, number) => {
      const name = named(row);
      const path = row.step == null ? node.path : [...node.path, row.step];
      const each = known.get(name) ?? made(row, path, node.level + 1);
      known.delete(name);
      each.row = row;
      if (!row.count && each.isOpen) shut(each);
      each.line.setAttribute("aria-posinset", `${number + 1}`);
      each.line.setAttribute("aria-setsize", `${rows.length}`);
      paint(each);
      return each;
    });
    for (const gone of known.values()) gone.element.remove();
    const below = node === root ? element : node.below;
    node.nodes.forEach((each, number) => {
      if (below.children[number] !== each.element) below.insertBefore(each.element, below.children[number] ?? null);
    });
    if (node === root && !total && !rows.length) say(element, "nothing is in this state");
    if (!focused?.line.isConnected) focusable(root.nodes[0]);
  }

  /** Ask what is below a node, first as quickly as can be, then with what changed. @param {TreeNode} node @param {any} [first] what is known already */
  async function load(node, first) {
    const now = (node.asked += 1);
    const { path, row } = node;
    const range = "start" in row ? { start: row.start, count: row.count } : {};
    for (const marks of [false, true]) {
      const answer = (!marks && first) || (await ask("children", { path, ...range, marks }).catch((error) => void (node.asked === now && fail(error))));
      if (node.asked !== now || !answer) return;
      // Marks that were shown stay until it is known what they are now.
      if (!answer.marked && !marks && node.nodes.length && !first) continue;
      fill(node, answer.rows, answer.total);
      if (answer.marked) return;
    }
  }

  /** @param {TreeNode} node @param {any} [first] */
  async function open(node, first) {
    if (node.isOpen || !node.row.count) return;
    node.isOpen = true;
    paint(node);
    await load(node, first);
  }
  /** @param {TreeNode} node */
  function shut(node) {
    const held = node.below.contains(document.activeElement);
    node.isOpen = false;
    node.asked += 1;
    node.nodes = [];
    node.below.replaceChildren();
    paint(node);
    if (held) focus(node);
  }
  /** @param {TreeNode} [node] */
  function focusable(node) {
    focused?.line.setAttribute("tabindex", "-1");
    focused = node;
    node?.line.setAttribute("tabindex", "0");
  }
  /** @param {TreeNode} [node] */
  function focus(node) {
    if (!node) return;
    focusable(node);
    node.line.focus();
  }
  /** @param {TreeNode} node */
  const toggle = (node) => (node.isOpen ? shut(node) : open(node));
  /** @param {TreeNode} node */
  function choose(node) {
    if (node.row.step != null) pick(node.path);
    else if (node.row.count) toggle(node);
  }
  const lines = () => [...element.querySelectorAll("[role=treeitem]")];
  /** @param {number | string} to */
  function move(to) {
    const all = lines();
    const here = focused ? all.indexOf(focused.line) : -1;
    const at = typeof to === "number" ? all[here + to] : [...all.slice(here + 1), ...all].find((line) => line.textContent?.toLowerCase().startsWith(to));
    if (at) focus(ofLine.get(at));
  }

  element.addEventListener("click", (event) => {
    const line = /** @type {Element} */ (event.target).closest("[role=treeitem]");
    const node = line && ofLine.get(line);
    if (!node) return;
    focus(node);
    const onSign = event.clientX < node.line.getBoundingClientRect().left + parseFloat(getComputedStyle(node.line).paddingLeft);
    if (onSign) toggle(node);
    else {
      choose(node);
      if (node.row.step != null) open(node);
    }
  });
  element.addEventListener("keydown", (event) => {
    const node = focused;
    if (!node || event.ctrlKey || event.metaKey || event.altKey) return;
    /** @type {Record<string, () => void>} */
    const keys = {
      ArrowDown: () => move(1),
      ArrowUp: () => move(-1),
      ArrowRight: () => void (node.isOpen ? focus(node.nodes[0]) : open(node)),
      ArrowLeft: () => (node.isOpen ? shut(node) : focus(ofLine.get(node.element.parentElement?.previousElementSibling ?? element))),
      Home: () => focus(root.nodes[0]),
      End: () => focus(ofLine.get(lines().at(-1) ?? element)),
      Enter: () => choose(node),
      " ": () => choose(node),
    };
    const does = keys[event.key] ?? (/^\S$/.test(event.key) ? () => move(event.key.toLowerCase()) : null);
    if (!does) return;
    event.preventDefault();
    event.stopPropagation(); // the notebook has keys of its own
    does();
  });

  /** Mark the node that is selected. @param {import("./inspector.js").Step[]} path */
  function select(path) {
    selected = JSON.stringify(path);
    for (const line of lines()) paint(/** @type {TreeNode} */ (ofLine.get(line)));
  }

  return {
    element,
    select,
    /** Show another state from its first nodes on. @param {any} first */
    async begin(first) {
      root.asked += 1;
      root = made({ key: "", count: 0, mark: null }, [], 0);
      root.isOpen = true;
      element.replaceChildren();
      await load(root, first);
    },
    /** Show what became of the nodes that are open. @param {any} first */
    async refresh(first) {
      /** @param {TreeNode} node @param {any} [known] */
      const renew = async (node, known) => {
        await load(node, known);
        await Promise.all(node.nodes.filter((each) => each.isOpen).map((each) => renew(each)));
      };
      await renew(root, first.marked ? first : undefined);
    },
    /** Open all that leads to a node, and bring it into view. @param {import("./inspector.js").Step[]} path */
    async reveal(path) {
      select(path);
      const wanted = JSON.stringify(path);
      const { places, answers } = await ask("way", { path });
      let here = root;
      let told = 1; // the first of all is there
      for (const [depth, place] of places.entries()) {
        if (depth) await open(here, answers[told++]);
        const step = JSON.stringify(path[depth]);
        for (;;) {
          const next = here.nodes.find(({ row }) => named(row) === step || (row.start !== undefined && place >= row.start && place < row.start + row.count));
          if (!next || wanted !== selected) return;
          here = next;
          if (named(here.row) === step) break;
          await open(here, answers[told++]);
        }
      }
      focusable(here);
      here.line.scrollIntoView({ block: "nearest" });
    },
  };
}
