// Poll /state every half minute, and replace changed parts: the bell on every page; on pages with Spaces also clocks,
// states and flags. This never moves the focus, stops the player, or changes text that is being typed.
import { announce } from "../../archive/core/announce.js";
import { findClocks } from "../../archive/core/clock.js";
import { mountHover } from "../../archive/core/disclosures.js";
import { findElement, getElements } from "../../archive/core/dom.js";
import { gettext, interpolate } from "../../archive/core/translate.js";
import { hasUnsentText, replaceParts } from "./live-parts.js";
import { mountLocalTimes } from "./local-times.js";

/** @typedef {{notices: number, version: string, gone?: boolean, until?: string | null, flags?: number, appeals?: number}} State */

export const BACKGROUND = "X-Background"; // portal/http.py
const PAUSE = 25e3; // ms, and up to 5 s more, so that not all pages ask at once
const LONGEST_PAUSE = 5 * 60e3; // ms, after errors
const SHORTEST_PAUSE = 2e3; // ms, between two requests when the page is focused again and again
const RETRY = 3e3; // ms, until parts that were in use are looked at again
const MAX_COUNTED = 99; // notices: archive/notices

/** site.js loads it soon after the page, so that it is available when the server is down. */
const loadNotes = () => import("./htmx-parts.js");
const ignore = () => {};

export function startLive() {
  if (document.getElementById("bell")) new LivePage(document.getElementById("live-page")).start();
}

class LivePage {
  #etag = "";
  #errors = 0;
  #asking = false;
  #askedAt = 0;
  #timer = 0;
  #retry = 0;

  /** @param {HTMLElement | null} page with the Spaces that it shows, if it shows any */
  constructor(page) {
    this.page = page;
    const ids = page?.dataset.spaces?.split(" ") ?? [];
    this.url = `/state?${new URLSearchParams(ids.map((id) => ["spaces", id]))}`;
  }

  start() {
    this.#plan();
    document.addEventListener("visibilitychange", () => this.#wake());
    addEventListener("focus", () => this.#wake());
    document.addEventListener("deadline", () => this.#ask());
  }

  #wake() {
    clearTimeout(this.#timer);
    if (document.hidden) return;
    if (Date.now() - this.#askedAt > SHORTEST_PAUSE) this.#ask();
    else this.#plan();
  }

  /** @param {number} [pause] ms */
  #plan(pause = Math.min(PAUSE * 2 ** this.#errors, LONGEST_PAUSE) + 5e3 * Math.random()) {
    clearTimeout(this.#timer);
    if (!document.hidden) this.#timer = setTimeout(() => this.#ask(), pause);
  }

  async #ask() {
    if (this.#asking || document.hidden) return;
    this.#asking = true;
    this.#askedAt = Date.now();
    let pause;
    try {
      const state = await this.#fetchState();
      this.#errors = 0;
      if (state) pause = await this.#compare(state);
      this.#removeNote();
    } catch {
      this.#errors += 1;
      this.#showNote();
    } finally {
      this.#asking = false;
    }
    if (pause !== Infinity) this.#plan(pause);
  }

  /**
   * The state, or null if it is the same as last time.
   *
   * @returns {Promise<State | null>}
   */
  async #fetchState() {
    const response = await fetch(this.url, { headers: { [BACKGROUND]: "1", "If-None-Match": this.#etag } });
    if (response.status === 304) return null;
    if (response.redirected) this.#endSession(); // to the sign-in page
    if (!response.ok || response.redirected) throw new Error(`state: ${response.status}`);
    this.#etag = response.headers.get("ETag") ?? "";
    return response.json();
  }

  /** Say that the page is outdated. A single failure is ignored: the server restarts, or the computer just woke up. */
  #showNote() {
    const main = document.getElementById("main");
    if (!main || !this.page || this.#errors < 2) return;
    const text = gettext("This page could not be updated. We will retry automatically.");
    loadNotes().then(({ showOutdated }) => showOutdated(main, text), ignore);
  }

  #removeNote() {
    document.querySelector("#main > [data-outdated]")?.remove();
  }

  /** Hide the content of Spaces. */
  #endSession() {
    if (this.page) leave();
    loadNotes().then(({ showSignedOut }) => showSignedOut(), ignore);
  }

  /**
   * Replace changed parts. Returns the pause until the next request, if it is not the usual one.
   *
   * @param {State} state
   * @returns {Promise<number | undefined>}
   */
  async #compare(state) {
    if (state.gone) return leave();
    const page = this.page;
    const isChanged = page !== null && state.version !== page.dataset.version;
    // This page's clock has reached the deadline, but the server's has not yet: keep polling.
    const isOver = page && findElement(page, "[data-clock-over]:not([hidden])");
    if (isOver) this.#etag = "";
    const bell = document.getElementById("bell");
    const isCounted = !bell || String(state.notices) === bell.dataset.count;
    if (!isChanged && isCounted) return isOver ? 3e3 : undefined;
    if (!page) showCount(bell, state.notices);
    else return this.#update(page);
  }

  /** @param {HTMLElement} page */
  async #update(page) {
    const fresh = await fetchPage();
    const newer = fresh?.getElementById("live-page");
    if (!fresh || !newer) return leave();
    const before = { ...page.dataset };
    replaceData(page, newer);
    this.#replace(fresh);
    if (before.version !== newer.dataset.version) announce(describeChange(before, newer));
  }

  /**
   * Replace the parts that the reader is not using, and those in use as soon as they are not.
   *
   * @param {Document} fresh
   */
  #replace(fresh) {
    clearTimeout(this.#retry);
    const skipped = replaceParts(fresh);
    findClocks();
    mountLocalTimes();
    for (const part of getElements(document, "[data-live]")) mountHover(part);
    if (skipped) this.#retry = setTimeout(() => this.#replace(fresh), RETRY);
  }
}

/**
 * How many notices are open. On pages with Spaces the bell is replaced with the rest (templates/notices/bell.html).
 *
 * @param {HTMLElement | null} bell
 * @param {number} count
 */
function showCount(bell, count) {
  if (!bell) return;
  bell.dataset.count = String(count);
  const text = count > MAX_COUNTED ? `${MAX_COUNTED}+` : String(count);
  const label = count ? interpolate(gettext("Notices: %(count)s new"), { count: text }) : gettext("Notices");
  bell.setAttribute("aria-label", label);
  findElement(bell, ".bell-count")?.remove();
  if (!count) return;
  const number = document.createElement("span");
  number.className = "bell-count";
  number.textContent = text;
  bell.append(number);
}

/** Reload the page, which explains that a Space is gone or the session ended; not while the reader is typing. */
function leave() {
  if (!hasUnsentText(document)) location.reload();
  return Infinity;
}

/**
 * Give `page` the data attributes of the fresh one, and no others: on hold it has no `until`.
 *
 * @param {HTMLElement} page
 * @param {HTMLElement} fresh
 */
function replaceData(page, fresh) {
  for (const name of Object.keys(page.dataset)) if (!(name in fresh.dataset)) delete page.dataset[name];
  Object.assign(page.dataset, fresh.dataset);
}

/** @returns {Promise<Document | null>} */
async function fetchPage() {
  const response = await fetch(location.href, { headers: { [BACKGROUND]: "1" } });
  if (response.status === 405) throw new Error("a refused form, whose address is no page");
  if (!response.ok || response.redirected) return null;
  return new DOMParser().parseFromString(await response.text(), "text/html");
}

/**
 * Describe the change in a sentence, with the time left.
 *
 * @param {DOMStringMap} before
 * @param {HTMLElement} page
 */
function describeChange(before, page) {
  const after = page.dataset;
  if (after.flags === undefined) return gettext("The list was updated.");
  const label = findElement(page, ".clock-words")?.textContent ?? "";
  return `${sentence(before, after)} ${label}`;
}

/**
 * @param {DOMStringMap} before
 * @param {DOMStringMap} after
 */
function sentence(before, after) {
  if (Number(after.flags) > Number(before.flags)) return gettext("This Space was flagged.");
  if (Number(after.flags) < Number(before.flags)) return gettext("A flag was lifted.");
  if (Number(after.appeals) > Number(before.appeals)) return gettext("An appeal was sent.");
  if (Number(after.appeals) < Number(before.appeals)) return gettext("An appeal was decided.");
  if (!after.until && before.until) return gettext("This Space is on legal hold.");
  if (after.until && !before.until) return gettext("The legal hold was released.");
  if (after.until !== before.until) return gettext("The deadline moved.");
  return gettext("This page was updated.");
}
