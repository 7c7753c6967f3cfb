// Choose transcript lines as evidence: keep the checkboxes beside the lines and the field with their numbers in sync.
// Without this script both are sent, and the server combines them.
import { announce } from "../../archive/core/announce.js";
import { closestElement, findElement, getElement, getElements } from "../../archive/core/dom.js";
import { interpolate, ngettext } from "../../archive/core/translate.js";

const CHECKBOX = 'input[name="line"]';

const list = getElement(document, "[data-lines]");
const field = getElement(document, "[data-evidence]", HTMLInputElement);
const checkboxes = getElements(list, CHECKBOX, HTMLInputElement);
const limit = Number(field.dataset.evidence);
let last = 0; // the number that was changed last: Shift selects from there
let tabStop = checkboxes[0];
let hasChosen = false; // since this script ran

/**
 * "12, 14-16" -> [12, 14, 15, 16], limited to the lines there are.
 *
 * @param {string} text
 * @param {number} count of lines
 */
export function parseNumbers(text, count) {
  const numbers = new Set();
  for (const [, first, end] of text.matchAll(/(\d+)(?:\s*[-–]\s*(\d+))?/g)) {
    for (let n = Math.max(1, Number(first)); n <= Math.min(Number(end ?? first), count); n += 1) numbers.add(n);
  }
  return [...numbers].sort((a, b) => a - b);
}

/**
 * [12, 14, 15, 16] -> "12, 14-16".
 *
 * @param {number[]} numbers
 */
export function formatNumbers(numbers) {
  /** @type {[number, number][]} */
  const ranges = [];
  for (const n of numbers) {
    const range = ranges.at(-1);
    if (range?.[1] === n - 1) range[1] = n;
    else ranges.push([n, n]);
  }
  return ranges.map(([first, end]) => (first === end ? `${first}` : `${first}-${end}`)).join(", ");
}

const checkedNumbers = () => checkboxes.filter(({ checked }) => checked).map(({ value }) => Number(value));

/**
 * @param {number} number
 * @param {boolean} checked
 * @param {boolean} extend to all lines since the last one that was changed
 */
function check(number, checked, extend) {
  const [from, to] = extend && last ? [Math.min(last, number), Math.max(last, number)] : [number, number];
  for (let n = from; n <= to; n += 1) checkboxes[n - 1].checked = checked;
  hasChosen = true;
  last = number;
  const numbers = checkedNumbers();
  field.value = formatNumbers(numbers);
  const count = numbers.length;
  const text =
    count > limit
      ? ngettext("%(count)s lines; at most %(limit)s fit", "%(count)s lines; at most %(limit)s fit", count)
      : ngettext("%(count)s lines chosen", "%(count)s lines chosen", count);
  announce(interpolate(text, { count, limit }));
}

/** @param {EventTarget | null} target */
function checkboxOfLine(target) {
  const line = closestElement(target, "li");
  return line && findElement(line, CHECKBOX, HTMLInputElement);
}

list.addEventListener("click", ({ target, shiftKey }) => {
  if (!(target instanceof HTMLInputElement) || !target.matches(CHECKBOX)) return;
  check(Number(target.value), target.checked, shiftKey);
});
list.addEventListener("keydown", (event) => {
  const checkbox = checkboxOfLine(event.target);
  if (!checkbox || event.key.toLowerCase() !== "x") return;
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  check(Number(checkbox.value), event.shiftKey || !checkbox.checked, event.shiftKey);
});
field.addEventListener("input", () => {
  hasChosen = true;
});
field.addEventListener("change", () => {
  const numbers = new Set(parseNumbers(field.value, checkboxes.length));
  for (const checkbox of checkboxes) checkbox.checked = numbers.has(Number(checkbox.value));
});

// A transcript has thousands of checkboxes: only the one of the focused line is a Tab stop.
for (const checkbox of checkboxes) checkbox.tabIndex = -1;
tabStop.tabIndex = 0;
list.addEventListener("focusin", ({ target }) => {
  const checkbox = checkboxOfLine(target);
  if (!checkbox) return;
  tabStop.tabIndex = -1;
  tabStop = checkbox;
  tabStop.tabIndex = 0;
});

// What the server sent back, typed or checked. When the page is opened again, browsers restore the ticks after this
// script ran, and not the field. Where somebody has chosen lines before the page was shown, that stays.
const combine = () => {
  if (hasChosen) return;
  for (const n of parseNumbers(field.value, checkboxes.length)) checkboxes[n - 1].checked = true;
  if (checkedNumbers().length) field.value = formatNumbers(checkedNumbers());
};
combine();
addEventListener("pageshow", combine);
