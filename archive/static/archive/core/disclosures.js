// Menus and explanations (<details>): one open at a time; Escape, or a click elsewhere, closes them.
import { closestElement, getElement, getElements } from "./dom.js";

const OPEN = "details[data-closes][open]";

export function mountDisclosures() {
  document.addEventListener("click", ({ target }) => {
    for (const details of getElements(document, OPEN, HTMLDetailsElement)) {
      if (!details.contains(/** @type {Node | null} */ (target))) details.open = false;
    }
  });
  document.addEventListener("keydown", ({ key }) => {
    if (key !== "Escape") return;
    for (const details of getElements(document, OPEN, HTMLDetailsElement)) {
      details.open = false;
      if (details.contains(document.activeElement)) getElement(details, "summary").focus();
    }
  });
  document.addEventListener("focusout", ({ target, relatedTarget }) => {
    const details = closestElement(target, OPEN, HTMLDetailsElement);
    if (details && relatedTarget instanceof Node && !details.contains(relatedTarget)) details.open = false;
  });
  addEventListener("hashchange", openTarget);
  openTarget();
  mountHover(document);
}

/** A link to a section opens what is folded in it: `data-opens` is the id of the section. */
function openTarget() {
  const id = location.hash.slice(1);
  for (const details of getElements(document, "details[data-opens]", HTMLDetailsElement)) {
    if (details.dataset.opens === id) details.open = true;
  }
}

/**
 * Explanations that open on hover: of the page, and of parts that are put in later.
 *
 * @param {ParentNode} root
 */
export function mountHover(root) {
  getElements(root, "details[data-hover]", HTMLDetailsElement).forEach(openOnHover);
}

/** @param {HTMLDetailsElement} details */
function openOnHover(details) {
  const summary = getElement(details, "summary");
  let openedAt = 0;
  const open = () => {
    openedAt = Date.now();
    details.open = true;
  };
  details.addEventListener("pointerenter", ({ pointerType }) => {
    if (pointerType === "mouse") open();
  });
  details.addEventListener("pointerleave", ({ pointerType }) => {
    if (pointerType === "mouse" && document.activeElement !== summary) details.open = false;
  });
  summary.addEventListener("focus", () => {
    if (summary.matches(":focus-visible")) open();
  });
  // The click that follows opening by hover or focus must not close it again.
  summary.addEventListener("click", (event) => {
    if (details.open && Date.now() - openedAt < 400) event.preventDefault();
  });
  // A tap on the last row of a phone's screen would open it below the edge.
  summary.addEventListener("click", () => {
    requestAnimationFrame(() => {
      if (details.open) summary.nextElementSibling?.scrollIntoView({ block: "nearest" });
    });
  });
}
