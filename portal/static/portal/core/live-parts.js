// Replace the parts of a page that are marked with data-live by those of a newer copy of the page.
import { getElements } from "../../archive/core/dom.js";

/** @typedef {{process: (element: Element) => void}} Htmx */

/** Parts of fresh copies that are already on the page. Parts in use are retried later. */
const placed = new WeakSet();

/**
 * Replace the parts that differ in the fresh copy. Returns whether a part was skipped because the reader is using it.
 *
 * @param {Document} fresh
 */
export function replaceParts(fresh) {
  let skipped = false;
  /** @type {(old: HTMLElement, part: Element | null | undefined) => void} */
  const replace = (old, part) => {
    if (part && placed.has(part)) return;
    if (isInUse(old)) {
      skipped = true;
    } else if (part) {
      placed.add(part);
      old.replaceWith(withOpenDetails(old, document.importNode(part, true)));
    } else {
      old.remove();
    }
  };
  for (const old of getElements(document, "[id][data-live], #bell, #notes")) {
    replace(old, fresh.getElementById(old.id));
  }
  for (const row of getElements(document, "li[data-space]")) replaceRow(row, fresh, replace);
  return skipped;
}

/**
 * A row stays where it is, with its download; its states and its clock are replaced.
 *
 * @param {HTMLElement} row
 * @param {Document} fresh
 * @param {(old: HTMLElement, part: Element | undefined) => void} replace
 */
function replaceRow(row, fresh, replace) {
  const newer = fresh.querySelector(`li[data-space="${CSS.escape(row.dataset.space ?? "")}"]`);
  if (!newer) {
    if (!row.contains(document.activeElement)) row.remove();
    return;
  }
  const parts = getElements(newer, "[data-live]");
  getElements(row, "[data-live]").forEach((old, index) => {
    replace(old, parts[index]);
  });
  for (const control of getElements(row, ".do")) control.hidden = !newer.querySelector(".do");
}

/** @param {HTMLElement} part */
function isInUse(part) {
  return part.contains(document.activeElement) || hasUnsentText(part);
}

/**
 * Whether the reader typed or chose something that was not sent.
 *
 * @param {ParentNode} root
 */
export function hasUnsentText(root) {
  const fields = root.querySelectorAll("main textarea, main input, main select, textarea");
  return [...fields].some((field) => {
    if (field instanceof HTMLTextAreaElement) return field.value !== field.defaultValue;
    if (field instanceof HTMLSelectElement) return false;
    if (!(field instanceof HTMLInputElement) || !field.form || field.form.method !== "post") return false;
    return field.value !== field.defaultValue || field.checked !== field.defaultChecked;
  });
}

/**
 * Open explanations in the new part that were open in the old one.
 *
 * @param {ParentNode} old
 * @param {ParentNode} part
 */
export function keepDetailsOpen(old, part) {
  const before = getElements(old, "details", HTMLDetailsElement);
  getElements(part, "details", HTMLDetailsElement).forEach((details, index) => {
    if (before[index]?.open) details.open = true;
  });
}

/**
 * @param {HTMLElement} old
 * @param {Element} part
 */
function withOpenDetails(old, part) {
  keepDetailsOpen(old, part);
  if (old instanceof HTMLDetailsElement) part.toggleAttribute("open", old.open);
  const { htmx } = /** @type {{htmx?: Htmx}} */ (/** @type {unknown} */ (globalThis));
  htmx?.process(part);
  return part;
}
