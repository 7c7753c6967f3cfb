// Look up elements together with their type. A missing element is a bug in a template, so getElement throws.

/**
 * The first element below `root` that matches.
 *
 * @template {Element} [T=HTMLElement]
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => T} [type]
 * @returns {T}
 */
export function getElement(root, selector, type) {
  const element = findElement(root, selector, type);
  if (!element) throw new Error(`no ${type?.name ?? "HTMLElement"} matches ${selector}`);
  return element;
}

/**
 * The first element below `root` that matches, or null.
 *
 * @template {Element} [T=HTMLElement]
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => T} [type]
 * @returns {T | null}
 */
export function findElement(root, selector, type) {
  return asElement(root.querySelector(selector), type);
}

/**
 * All elements below `root` that match and have this type.
 *
 * @template {Element} [T=HTMLElement]
 * @param {ParentNode} root
 * @param {string} selector
 * @param {new () => T} [type]
 * @returns {T[]}
 */
export function getElements(root, selector, type) {
  const elements = [];
  for (const match of root.querySelectorAll(selector)) {
    const element = asElement(match, type);
    if (element) elements.push(element);
  }
  return elements;
}

/**
 * The target of an event, or its nearest ancestor, that matches.
 *
 * @template {Element} [T=HTMLElement]
 * @param {EventTarget | null} target
 * @param {string} selector
 * @param {new () => T} [type]
 * @returns {T | null}
 */
export function closestElement(target, selector, type) {
  return target instanceof Element ? asElement(target.closest(selector), type) : null;
}

/**
 * A copy of the first element in a <template>.
 *
 * @param {ParentNode} root
 * @param {string} selector
 * @returns {HTMLElement}
 */
export function cloneTemplate(root, selector) {
  const element = asElement(getElement(root, selector, HTMLTemplateElement).content.firstElementChild);
  if (!element) throw new Error(`the template ${selector} is empty`);
  return /** @type {HTMLElement} */ (element.cloneNode(true));
}

/**
 * @template {Element} [T=HTMLElement]
 * @param {Element | null} element
 * @param {new () => T} [type]
 * @returns {T | null}
 */
function asElement(element, type) {
  const expected = /** @type {new () => T} */ (type ?? /** @type {unknown} */ (HTMLElement));
  return element instanceof expected ? element : null;
}

/**
 * Point the icon of a button at another symbol of the same sprite.
 *
 * @param {ParentNode} root
 * @param {string} symbol
 */
export function setIcon(root, symbol) {
  const use = getElement(root, "use", SVGUseElement);
  use.setAttribute("href", (use.getAttribute("href") ?? "").replace(/#.*$/, `#${symbol}`));
}
