// The transcript follows playback: the current line is highlighted, and the page scrolls along while that line is on
// screen. A click on a line seeks to it, and the arrow keys move between lines.
import { closestElement } from "../core/dom.js";

const SCROLL_PAUSE = 4000; // ms without automatic scrolling after the reader scrolled

/**
 * A transcript may have thousands of lines, so nothing here iterates over them after the start.
 *
 * @param {HTMLElement[]} lines
 * @param {number[]} starts seconds
 * @param {(seconds: number) => void} seek called for a chosen line
 * @returns {(seconds: number, how: "played" | "sought" | "linked") => void} shows a position, and how it came about
 */
export function followLines(lines, starts, seek) {
  const list = lines[0]?.parentElement;
  if (!list) return () => {};
  const focus = makeRovingFocus(lines);
  let current = -1;
  let scrolledAt = -Infinity; // ms

  list.addEventListener("keydown", (event) => moveFocus(event, lines, focus));
  list.addEventListener("click", (event) => {
    const line = closestElement(event.target, "li");
    const opensTab = event.ctrlKey || event.metaKey || event.shiftKey; // the line's link, in another tab
    if (!line || opensTab || closestElement(event.target, "label")) return; // a checkbox beside the line does not seek
    if (!closestElement(event.target, ".stamp") && !getSelection()?.isCollapsed) return;
    event.preventDefault();
    seek(starts[lines.indexOf(line)]);
  });
  for (const name of ["wheel", "touchmove", "keydown", "pointerdown"]) {
    document.addEventListener(
      name,
      () => {
        scrolledAt = performance.now();
      },
      { passive: true },
    );
  }

  // A reader who is elsewhere on the page stays there.
  const isToScroll = {
    played: (/** @type {HTMLElement} */ line, /** @type {boolean} */ wasOnScreen) =>
      wasOnScreen && !isOnScreen(line, 0.75) && performance.now() - scrolledAt > SCROLL_PAUSE,
    sought: (/** @type {HTMLElement} */ line) =>
      list.getBoundingClientRect().top < readingArea().top && !isOnScreen(line),
    linked: () => true,
  };
  return (seconds, how) => {
    const index = seconds > 0 ? findLine(starts, seconds + 0.05, current) : -1;
    if (index === current && how === "played") return;
    const wasOnScreen = current >= 0 && isOnScreen(lines[current]);
    lines[current]?.classList.remove("now");
    lines[current]?.removeAttribute("aria-current");
    current = index;
    const line = lines[index];
    if (!line) return;
    line.classList.add("now");
    line.setAttribute("aria-current", "true");
    const active = document.activeElement;
    if (!list.contains(active)) focus(index);
    if (!active?.closest("[data-find]") && isToScroll[how](line, wasOnScreen)) scrollToLine(line);
  };
}

/**
 * Make one line the only Tab stop of the list; arrow keys move from there.
 *
 * @param {HTMLElement[]} lines
 * @returns {(index: number) => HTMLElement} moves the Tab stop, and returns its element
 */
function makeRovingFocus(lines) {
  const linkOf = (/** @type {number} */ index) => /** @type {HTMLElement} */ (lines[index].firstElementChild);
  for (let index = 1; index < lines.length; index += 1) linkOf(index).tabIndex = -1;
  let stop = 0;
  return (index) => {
    linkOf(stop).tabIndex = -1;
    stop = index;
    linkOf(stop).tabIndex = 0;
    return linkOf(stop);
  };
}

/**
 * @param {KeyboardEvent} event
 * @param {HTMLElement[]} lines
 * @param {(index: number) => HTMLElement} focus
 */
function moveFocus(event, lines, focus) {
  const line = closestElement(event.target, "li");
  if (!line || event.ctrlKey || event.metaKey || event.altKey) return;
  /** @type {Record<string, Element | null | undefined>} */
  const targets = {
    ArrowDown: line.nextElementSibling,
    ArrowUp: line.previousElementSibling,
    Home: lines[0],
    End: lines.at(-1),
  };
  const target = targets[event.key];
  if (!(target instanceof HTMLElement)) return;
  event.preventDefault();
  focus(lines.indexOf(target)).focus();
}

/** Where lines can be read: below the player if it stays at the top. With a short transcript it scrolls away. */
function readingArea() {
  const bar = document.querySelector(".listen-bar");
  const stays = bar && getComputedStyle(bar).position === "sticky";
  const top = stays ? Math.max(0, bar.getBoundingClientRect().bottom) : 0;
  return { top, height: Math.max(0, innerHeight - top) };
}

/**
 * Whether the start of the line is on screen, in the upper `part` of what can be read.
 *
 * @param {HTMLElement} line
 */
function isOnScreen(line, part = 1) {
  const { top, height } = readingArea();
  const y = line.getBoundingClientRect().top;
  return y >= top - 1 && y < top + height * part;
}

/**
 * Scroll the line into the upper third of what can be read. Lines that were never on screen have an estimated height,
 * so this repeats for a few frames, until the heights are known.
 *
 * @param {HTMLElement} line
 */
export function scrollToLine(line, frames = 4) {
  const { top, height } = readingArea();
  scrollBy({ top: line.getBoundingClientRect().top - top - height / 3, behavior: "instant" });
  if (frames) requestAnimationFrame(() => scrollToLine(line, frames - 1));
}

/**
 * The last line that starts at or before `seconds`, or -1. Usually it is `previous`, or the one after it.
 *
 * @param {number[]} starts seconds
 * @param {number} seconds
 */
export function findLine(starts, seconds, previous = -1) {
  for (const guess of [previous, previous + 1]) {
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
