// The page of a Space in the portal: the player, with audio and waveform from the network.
import { getElements } from "../../archive/core/dom.js";
import { signedSource } from "../../archive/player/audio-source.js";
import { startPlayer } from "../../archive/player/player.js";

/** @import { WaveformData } from "../../archive/player/waveform.js" */

/**
 * The peaks, and the library that draws them; null without peaks.
 *
 * @param {string | undefined} url
 * @returns {Promise<WaveformData | null>}
 */
async function loadWaveform(url) {
  if (!url) return null;
  const [response, { default: WaveSurfer }] = await Promise.all([
    fetch(url),
    import("../../wavesurfer/wavesurfer.esm.js"),
  ]);
  return response.ok ? { WaveSurfer, peaks: (await response.json()).peaks } : null;
}

for (const player of getElements(document, "[data-player]")) {
  startPlayer(player, { source: signedSource(player), waveform: loadWaveform(player.dataset.peaks) });
}
