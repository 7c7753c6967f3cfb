// Find text in the transcript: each match is marked in the text and on the waveform; Enter moves through the matches.
import { findElement, getElement } from "../core/dom.js";
import { gettext, interpolate, ngettext } from "../core/translate.js";
import { makeBar } from "./speaker-track.js";
import { parseTimecode } from "./timecode.js";
import { scrollToLine } from "./transcript.js";

const DEBOUNCE = 150; // ms
const MAX_TICKS = 400; // ticks that stay distinguishable on a waveform

/** @import { Segment } from "./speaker-track.js" */
/**
 * @typedef {object} Match
 * @property {number} index of the line
 * @property {Text} node
 * @property {number} start offset in the node
 * @property {number} end offset in the node
 */

/**
 * @param {HTMLElement[]} lines
 * @param {Segment[]} times of the lines
 * @param {number} length of the recording, seconds
 * @param {SVGElement} svg for ticks on the waveform
 */
export function mountTranscriptFind(lines, times, length, svg) {
  const form = findElement(document, "[data-find]", HTMLFormElement);
  if (!form) return;
  const input = getElement(form, "input", HTMLInputElement);
  const status = getElement(document, "[data-find-status]");
  const texts = lines.map((line) => line.lastElementChild?.lastElementChild?.firstChild);
  /** @type {Match[]} */
  let matches = [];
  let current = -1;
  let query = "";
  let timer = 0;

  const find = () => {
    const wanted = input.value.trim();
    if (wanted === query) return;
    query = wanted;
    matches = query ? findMatches(texts, query) : [];
    current = -1;
    highlight("found", matches);
    highlight("found-now", []);
    drawTicks(svg, matches, times, length);
    for (const button of form.querySelectorAll("button")) button.disabled = !matches.length;
    const count = matches.length;
    status.textContent = query ? interpolate(ngettext("%(count)s match", "%(count)s matches", count), { count }) : "";
  };
  const go = (/** @type {1 | -1} */ step) => {
    find();
    if (!matches.length) return;
    current = (current + step + matches.length + (current < 0 && step < 0 ? 1 : 0)) % matches.length;
    const match = matches[current];
    const line = lines[match.index];
    highlight("found-now", [match]);
    scrollToLine(line);
    svg.querySelector(".now")?.remove();
    svg.append(makeTick(match, times, length, "hit now"));
    status.textContent = interpolate(gettext("%(number)s of %(count)s"), {
      number: current + 1,
      count: matches.length,
    });
  };

  form.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(find, DEBOUNCE);
  });
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    go(event.submitter?.getAttribute("name") === "before" ? -1 : 1);
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape") {
      input.value = "";
      find();
    } else if (event.key === "Enter" && !event.isComposing) {
      event.preventDefault(); // the form's default would press its first button
      go(event.shiftKey ? -1 : 1);
    }
  });

  const findHash = () => {
    const wanted = new URLSearchParams(location.hash.slice(1)).get("find"); // from the search over all Spaces
    if (!wanted) return;
    input.value = wanted;
    find();
    const start = parseTimecode(new URLSearchParams(location.search).get("t") ?? "") ?? 0;
    current = matches.findIndex(({ index }) => times[index].end > start) - 1; // the line that was opened, not the first
    if (current < -1) current = -1;
    go(1);
  };
  addEventListener("hashchange", findHash);
  findHash();
}

/**
 * Each match in each text, ignoring case.
 *
 * @param {(Node | null | undefined)[]} texts
 * @param {string} query
 * @returns {Match[]}
 */
function findMatches(texts, query) {
  const pattern = new RegExp(query.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&"), "giu");
  return texts.flatMap((node, index) => {
    if (!(node instanceof Text)) return [];
    return Array.from(node.data.matchAll(pattern), ({ 0: text, index: start }) => ({
      index,
      node,
      start,
      end: start + text.length,
    }));
  });
}

/**
 * Mark text without changing the document, so that a thousand matches cost nothing. Browsers without this API still
 * count the matches, move through them and show ticks.
 *
 * @param {string} name
 * @param {Match[]} matches
 */
function highlight(name, matches) {
  if (!globalThis.Highlight) return;
  const ranges = matches.map(
    ({ node, start, end }) =>
      new StaticRange({ startContainer: node, startOffset: start, endContainer: node, endOffset: end }),
  );
  if (ranges.length) CSS.highlights.set(name, new Highlight(...ranges));
  else CSS.highlights.delete(name);
}

/**
 * Cues have no word timings, so interpolate by position in the text.
 *
 * @param {Match} match
 * @param {Segment[]} times
 * @param {number} length seconds
 * @param {string} className
 */
function makeTick({ index, node, start: offset }, times, length, className) {
  const { start, end } = times[index];
  const seconds = Math.min(length, start + ((end - start) * offset) / node.length);
  return makeBar(seconds, seconds, length, className, 0.25);
}

/**
 * @param {SVGElement} svg
 * @param {Match[]} matches
 * @param {Segment[]} times
 * @param {number} length seconds
 */
function drawTicks(svg, matches, times, length) {
  const ticks = new Map();
  for (const match of matches) {
    const step = Math.floor((MAX_TICKS * times[match.index].start) / length);
    const tick = makeTick(match, times, length, "hit");
    const key = `${step} ${matches.length > MAX_TICKS ? "" : tick.getAttribute("x")}`;
    if (!ticks.has(key)) ticks.set(key, tick);
  }
  svg.replaceChildren(...ticks.values());
}
