// Who speaks when, in the colors of the speakers: drawn as a track, and the source of the waveform's colors.
import { getElement } from "../core/dom.js";

const SVG = "http://www.w3.org/2000/svg";
const MAX_SEGMENTS = 150;

/**
 * @typedef {object} Segment
 * @property {number} start seconds
 * @property {number} end seconds
 * @property {string} speaker CSS class, "v0" to "v9"
 */

/**
 * The transcript lines as numbers. A line without an end lasts until the next one, or until the end.
 *
 * @param {HTMLElement[]} lines
 * @param {number} length seconds
 * @returns {Segment[]}
 */
export function readTimes(lines, length) {
  const starts = lines.map((line) => Number(line.dataset.start));
  return lines.map((line, index) => ({
    start: starts[index],
    end: Number(line.dataset.end ?? starts[index + 1] ?? length),
    speaker: /\bv\d\b/.exec(line.className)?.[0] ?? "v0",
  }));
}

/**
 * Segments to draw: consecutive lines of one speaker are joined. A long recording is divided into slots, each of which
 * shows the speaker who speaks longest in it.
 *
 * @param {Segment[]} times
 * @param {number} length seconds
 * @returns {Segment[]}
 */
export function mergeSegments(times, length) {
  /** @type {Segment[]} */
  const segments = [];
  for (const { start, end, speaker } of times) {
    const last = segments.at(-1);
    if (last?.speaker === speaker && start - last.end < 1) last.end = end;
    else segments.push({ start, end, speaker });
  }
  return segments.length <= MAX_SEGMENTS ? segments : sampleSegments(segments, length);
}

/**
 * @param {Segment[]} segments
 * @param {number} length seconds
 * @returns {Segment[]}
 */
function sampleSegments(segments, length) {
  /** @type {Map<string, number>[]} speaker to seconds, for each slot */
  const slots = Array.from({ length: MAX_SEGMENTS }, () => new Map());
  const width = length / MAX_SEGMENTS;
  for (const { start, end, speaker } of segments) {
    for (let slot = Math.floor(start / width); slot < MAX_SEGMENTS && slot * width < end; slot += 1) {
      const seconds = Math.min(end, (slot + 1) * width) - Math.max(start, slot * width);
      slots[slot].set(speaker, (slots[slot].get(speaker) ?? 0) + seconds);
    }
  }
  return slots.flatMap((seconds, slot) => {
    const [speaker] = [...seconds].reduce((best, next) => (next[1] > best[1] ? next : best), ["", width / 4]);
    return speaker ? [{ start: slot * width, end: (slot + 0.85) * width, speaker }] : [];
  });
}

/**
 * A rectangle on the track.
 *
 * @param {number} start seconds
 * @param {number} end seconds
 * @param {number} length seconds
 * @param {string} className
 * @param {number} [minWidth] percent
 */
export function makeBar(start, end, length, className, minWidth = 0.15) {
  const rect = document.createElementNS(SVG, "rect");
  rect.setAttribute("class", className);
  rect.setAttribute("x", `${(100 * start) / length}%`);
  rect.setAttribute("width", `${Math.max(minWidth, (100 * (end - start)) / length)}%`);
  rect.setAttribute("height", "100%");
  return rect;
}

/**
 * Draw the segments twice, pale and full, and clip the full ones to what was played.
 *
 * @param {HTMLElement} track
 * @param {Segment[]} segments
 * @param {number} length seconds
 * @returns {(seconds: number) => void} shows a position
 */
export function drawSpeakerTrack(track, segments, length) {
  const bars = segments.map(({ start, end, speaker }) => makeBar(start, end, length, `said ${speaker}`));
  if (!bars.length) bars.push(makeBar(0, length, length, "line")); // without a transcript, speakers are unknown
  getElement(track, ".ahead", SVGElement).replaceChildren(...bars);
  getElement(track, ".past", SVGElement).replaceChildren(...bars.map((bar) => bar.cloneNode()));
  const played = getElement(track, "clipPath rect", SVGElement);
  return (seconds) => played.setAttribute("width", `${(100 * seconds) / length}%`);
}
