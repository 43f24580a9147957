/** A tree of values: nodes are asked for when they are opened, and changed in place when something was saved. */
import { arrange, isShortcut, latest, part, roving, say, text, trying } from "./parts.js";

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
 * @property {ReturnType<typeof latest>} last
 */

const MARKS = { added: "+ added", changed: "~ changed", within: "·", removed: "- removed" };

/** @param {{ ask: (op: string, fields: object) => Promise<any>, pick: (path: import("./inspector.js").Step[]) => void }} context */
export function treeView({ ask, pick }) {
  const element = part("tree", "div", { role: "tree", ariaLabel: "state" });
  const { items, reach } = roving(element, "[role=treeitem]", (line) => choose(/** @type {TreeNode} */ (ofLine.get(line))));
  /** @type {WeakMap<Element, TreeNode>} */
  const ofLine = new WeakMap();
  let root = made({ key: "", count: 0, mark: null }, [], 0);
  let selected = "[]";

  /** @param {TreeRow} row @param {import("./inspector.js").Step[]} path @param {number} level @returns {TreeNode} */
  function made(row, path, level) {
    const line = part("node", "div", { role: "treeitem", tabIndex: -1, ariaLevel: `${level}` });
    const below = part("below", "div", { role: "none" });
    const node = { row, told: "", path, level, line, below, element: part("branch", "div", { role: "none" }, line, below), nodes: [], isOpen: false, last: latest() };
    line.style.setProperty("--wf-level", `${Math.min(level, 40)}`);
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
      line.classList.toggle("wfi-gone", row.mark === "removed");
      if (row.mark) {
        const mark = text("mark", MARKS[row.mark]);
        mark.dataset.mark = row.mark;
        mark.title = row.mark === "within" ? "something in it changed" : "since the version before";
        line.append(" ", mark);
      }
      for (const name of /** @type {const} */ (["long", "type", "size", "brief"])) if (row[name]) line.append(" ", text(name, row[name] ?? ""));
    }
    line.ariaExpanded = row.count ? `${node.isOpen}` : null;
    line.ariaSelected = `${"step" in row && JSON.stringify(node.path) === selected}`;
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
      each.line.ariaPosInSet = `${number + 1}`;
      each.line.ariaSetSize = `${rows.length}`;
      paint(each);
      return each;
    });
    arrange(node === root ? element : node.below, node.nodes.map((each) => each.element));
    if (node === root && !total && !rows.length) say(element, "nothing is in this state");
    reach();
  }

  /** Ask what is below a node, first as quickly as can be, then with what changed. @param {TreeNode} node @param {any} [first] what is known already */
  async function load(node, first) {
    const { path, row, last } = node;
    const range = "start" in row ? { start: row.start, count: row.count } : {};
    for (const marks of [false, true]) {
      const answer = await last(!marks && first ? Promise.resolve(first) : ask("children", { path, ...range, marks }));
      if (!answer) return;
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
    node.last();
    node.nodes = [];
    node.below.replaceChildren();
    paint(node);
    if (held) node.line.focus();
  }
  /** @param {TreeNode} node */
  const toggle = (node) => (node.isOpen ? shut(node) : trying(element, () => open(node)));
  /** @param {TreeNode} node */
  function choose(node) {
    if (node.row.step != null) pick(node.path);
    else if (node.row.count) toggle(node);
  }

  element.addEventListener("click", (event) => {
    const line = /** @type {Element} */ (event.target).closest("[role=treeitem]");
    const node = line && ofLine.get(line);
    if (!node) return;
    node.line.focus();
    const onSign = event.clientX < node.line.getBoundingClientRect().left + parseFloat(getComputedStyle(node.line).paddingLeft);
    if (onSign || node.row.step == null) return toggle(node);
    pick(node.path);
    trying(element, () => open(node));
  });
  element.addEventListener("keydown", (event) => {
    const { key, target } = event;
    const node = ofLine.get(/** @type {Element} */ (target));
    if (!node || isShortcut(event)) return;
    if (key === "ArrowRight") {
      if (node.isOpen) node.nodes[0]?.line.focus();
      else toggle(node);
    } else if (key === "ArrowLeft") {
      if (node.isOpen) shut(node);
      else /** @type {HTMLElement | null | undefined} */ (node.element.parentElement?.previousElementSibling)?.focus();
    } else if (/^\S$/.test(key)) {
      const all = items();
      [...all.slice(all.indexOf(node.line) + 1), ...all].find((line) => line.textContent?.toLowerCase().startsWith(key.toLowerCase()))?.focus();
    } else return;
    event.preventDefault();
  });

  /** Mark the node that is selected. @param {import("./inspector.js").Step[]} path */
  function select(path) {
    selected = JSON.stringify(path);
    for (const line of items()) paint(/** @type {TreeNode} */ (ofLine.get(line)));
  }

  return {
    element,
    select,
    /** Show another state from its first nodes on. @param {any} first */
    async begin(first) {
      root.last();
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
      reach(here.line);
      here.line.scrollIntoView({ block: "nearest" });
    },
  };
}
