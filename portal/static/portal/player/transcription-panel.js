// The panel of an automatic transcript, which htmx refreshes. A new transcript is shown at once, or after playback
// pauses: listening is not interrupted. core/htmx-parts.js announces it.
import { findElement } from "../../archive/core/dom.js";

const audio = document.querySelector("audio");
let state = document.getElementById("speech")?.dataset.state;

function reload() {
  const seconds = Math.floor(audio?.currentTime ?? 0);
  if (seconds > 0) location.replace(`?t=${seconds}#speech`);
  else location.reload();
}

document.addEventListener("htmx:afterSettle", () => {
  const panel = document.getElementById("speech");
  if (!panel || panel.dataset.state === state) return;
  state = panel.dataset.state;
  if (state !== "made") return;
  findElement(panel, "[data-show]")?.addEventListener("click", (event) => {
    event.preventDefault();
    reload();
  });
  if (!audio || audio.paused) reload();
  else audio.addEventListener("pause", reload, { once: true });
});
