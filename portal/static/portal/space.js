// The page of a Space in the portal: the player, with what comes over the network.
import { storeAddress } from "./address.js";
import { startPlayer } from "./player.js";

// The peaks and what draws them; null where there are none.
async function drawing({ peaks }) {
  if (!peaks) return null;
  const [answer, { default: WaveSurfer }] = await Promise.all([
    fetch(peaks),
    import("../wavesurfer/wavesurfer.esm.js"),
  ]);
  return answer.ok ? { WaveSurfer, peaks: (await answer.json()).peaks } : null;
}

for (const player of document.querySelectorAll("[data-player]")) {
  startPlayer(player, { address: storeAddress(player), drawing: drawing(player.dataset) });
}
