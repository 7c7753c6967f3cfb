// What every page needs: colours, things that open and close, copying, answers within a blink. Forms work without it.
import { startClocks } from "./clock.js";
import { switchColours } from "./colours.js";
import { copyLines } from "./copy.js";
import { closeFolds } from "./folds.js";
import { say } from "./live.js";

switchColours();
closeFolds();
copyLines();

// Whoever is signed in gets the times in their mail in the zone of the browser that they used last
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && !document.body.classList.contains("anonymous") && !document.cookie.split("; ").includes(`zone=${zone}`)) {
  document.cookie = `zone=${zone}; path=/; max-age=${365 * 86400}; samesite=lax${location.protocol === "https:" ? "; secure" : ""}`;
}

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
// A note that was put away: the next one's button gets the focus
document.addEventListener("htmx:afterSettle", ({ target }) => {
  if (target.id !== "notes") return;
  say("Put away.");
  (target.querySelector("button") ?? document.getElementById("main")).focus({ preventScroll: true });
});
document.addEventListener("htmx:responseError", ({ detail }) => {
  // Gone, or signed out meanwhile: the page itself says it best.
  if ([401, 403, 404, 410].includes(detail.xhr.status)) location.reload();
});

startClocks();
