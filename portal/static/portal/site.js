// What every page needs: colours, things that open and close, copying, answers within a blink. Forms work without it.
import { startClocks } from "./clock.js";
import { switchColours } from "./colours.js";
import { copyLines } from "./copy.js";
import { closeFolds } from "./folds.js";
import { say } from "./live.js";

switchColours();
closeFolds();
copyLines();

// A form that was sent says so, and is not sent twice
document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (event.defaultPrevented || event.target.method !== "post" || !button) return;
  if (button.getAttribute("aria-busy") === "true") event.preventDefault();
  else button.setAttribute("aria-busy", "true");
});
addEventListener("pageshow", () => {
  for (const busy of document.querySelectorAll("button[aria-busy]")) busy.removeAttribute("aria-busy");
});

// The panel that htmx keeps fresh: its changes of state are read out, its progress is not
let before = document.getElementById("bundle")?.dataset.state;
let held = false; // the button that had the focus was swapped away: what comes in its place gets it
document.addEventListener("htmx:beforeSwap", () => {
  if (document.activeElement?.closest("#bundle")) held = true;
  else if (document.activeElement !== document.body) held = false;
});
document.addEventListener("htmx:afterSettle", () => {
  const bundle = document.getElementById("bundle");
  if (!bundle || bundle.dataset.state === before) return;
  before = bundle.dataset.state;
  say(bundle.dataset.say);
  if (held) bundle.querySelector("a.button, button")?.focus({ preventScroll: true });
});
document.addEventListener("htmx:responseError", ({ detail }) => {
  // Gone, or signed out meanwhile: the page itself says it best.
  if ([401, 403, 404, 410].includes(detail.xhr.status)) location.reload();
});

startClocks();
