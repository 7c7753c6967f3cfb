// What every page needs: colours, things that open and close, copying, answers within a blink. Forms work without it.
import { startClocks } from "./clock.js";

const root = document.documentElement;

// Colours: automatic, light, dark
const themes = { auto: "automatic", light: "light", dark: "dark" };
const themeSwitch = document.querySelector("[data-theme-switch]");
const showTheme = (theme) => {
  const use = themeSwitch.querySelector("use");
  use.setAttribute("href", `${use.dataset.sprite}#${theme}`);
  themeSwitch.setAttribute("aria-label", `Colours: ${themes[theme]}`);
  themeSwitch.title = `Colours: ${themes[theme]}`;
};
if (themeSwitch) {
  showTheme(root.dataset.theme ?? "auto");
  themeSwitch.addEventListener("click", () => {
    const names = Object.keys(themes);
    const next = names[(names.indexOf(root.dataset.theme ?? "auto") + 1) % names.length];
    if (next === "auto") delete root.dataset.theme;
    else root.dataset.theme = next;
    try {
      localStorage.setItem("theme", next);
    } catch {
      // Not remembered, but shown.
    }
    showTheme(next);
    say(`Colours: ${themes[next]}`);
  });
}

// Whoever is signed in gets the times in their mail in the zone of the browser that they used last
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && !document.body.classList.contains("anonymous") && !document.cookie.split("; ").includes(`zone=${zone}`)) {
  document.cookie = `zone=${zone}; path=/; max-age=${365 * 86400}; samesite=lax${location.protocol === "https:" ? "; secure" : ""}`;
}

// Menus and reasons: one open at a time; Escape and a click elsewhere close them
const closing = "details[data-closes][open]";
document.addEventListener("click", ({ target }) => {
  for (const open of document.querySelectorAll(closing)) if (!open.contains(target)) open.open = false;
});
document.addEventListener("keydown", ({ key }) => {
  if (key !== "Escape") return;
  for (const open of document.querySelectorAll(closing)) {
    open.open = false;
    if (open.contains(document.activeElement)) open.querySelector("summary").focus();
  }
});
document.addEventListener("focusout", ({ target, relatedTarget }) => {
  const open = target.closest(closing);
  if (open && relatedTarget && !open.contains(relatedTarget)) open.open = false;
});
for (const why of document.querySelectorAll("details[data-hover]")) {
  const summary = why.querySelector("summary");
  let shown = 0;
  const show = () => {
    shown = Date.now();
    why.open = true;
  };
  why.addEventListener("pointerenter", ({ pointerType }) => pointerType === "mouse" && show());
  why.addEventListener("pointerleave", ({ pointerType }) => {
    if (pointerType === "mouse" && document.activeElement !== summary) why.open = false;
  });
  summary.addEventListener("focus", () => summary.matches(":focus-visible") && show());
  // The press that follows the opening by hover or focus must not close it again.
  summary.addEventListener("click", (event) => why.open && Date.now() - shown < 400 && event.preventDefault());
}

// Copying a line of code
document.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-copy]");
  if (!button) return;
  const code = button.parentElement.querySelector("code");
  try {
    await navigator.clipboard.writeText(code.textContent.trim());
    say("Copied.");
    button.querySelector("use").setAttribute("href", button.querySelector("use").getAttribute("href").replace("#copy", "#check"));
  } catch {
    getSelection().selectAllChildren(code);
    say("Selected: copy it with the keyboard.");
  }
});

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
export function say(words) {
  const live = document.getElementById("live");
  if (live && words) live.textContent = words;
}
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
