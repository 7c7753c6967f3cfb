// The waveform, drawn by wavesurfer.js from peaks that were computed when the recording was uploaded.
import { getElement } from "../core/dom.js";

/** @import WaveSurfer from "wavesurfer.js" */
/** @import { Segment } from "./speaker-track.js" */
/**
 * @typedef {object} WaveformData
 * @property {typeof WaveSurfer} WaveSurfer
 * @property {number[][]} peaks
 */

/**
 * Draw the waveform in place of the speaker track. wavesurfer.js does not get the audio element: the decoded length
 * counts, not the one in a file's header, and a seek is shown at once, also while the audio is still loading.
 *
 * @param {HTMLElement} player
 * @param {Promise<WaveformData | null>} waveform
 * @param {Segment[]} segments
 * @param {number} length seconds
 * @returns {Promise<((seconds: number) => void) | null>} shows a position; null without a waveform
 */
export async function drawWaveform(player, waveform, segments, length) {
  const data = await waveform;
  if (!data?.peaks) return null;
  const track = getElement(player, ".track");
  const wave = data.WaveSurfer.create({
    container: getElement(track, ".wave"),
    cspNonce: player.nonce,
    peaks: data.peaks,
    duration: length,
    height: "auto",
    normalize: true,
    barWidth: 2,
    barGap: 1,
    barRadius: 1,
    cursorWidth: 0,
    interact: false,
  });
  await new Promise((resolve) => wave.once("ready", resolve));
  const paint = () => {
    const pixels = wave.getWidth() * Math.max(1, devicePixelRatio);
    const color = makeColors(track, segments, length, pixels);
    wave.setOptions({ waveColor: color, progressColor: color });
  };
  paint();
  track.classList.add("waved");
  wave.on("resize", paint);
  new MutationObserver(paint).observe(document.documentElement, { attributeFilter: ["data-theme"] });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
  return (seconds) => wave.setTime(seconds);
}

/**
 * A gradient with the color of each speaker where they speak. The colors are read from the style sheet, which alone
 * knows light and dark.
 *
 * @param {HTMLElement} track
 * @param {Segment[]} segments
 * @param {number} length seconds
 * @param {number} width pixels
 * @returns {string | CanvasGradient}
 */
function makeColors(track, segments, length, width) {
  const fillOf = (/** @type {string} */ selector) => getComputedStyle(getElement(track, selector, SVGElement)).fill;
  if (!segments.length) return fillOf(".ahead .line");
  const gradient = document.createElement("canvas").getContext("2d")?.createLinearGradient(0, 0, width, 0);
  const silence = getComputedStyle(track).color;
  if (!gradient) return silence;
  const fills = new Map();
  const offsetOf = (/** @type {number} */ seconds) => Math.min(1, Math.max(0, seconds / length));
  let offset = 0;
  for (const { start, end, speaker } of segments) {
    if (!fills.has(speaker)) fills.set(speaker, fillOf(`.ahead .${speaker}`));
    const from = Math.max(offset, offsetOf(start));
    gradient.addColorStop(offset, silence);
    gradient.addColorStop(from, silence);
    offset = Math.max(from, offsetOf(end));
    gradient.addColorStop(from, fills.get(speaker));
    gradient.addColorStop(offset, fills.get(speaker));
  }
  gradient.addColorStop(offset, silence);
  gradient.addColorStop(1, silence);
  return gradient;
}
