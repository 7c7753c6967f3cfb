// Keep each deadline on the page current: text, bar, color, and the time in the reader's own zone.
import { findElement, getElement, getElements } from "./dom.js";
import { formatTimeLeft } from "./format.js";
import { gettext, interpolate, locale } from "./translate.js";

const DAY = 864e5; // ms
const DATE = new Intl.DateTimeFormat(locale, { day: "numeric", month: "long", year: "numeric" });
const TIME = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", timeZoneName: "short" });

/**
 * The current time, ms, by the server's clock, unless it differs by less than 30 s from this machine's. A page restored
 * from the history has an old server time, which is ignored.
 */
export function now() {
  return Date.now() + offset;
}

function measureOffset() {
  const served = document.documentElement.dataset.now; // not on a page opened from a disk
  const [navigation] = performance.getEntriesByType("navigation");
  const restored = navigation instanceof PerformanceNavigationTiming && navigation.type === "back_forward";
  if (served === undefined || restored) return 0;
  const difference = Number(served) * 1000 - Date.now();
  return Math.abs(difference) > 30e3 ? difference : 0;
}
const offset = measureOffset();

/**
 * The color class for a deadline.
 *
 * @param {number} milliseconds until the deadline
 * @param {DOMStringMap} clock the class that the server chose; `left` on the page of a copy that stays
 */
function toneOf(milliseconds, { clock: rendered, left }) {
  if (milliseconds <= 0) return "gone";
  if (left) return rendered ?? "calm";
  if (milliseconds <= DAY) return "urgent";
  if (milliseconds <= 7 * DAY) return "soon";
  return rendered === "kept" ? "kept" : "calm";
}

/** @param {HTMLElement} clock */
function update(clock) {
  const until = Date.parse(clock.dataset.until ?? "");
  const ended = Date.parse(clock.dataset.ended ?? "");
  const remaining = until - now();
  const label = getElement(clock, ".clock-words");
  const left = interpolate(clock.dataset.left ?? "%(left)s", { left: formatTimeLeft(remaining) });
  const text = remaining > 0 ? left : (clock.dataset.over ?? gettext("Deleted"));
  if (label.textContent !== text) label.textContent = text;
  clock.classList.remove("calm", "soon", "urgent", "kept", "gone");
  clock.classList.add(toneOf(remaining, clock.dataset));
  const percent = Math.min(100, Math.max(0, (100 * (now() - ended)) / (until - ended))).toFixed(2);
  getElement(clock, ".bar .past", SVGElement).setAttribute("width", `${percent}%`);
  findElement(clock, ".bar .now", SVGElement)?.setAttribute("cx", `${percent}%`);
  getElement(clock, ".dial .past", SVGElement).setAttribute("stroke-dasharray", `${percent} 100`);
  if (remaining <= 0) closeContent(clock);
}

/**
 * Show the notice that the deadline has passed, and disable the Space's content. "deadline" tells other scripts.
 *
 * @param {HTMLElement} clock
 */
function closeContent(clock) {
  const notice = clock.parentElement && findElement(clock.parentElement, "[data-clock-over]");
  if (!notice?.hidden) return;
  notice.hidden = false;
  document.dispatchEvent(new Event("deadline"));
  document.querySelector("audio")?.pause();
  for (const part of getElements(document, "[data-content]")) part.inert = true;
}

/** @type {Map<HTMLElement, number>} the clocks of the page, with the timers of those that end within a day */
const clocks = new Map();

/** Find the clocks of the page: at first, and after some were replaced. */
export function findClocks() {
  for (const [clock, timer] of clocks) {
    if (clock.isConnected) continue;
    clearTimeout(timer);
    clocks.delete(clock);
  }
  for (const clock of getElements(document, "[data-clock][data-until]")) {
    if (clocks.has(clock)) continue;
    // Update at the deadline itself, not up to 15 seconds later.
    const remaining = Date.parse(clock.dataset.until ?? "") - now();
    const isSoon = remaining > 0 && remaining < DAY;
    clocks.set(clock, isSoon ? setTimeout(() => update(clock), remaining + 250) : 0);
    const until = new Date(clock.dataset.until ?? "");
    const zone = findElement(clock, ".clock-zone"); // in a list, the time itself is in the reader's zone
    if (zone) {
      zone.textContent = interpolate(gettext("in your time: %(day)s, %(time)s"), {
        day: DATE.format(until),
        time: TIME.format(until),
      });
    }
    update(clock);
  }
}

export function startClocks() {
  findClocks();
  const updateAll = () => {
    for (const clock of clocks.keys()) update(clock);
  };
  setInterval(updateAll, 15e3);
  document.addEventListener("visibilitychange", updateAll);
}
