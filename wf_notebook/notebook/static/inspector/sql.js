import { part } from "./parts.js";

/** @param {import("./inspector.js").Context} context @returns {import("./inspector.js").Panel} */
export function sqlPanel(context) {
  return { element: part("sql"), show() {}, moved() {} };
}
