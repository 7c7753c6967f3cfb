// Parts of a page that htmx replaces every few seconds or after a click. Open details stay open, the focus stays, and a
// new state is announced once. Failures are shown, because the old content would look current.
//
// `data-announce` of a part is the sentence to announce when its `data-state` (or the sentence itself) changes.
import { announce } from "../../archive/core/announce.js";
import { findElement, getElements } from "../../archive/core/dom.js";
import { gettext } from "../../archive/core/translate.js";
import { hasUnsentText, keepDetailsOpen } from "./live-parts.js";

const PART = "[id][data-announce]";
const CONTROLS = "summary, a[href], button";
const FAILURES = ["htmx:responseError", "htmx:sendError", "htmx:timeout"];
const NOTE = ":scope > [data-outdated]"; // of the part itself, and not of one inside
const CURRENT = "[data-current]"; // says how things are now, so it is hidden with a note
const SIGNED_OUT = "signed-out";
const EXPLAINED = [403, 404, 410]; // the page itself says best what was deleted, or who may see it

const FIRST_PAUSE = 2e3; // ms after a failure, and twice as long after each further one, up to
const LONGEST_PAUSE = 24e3; // ms, and up to a quarter more, so that not all pages ask at once

/**
 * Parts that could not be updated, by id: the number of failures in a row, and the time of the next attempt (ms).
 *
 * @type {Map<string, {failures: number, until: number}>}
 */
const pausing = new Map();

/** @typedef {{old: HTMLElement, focused: string | null}} Replaced */

export function mountHtmxParts() {
  /** @type {Map<string, Replaced>} */
  const replaced = new Map();
  document.addEventListener("htmx:beforeSwap", ({ target }) => {
    if (!(target instanceof HTMLElement) || !target.matches(PART)) return;
    replaced.set(target.id, { old: target, focused: nameFocus(target) });
  });
  document.addEventListener("htmx:afterSwap", () => {
    for (const [id, before] of replaced) {
      const part = document.getElementById(id);
      if (part && part !== before.old) restore(before, part);
    }
    replaced.clear();
  });
  for (const failure of FAILURES) document.addEventListener(failure, showFailure);
  document.addEventListener("htmx:beforeRequest", (event) => {
    const { detail } = /** @type {CustomEvent} */ (event);
    const isTooEarly = Date.now() < (pausing.get(detail.elt.id)?.until ?? 0);
    if ((isSignedOut() || isTooEarly) && isPolled(/** @type {CustomEvent} */ (event))) event.preventDefault();
  });
  document.addEventListener("htmx:afterRequest", (event) => {
    const { elt, successful } = /** @type {CustomEvent} */ (event).detail;
    if (successful) pausing.delete(elt.id);
  });
}

/** @param {string} id of a part that could not be updated: the server is down, or has too much to do */
function pause(id) {
  const failures = (pausing.get(id)?.failures ?? 0) + 1;
  const length = Math.min(FIRST_PAUSE * 2 ** (failures - 1), LONGEST_PAUSE) * (1 + Math.random() / 4);
  pausing.set(id, { failures, until: Date.now() + length });
}

/**
 * @param {Replaced} before
 * @param {HTMLElement} part
 */
function restore({ old, focused }, part) {
  keepDetailsOpen(old, part);
  if (focused !== null) findFocus(part, focused)?.focus({ preventScroll: true });
  const wasOutdated = isOutdated(old);
  if (!wasOutdated && stateOf(part) === stateOf(old)) return;
  announce(part.dataset.announce || (wasOutdated ? gettext("This page was updated.") : ""));
}

/** @param {HTMLElement} part */
function stateOf(part) {
  return part.dataset.state ?? part.dataset.announce;
}

/**
 * The name of the control in `part` that has the focus, or null.
 *
 * @param {HTMLElement} part
 */
function nameFocus(part) {
  const control = getElements(part, CONTROLS).find((one) => one === document.activeElement);
  return control ? nameOf(control) : null;
}

/**
 * The control with this name, or the first one, because a pressed button disappears when its work is done.
 *
 * @param {HTMLElement} part
 * @param {string} name
 */
function findFocus(part, name) {
  const controls = getElements(part, CONTROLS);
  return controls.find((one) => nameOf(one) === name) ?? controls.find((one) => one.matches("a.button, button"));
}

/** @param {HTMLElement} control */
function nameOf(control) {
  return control.getAttribute("aria-label") ?? control.textContent.trim();
}

/** @param {Event} event of htmx, after a request that failed */
function showFailure(event) {
  const { elt, xhr, target } = /** @type {CustomEvent} */ (event).detail;
  const polled = isPolled(/** @type {CustomEvent} */ (event));
  if (polled) pause(elt.id);
  if (xhr.status === 401) return showSignedOut();
  if (EXPLAINED.includes(xhr.status)) {
    if (!polled || !hasUnsentText(document)) location.reload();
    return;
  }
  if (!(target instanceof HTMLElement)) return;
  if (polled) showOutdated(target, gettext("This could not be updated. We will retry automatically."));
  else showOutdated(target, gettext("The server did not answer. Try again."));
}

/** @param {CustomEvent} event of htmx. Whether this was a background request of the page. */
function isPolled(event) {
  return !event.detail.requestConfig.triggeringEvent;
}

/**
 * Show the note of `part` for this case, or one with `text`. Announced once.
 *
 * @param {HTMLElement} part
 * @param {string} text
 */
export function showOutdated(part, text) {
  if (isSignedOut()) return; // which says why
  const note = findElement(part, NOTE) ?? addNote(part, text);
  if (!note.hidden) return;
  note.hidden = false;
  hideCurrent(part);
  announce(note.textContent.trim().replace(/\s+/g, " "));
}

/** @param {HTMLElement} part */
function isOutdated(part) {
  return findElement(part, `${NOTE}:not([hidden])`) !== null;
}

function isSignedOut() {
  return document.getElementById(SIGNED_OUT) !== null;
}

/** Say that the session has ended. The link leads back to this page after signing in. */
export function showSignedOut() {
  const main = document.getElementById("main");
  if (isSignedOut() || !main) return;
  const note = makeNote(gettext("You are signed out."));
  note.id = SIGNED_OUT;
  const link = document.createElement("a");
  link.href = location.href;
  link.textContent = gettext("Sign in again.");
  note.firstElementChild?.append(" ", link);
  main.prepend(note);
  hideCurrent(main);
  announce(note.textContent);
}

/**
 * @param {HTMLElement} part
 * @param {string} text
 */
function addNote(part, text) {
  const note = makeNote(text);
  note.dataset.outdated = "";
  note.hidden = true;
  part.prepend(note);
  return note;
}

/** @param {string} text */
function makeNote(text) {
  const note = document.createElement("div");
  note.className = "notice soon";
  const words = document.createElement("p");
  words.textContent = text;
  note.append(words);
  return note;
}

/** @param {ParentNode} root */
function hideCurrent(root) {
  for (const current of getElements(root, CURRENT)) current.hidden = true;
}
