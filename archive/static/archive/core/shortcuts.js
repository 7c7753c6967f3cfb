// Keyboard shortcuts of the player, the same as other players on the web have. They are ignored while the reader types,
// and never replace a shortcut of the browser or the system.
import { findElement, getElement } from "./dom.js";

/** @type {Record<string, number>} */
const SKIPS = { ArrowLeft: -5, ArrowRight: 5, j: -10, J: -10, l: 10, L: 10 }; // seconds
const STORAGE_KEY = "keys-everywhere";

/**
 * @param {HTMLElement} player
 * @param {object} actions
 * @param {(seconds: number) => void} actions.skip
 * @param {() => void} actions.toggle play or pause
 * @param {(step: number) => void} actions.changeSpeed
 * @param {(tenth: number) => void} actions.goToTenth of the recording
 */
export function mountShortcuts(player, { skip, toggle, changeSpeed, goToTenth }) {
  const everywhere = getElement(document, "#keys-everywhere", HTMLInputElement);
  everywhere.checked = readSetting() !== "no";
  everywhere.addEventListener("change", () => storeSetting(everywhere.checked ? "yes" : "no"));

  /** @param {KeyboardEvent} event */
  const run = ({ key, code }) => {
    if (key === " " || key === "k" || key === "K") toggle();
    else if (SKIPS[key]) skip(SKIPS[key]);
    else if (key === "<" || key === ">") changeSpeed(key === ">" ? 1 : -1);
    else if (/^[0-9]$/.test(key) && /^(Digit|Numpad)/.test(code)) goToTenth(Number(key));
    else return false;
    return true;
  };
  document.addEventListener("keydown", (event) => {
    const { key } = event;
    const target = event.target instanceof HTMLElement ? event.target : document.body;
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.shiftKey && key.startsWith("Arrow")) return; // selects text
    if (player.inert || takesText(target) || (key === " " && isPressedBySpace(target))) return;
    if (!everywhere.checked && !player.contains(target)) return;
    const find = findElement(document, "[data-find] input");
    if (key === "/" && find) find.focus();
    else if (!run(event)) return;
    event.preventDefault();
  });
}

/**
 * Whether keys are text, or choose an option, while `element` has the focus.
 *
 * @param {HTMLElement} element
 */
function takesText(element) {
  return element.isContentEditable || element.matches("input:not([type=range], [type=checkbox]), textarea, select");
}

/**
 * Whether the space bar activates `element`.
 *
 * @param {HTMLElement} element
 */
function isPressedBySpace(element) {
  return Boolean(element.closest("button, a, summary, input[type=checkbox]"));
}

function readSetting() {
  try {
    return localStorage.getItem(STORAGE_KEY);
  } catch {
    return null; // storage is disabled
  }
}

/** @param {string} value */
function storeSetting(value) {
  try {
    localStorage.setItem(STORAGE_KEY, value);
  } catch {
    // Storage is disabled: the setting holds until the page is closed.
  }
}
