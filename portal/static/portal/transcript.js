// The transcript: the line being spoken is lit and kept in view, lines are walked with the arrow keys.

const PATIENCE = 4000; // ms for which whoever scrolls is reading: do not pull the page away from under them

// Returns a function to be told the seconds that are being heard, and whether somebody jumped there. `jump` is called
// with the seconds of a chosen line. A transcript may have thousands of lines: none of this walks through them again.
export function followLines(lines, starts, jump) {
  const list = lines[0]?.parentElement;
  if (!list) return () => {};
  const stampOf = (index) => lines[index].firstElementChild;
  let lit = -1;
  let reading = -Infinity;
  let stop = 0;

  // One stop for the Tab key; arrows walk from there.
  for (let index = 1; index < lines.length; index += 1) stampOf(index).tabIndex = -1;
  const reach = (index) => {
    stampOf(stop).tabIndex = -1;
    stop = index;
    stampOf(stop).tabIndex = 0;
  };
  list.addEventListener("keydown", (event) => {
    const line = event.target.closest("li");
    if (!line || event.ctrlKey || event.metaKey || event.altKey) return;
    const at = { ArrowDown: line.nextElementSibling, ArrowUp: line.previousElementSibling, Home: lines[0], End: lines.at(-1) };
    const to = at[event.key];
    if (!to) return;
    event.preventDefault();
    reach(lines.indexOf(to));
    to.firstElementChild.focus();
  });
  list.addEventListener("click", (event) => {
    const line = event.target.closest("li");
    const elsewhere = event.ctrlKey || event.metaKey || event.shiftKey; // its link, opened in another tab
    if (!line || elsewhere || event.target.closest("label")) return; // a tick beside the line is not a jump
    if (!event.target.closest(".stamp") && !getSelection().isCollapsed) return;
    event.preventDefault();
    jump(starts[lines.indexOf(line)]);
  });
  for (const name of ["wheel", "touchmove", "keydown", "pointerdown"]) {
    list.addEventListener(name, () => (reading = performance.now()), { passive: true });
  }

  return (seconds, jumped) => {
    const index = seconds > 0 ? lineAt(starts, seconds + 0.05, lit) : -1;
    if (index === lit && !jumped) return;
    lines[lit]?.classList.remove("now");
    lines[lit]?.removeAttribute("aria-current");
    lit = index;
    const line = lines[index];
    if (!line) return;
    line.classList.add("now");
    line.setAttribute("aria-current", "true");
    if (!list.contains(document.activeElement)) reach(index);
    if (performance.now() - reading > PATIENCE && !document.activeElement?.closest("[data-find]")) bring(list, line);
  };
}

// Into the list's upper third. Lines that were never on screen only have a guessed height, which is mended when they
// are: so it looks again in the next frames.
export function bring(list, line, frames = 4) {
  list.scrollTop = line.offsetTop - list.clientHeight / 3;
  if (frames) requestAnimationFrame(() => bring(list, line, frames - 1));
}

// The last line that begins at or before `seconds`, or -1. Mostly it is the same as before, or the one after it.
export function lineAt(starts, seconds, before = -1) {
  for (const guess of [before, before + 1]) {
    if (starts[guess] <= seconds && !(starts[guess + 1] <= seconds)) return guess;
  }
  let [low, high] = [0, starts.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (starts[middle] <= seconds) low = middle + 1;
    else high = middle;
  }
  return low - 1;
}
