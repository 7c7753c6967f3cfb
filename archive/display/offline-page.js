// The script of index.html in a bundle, opened from a disk: nothing is fetched. esbuild joins it with its imports into
// offline-page.bundle.js (`make` does this; see package.json), since browsers load no modules over file:.
import WaveSurfer from "wavesurfer.js";
import { mountCopyButtons } from "../static/archive/core/clipboard.js";
import { startClocks } from "../static/archive/core/clock.js";
import { mountDisclosures } from "../static/archive/core/disclosures.js";
import { getElements } from "../static/archive/core/dom.js";
import { mountThemeSwitch } from "../static/archive/core/theme-switch.js";
import { LOCAL_FILE } from "../static/archive/player/audio-source.js";
import { startPlayer } from "../static/archive/player/player.js";

mountThemeSwitch();
mountDisclosures();
mountCopyButtons();

const peaks = document.getElementById("peaks")?.textContent;
const waveform = Promise.resolve(peaks ? { WaveSurfer, peaks: JSON.parse(peaks) } : null);
for (const player of getElements(document, "[data-player]")) startPlayer(player, { source: LOCAL_FILE, waveform });

startClocks();
