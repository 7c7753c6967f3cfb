// The script of every page: theme, disclosures, copy buttons, clocks, htmx panels. Forms work without it.
import { announce } from "../../archive/core/announce.js";
import { mountCopyButtons } from "../../archive/core/clipboard.js";
import { startClocks } from "../../archive/core/clock.js";
import { mountDisclosures } from "../../archive/core/disclosures.js";
import { findElement } from "../../archive/core/dom.js";
import { mountThemeSwitch } from "../../archive/core/theme-switch.js";
import { gettext } from "../../archive/core/translate.js";
import { BACKGROUND, startLive } from "./live.js";
import { mountLocalTimes, mountTimeZone, mountUtcSwitch } from "./local-times.js";
import { isAnythingTyped, keepTyped, restoreTyped } from "./typed-text.js";

mountThemeSwitch();
mountDisclosures();
mountCopyButtons();
mountTimeZone();
mountForms();
markPolling();
loadHtmxParts();
mountDownloads();
mountNotices();
mountLocalTimes();
document.addEventListener("htmx:afterSettle", mountLocalTimes);
mountUtcSwitch();
mountExclusiveBoxes();
startClocks();
startLive();

/** Load parts that htmx replaces; if none is polled, the page loads first. */
function loadHtmxParts() {
  const load = () => import("./htmx-parts.js").then(({ mountHtmxParts }) => mountHtmxParts());
  if (document.querySelector("[data-announce]")) load();
  else setTimeout(load, 2e3);
}

/** Mark background requests of htmx, which don't keep a session alive (portal/sign_in/sessions.py). */
function markPolling() {
  document.addEventListener("htmx:configRequest", (event) => {
    const { headers, triggeringEvent } = /** @type {CustomEvent} */ (event).detail;
    if (!triggeringEvent) headers[BACKGROUND] = "1";
  });
}

/** One box of a group means all of the others ("Everything"): ticking it clears them, and ticking one of them clears it. */
function mountExclusiveBoxes() {
  for (const group of document.querySelectorAll("[data-exclusive]")) {
    group.addEventListener("change", ({ target }) => {
      if (!(target instanceof HTMLInputElement) || !target.checked) return;
      const isAll = (/** @type {Element} */ box) => box.id === group.getAttribute("data-exclusive");
      for (const box of group.querySelectorAll("input")) if (isAll(box) !== isAll(target)) box.checked = false;
    });
  }
}

/** Mark the button of a submitted form as busy, and do not submit it twice. */
function mountForms() {
  document.addEventListener("submit", (event) => {
    const button = event.submitter;
    const form = /** @type {HTMLFormElement} */ (event.target);
    if (event.defaultPrevented || form.method !== "post" || !button) return;
    if (button.getAttribute("aria-busy") === "true") return event.preventDefault();
    button.setAttribute("aria-busy", "true");
    keepTyped(form);
  });
  if (isAnythingTyped()) restoreTyped();
  addEventListener("pageshow", () => {
    for (const button of document.querySelectorAll("button[aria-busy]")) button.removeAttribute("aria-busy");
  });
}

/**
 * Start downloads automatically when they are ready: in rows of lists, on the page of a Space after a click, and on the
 * open page of an export.
 */
function mountDownloads() {
  document.addEventListener("submit", async (event) => {
    const form = /** @type {HTMLFormElement} */ (event.target);
    if (!form.matches("[data-download]") || event.defaultPrevented) return;
    event.preventDefault();
    const { downloadRow } = await import("./row-download.js");
    downloadRow(form);
  });
  if (document.getElementById("choose")) import("./choose.js").then(({ mountChoice }) => mountChoice());

  let isWanted = Boolean(
    document.querySelector("#volumes[hx-get]") && !document.querySelector("#volumes [data-starts]"),
  );
  document.addEventListener("htmx:beforeRequest", ({ target }) => {
    if (target instanceof HTMLFormElement && target.closest("#bundle")) isWanted = true;
  });
  document.addEventListener("htmx:afterSettle", () => {
    const link = findElement(document, "#bundle [data-starts], #volumes [data-starts]", HTMLAnchorElement);
    if (!link || !isWanted) return;
    isWanted = false;
    location.assign(link.href);
  });
}

/** After a notice was dismissed, the button of the next one gets the focus. */
function mountNotices() {
  document.addEventListener("htmx:afterSettle", ({ target }) => {
    if (!(target instanceof HTMLElement) || target.id !== "notes") return;
    announce(gettext("Dismissed."));
    const next = findElement(target, "button") ?? document.getElementById("main");
    next?.focus({ preventScroll: true });
  });
}
