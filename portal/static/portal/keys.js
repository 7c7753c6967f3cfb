// The keyboard, as players on the web have it. Never while somebody types, and never a key of the browser or system.

const STEPS = { ArrowLeft: -5, ArrowRight: 5, j: -10, J: -10, l: 10, L: 10 };
const KEY = "keys-everywhere";

export function listenToKeys(player, { skip, toggle, faster, tenth }) {
  const everywhere = document.getElementById(KEY);
  everywhere.checked = remembered() !== "no";
  everywhere.addEventListener("change", () => remember(everywhere.checked ? "yes" : "no"));

  const act = ({ key, code }) => {
    if (key === " " || key === "k" || key === "K") return toggle();
    if (STEPS[key]) return skip(STEPS[key]);
    if (key === "<" || key === ">") return faster(key === ">" ? 1 : -1);
    if (/^[0-9]$/.test(key) && /^(Digit|Numpad)/.test(code)) return tenth(Number(key));
    return false;
  };
  document.addEventListener("keydown", (event) => {
    const { target, key } = event;
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (event.shiftKey && key.startsWith("Arrow")) return; // that selects text
    if (player.inert || types(target) || (key === " " && presses(target))) return;
    if (!everywhere.checked && !player.contains(target)) return;
    const find = document.querySelector("[data-find] input");
    if (key === "/" && find) find.focus();
    else if (act(event) === false) return;
    event.preventDefault();
  });
}

// Whether keys are text, or choices, where the focus is.
function types(element) {
  const quiet = "input:not([type=range], [type=checkbox]), textarea, select";
  return element.isContentEditable || element.matches?.(quiet);
}

// Whether the space bar presses what has the focus.
function presses(element) {
  return Boolean(element.closest?.("button, a, summary, input[type=checkbox]"));
}

function remembered() {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null; // storage is switched off
  }
}

function remember(choice) {
  try {
    localStorage.setItem(KEY, choice);
  } catch {
    // Not remembered, but done.
  }
}
