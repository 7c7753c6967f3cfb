// Notes that a page, or a part of it, does not show the present state.
import { announce } from "../../archive/core/announce.js";
import { findElement, getElements } from "../../archive/core/dom.js";
import { gettext } from "../../archive/core/translate.js";

const NOTE = ":scope > [data-outdated]"; // of the part itself, and not of one inside
const CURRENT = "[data-current]"; // says how things are now, so it is hidden with a note
const SIGNED_OUT = "signed-out";

/**
 * Show the note that `part` has for this, or one with `text`. Announced once.
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
export function isOutdated(part) {
  return findElement(part, `${NOTE}:not([hidden])`) !== null;
}

/** @param {HTMLElement} part whose note was added by `showOutdated`, and that is up to date again */
export function removeOutdated(part) {
  findElement(part, NOTE)?.remove();
}

export function isSignedOut() {
  return document.getElementById(SIGNED_OUT) !== null;
}

/** The session has ended. The link is this page, which asks to sign in, and is shown after that. */
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
