// Choosing lines of the transcript as evidence: the ticks beside the lines and the field with their numbers say the
// same. Without this, ticks and field are both sent, and count together.
import { say } from "./live.js";

const field = document.querySelector("[data-evidence]");
const list = document.querySelector("[data-lines]");
const ticks = [...list.querySelectorAll('input[name="line"]')];
const most = Number(field.dataset.evidence);
let last = 0; // the one ticked before, for a stretch
let stop = ticks[0];

// "12, 14-16" -> [12, 14, 15, 16], as far as there are such lines
export function numbersOf(typed, length) {
  const found = new Set();
  for (const [, first, end] of typed.matchAll(/(\d+)(?:\s*[-–]\s*(\d+))?/g)) {
    for (let n = Math.max(1, Number(first)); n <= Math.min(Number(end ?? first), length); n += 1) found.add(n);
  }
  return [...found].sort((a, b) => a - b);
}

// [12, 14, 15, 16] -> "12, 14-16"
export function written(numbers) {
  const runs = [];
  for (const n of numbers) {
    if (runs.at(-1)?.[1] === n - 1) runs.at(-1)[1] = n;
    else runs.push([n, n]);
  }
  return runs.map(([first, end]) => (first === end ? `${first}` : `${first}-${end}`)).join(", ");
}

const chosen = () => ticks.filter((tick) => tick.checked).map((tick) => Number(tick.value));

function tell() {
  const numbers = chosen();
  field.value = written(numbers);
  say(numbers.length > most ? `${numbers.length} lines; at most ${most} fit` : `${numbers.length} lines chosen`);
}

function tick(number, on, stretch) {
  const [from, to] = stretch && last ? [Math.min(last, number), Math.max(last, number)] : [number, number];
  for (let n = from; n <= to; n += 1) ticks[n - 1].checked = on;
  last = number;
  tell();
}

list.addEventListener("click", (event) => {
  const { target } = event;
  if (!target.matches('input[name="line"]')) return;
  tick(Number(target.value), target.checked, event.shiftKey);
});
list.addEventListener("keydown", (event) => {
  const own = event.target.closest("li")?.querySelector('input[name="line"]');
  if (!own || event.key.toLowerCase() !== "x" || event.ctrlKey || event.metaKey || event.altKey) return;
  event.preventDefault();
  tick(Number(own.value), event.shiftKey || !own.checked, event.shiftKey);
});
field.addEventListener("change", () => {
  const numbers = new Set(numbersOf(field.value, ticks.length));
  for (const one of ticks) one.checked = numbers.has(Number(one.value));
});

// One stop for the Tab key after that of the line: a transcript has thousands of ticks.
for (const one of ticks) one.tabIndex = -1;
stop.tabIndex = 0;
list.addEventListener("focusin", ({ target }) => {
  const own = target.closest("li")?.querySelector('input[name="line"]');
  if (!own) return;
  stop.tabIndex = -1;
  stop = own;
  stop.tabIndex = 0;
});

// What came back from the server, typed or ticked.
for (const n of numbersOf(field.value, ticks.length)) ticks[n - 1].checked = true;
if (chosen().length) field.value = written(chosen());
