// Store the position, speed and volume of each Space in this browser, until the Space is deleted.

const PREFIX = "player:";
const MARGIN = 5; // seconds at the start and at the end of a recording that are not worth remembering
const MAX_AGE = 120 * 86400e3; // ms; for Spaces on hold, which have no deadline

/**
 * @typedef {object} Place
 * @property {number} seconds
 * @property {number} speed
 * @property {number} volume from 0 to 1
 * @property {number} until when it is forgotten, ms since 1970
 */

/**
 * @param {string} space id
 * @returns {Place | null}
 */
export function recall(space) {
  removeExpired();
  try {
    const place = JSON.parse(localStorage.getItem(PREFIX + space) ?? "null");
    if (!Number.isFinite(place?.seconds) || !Number.isFinite(place?.speed)) return null;
    return { ...place, volume: place.volume >= 0 && place.volume <= 1 ? place.volume : 1 };
  } catch {
    return null; // storage is disabled, or something else was stored there
  }
}

/**
 * @param {string} space id
 * @param {number} seconds
 * @param {{speed: number, volume: number}} settings
 * @param {number} length of the recording, seconds
 */
export function remember(space, seconds, { speed, volume }, length) {
  const isInside = seconds > MARGIN && seconds < length - MARGIN;
  if (!isInside && speed === 1 && volume === 1) return forget(space);
  const deadline = Date.parse(document.querySelector("[data-clock][data-until]")?.getAttribute("data-until") ?? "");
  const until = Number.isNaN(deadline) ? Date.now() + MAX_AGE : deadline;
  try {
    localStorage.setItem(PREFIX + space, JSON.stringify({ seconds: isInside ? seconds : 0, speed, volume, until }));
  } catch {
    // Storage is disabled or full: the next visit starts at the beginning.
  }
}

/** @param {string} space id */
export function forget(space) {
  try {
    localStorage.removeItem(PREFIX + space);
  } catch {
    // Storage is disabled, so there is nothing to forget.
  }
}

/** A deadline that moved is stored again when its Space is played. */
function removeExpired() {
  try {
    for (const key of Object.keys(localStorage)) {
      if (!key.startsWith(PREFIX)) continue;
      const { until } = JSON.parse(localStorage.getItem(key) ?? "{}");
      if (!(until > Date.now())) localStorage.removeItem(key);
    }
  } catch {
    // Storage is disabled, or an entry is not ours.
  }
}
