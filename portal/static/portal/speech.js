// An automatic transcript that has just been written appears by itself; but whoever is listening is not interrupted.
const audio = document.querySelector("audio");
let state = document.getElementById("speech")?.dataset.state;
let held = false; // the button that had the focus was swapped away

function say(words) {
  const live = document.getElementById("live");
  if (live && words) live.textContent = words;
}

function show() {
  const seconds = Math.floor(audio?.currentTime ?? 0);
  if (seconds > 0) location.replace(`?t=${seconds}#speech`);
  else location.reload();
}

document.addEventListener("htmx:beforeSwap", () => {
  if (document.activeElement?.closest("#speech")) held = true;
});
document.addEventListener("htmx:afterSettle", () => {
  const panel = document.getElementById("speech");
  if (!panel || panel.dataset.state === state) return;
  state = panel.dataset.state;
  say(panel.dataset.say);
  if (held) panel.querySelector("a, button")?.focus({ preventScroll: true });
  held = false;
  if (state !== "made") return;
  panel.querySelector("[data-show]")?.addEventListener("click", (event) => {
    event.preventDefault();
    show();
  });
  if (!audio || audio.paused) show();
  else audio.addEventListener("pause", show, { once: true });
});
