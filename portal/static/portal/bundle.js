// index.html of a bundle, opened from the disk: everything is in the page or lies beside it, and nothing is fetched.
// archive/display/assets.py joins it with what it imports.
import WaveSurfer from "../wavesurfer/wavesurfer.esm.js";
import { FILE } from "./address.js";
import { startClocks } from "./clock.js";
import { switchColours } from "./colours.js";
import { copyLines } from "./copy.js";
import { closeFolds } from "./folds.js";
import { startPlayer } from "./player.js";

switchColours();
closeFolds();
copyLines();

const peaks = document.getElementById("peaks");
const drawing = Promise.resolve(peaks && { WaveSurfer, peaks: JSON.parse(peaks.textContent) });
for (const player of document.querySelectorAll("[data-player]")) startPlayer(player, { address: FILE, drawing });

startClocks();
