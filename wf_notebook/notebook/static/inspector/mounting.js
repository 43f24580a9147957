/** Where an inspector is in a page: in the place of its static tree, wherever and however often that is shown. */
import { text } from "./parts.js";

const LEFT = "this is what it was; run the cell again to look further";

/** Dress the page once, whatever number of inspectors it shows. @param {string} css */
function dress(css) {
  const id = "wf-inspector-style";
  if (document.getElementById(id)?.textContent === css) return;
  document.getElementById(id)?.remove();
  document.head.append(Object.assign(document.createElement("style"), { id, textContent: css }));
}

/**
 * Take the place of each static tree, now or later, until the kernel is gone: then each has its place again.
 * @param {import("./asking.js").Model} model
 * @param {(model: import("./asking.js").Model, el: Element) => () => void} build
 * @returns {() => void}
 */
export function mounting(model, build) {
  const places = document.getElementsByClassName(`wf-inspector-${model.get("key")}`);
  /** @type {Map<Element, { end: () => void, was: ChildNode[] }>} */
  const built = new Map();

  function look() {
    for (const place of places) {
      if (built.has(place)) continue;
      const was = [...place.childNodes];
      built.set(place, { was, end: build(model, place) });
    }
    for (const [place, { end }] of built) {
      if (place.isConnected) continue;
      end();
      built.delete(place);
    }
  }
  const observer = new MutationObserver(look);

  function leave() {
    observer.disconnect();
    model.off("comm_live_update", leave);
    for (const [place, { end, was }] of built) {
      end();
      place.replaceChildren(...was, text("was", LEFT, "p"));
    }
    built.clear();
  }

  dress(model.get("_css"));
  observer.observe(document.body, { childList: true, subtree: true });
  model.on("comm_live_update", leave); // as when the kernel is restarted
  look();
  return leave;
}
