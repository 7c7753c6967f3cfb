// Format sizes, durations and times as archive/formatting.py does. Both are tested with the same cases:
// tests/support/format_cases.json.
import { gettext, interpolate, locale, ngettext } from "./translate.js";

/**
 * Bytes in decimal units: 812 bytes, 517 kB, 84.2 MB.
 *
 * @param {number} bytes
 */
export function formatSize(bytes) {
  if (bytes < 1000) return interpolate(ngettext("%(count)s byte", "%(count)s bytes", bytes), { count: bytes });
  const units = ["kB", "MB", "GB", "TB", "PB"];
  let number = bytes / 1000;
  let unit = 0;
  while (number >= 999.5 && unit < units.length - 1) {
    number /= 1000;
    unit += 1;
  }
  return `${number < 99.95 ? number.toFixed(1).replace(/\.0$/, "") : number.toFixed(0)} ${units[unit]}`;
}

/**
 * A position in a recording, or its length: 1:03:46 or 3:07. Rounded down, so the end of a recording reads as its length.
 *
 * @param {number} seconds
 */
export function formatDuration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const pad = (/** @type {number} */ number) => String(number).padStart(2, "0");
  const [hours, minutes] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60];
  return hours ? `${hours}:${pad(minutes)}:${pad(whole % 60)}` : `${minutes}:${pad(whole % 60)}`;
}

/**
 * Time until a deadline: whole units, rounded down, so never more than there is.
 *
 * @param {number} milliseconds
 */
export function formatTimeLeft(milliseconds) {
  const [days, hours, minutes] = [864e5, 36e5, 6e4].map((length) => Math.floor(milliseconds / length));
  if (days >= 2) return interpolate(ngettext("%(count)s day left", "%(count)s days left", days), { count: days });
  if (hours >= 2) return interpolate(ngettext("%(count)s hour left", "%(count)s hours left", hours), { count: hours });
  if (minutes >= 1) {
    return interpolate(ngettext("%(count)s minute left", "%(count)s minutes left", minutes), { count: minutes });
  }
  return gettext("less than a minute left");
}

/**
 * Time until an upload is done, roughly: "2 minutes 13 seconds" would claim more than we know.
 *
 * @param {number} seconds
 */
export function formatRoughTimeLeft(seconds) {
  if (seconds < 50) return gettext("less than a minute left");
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 60) {
    const text = ngettext("about %(count)s minute left", "about %(count)s minutes left", minutes);
    return interpolate(text, { count: minutes });
  }
  const hours = Math.round(minutes / 30) / 2;
  const count = String(hours).replace(".5", "½").replace(/^0½/, "½");
  return interpolate(ngettext("about %(count)s hour left", "about %(count)s hours left", Math.ceil(hours)), { count });
}

const DATE = new Intl.DateTimeFormat(locale, { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
const TIME = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", timeZone: "UTC" });

/**
 * 22 December 2026, 14:05 UTC.
 *
 * @param {Date} date
 */
export const formatTime = (date) =>
  interpolate(gettext("%(day)s, %(time)s UTC"), { day: DATE.format(date), time: TIME.format(date) });

/**
 * A time in a zone, in one line: 22 December, 15:05. With the year if it is not the one of `now`; UTC says so.
 *
 * @param {Date} date
 * @param {Date} now
 * @param {string} [timeZone] the reader's, unless given
 */
export function formatShortTime(date, now, timeZone) {
  const year = new Intl.DateTimeFormat("en", { year: "numeric", timeZone });
  if (year.format(date) !== year.format(now)) return formatLocalTime(date, timeZone);
  return formatIn(date, { day: "numeric", month: "long", timeZone });
}

/**
 * A time in a zone: 22 December 2026, 15:05. UTC says so.
 *
 * @param {Date} date
 * @param {string} [timeZone] the reader's, unless given
 */
export const formatLocalTime = (date, timeZone) =>
  formatIn(date, { day: "numeric", month: "long", year: "numeric", timeZone });

/**
 * An hour in the reader's zone: 15:05. UTC says so.
 *
 * @param {Date} date
 */
export function formatHour(date) {
  const options = /** @type {Intl.DateTimeFormatOptions} */ ({ hour: "2-digit", minute: "2-digit" });
  const time = new Intl.DateTimeFormat(locale, options).format(date);
  return isUtc() ? `${time} UTC` : time;
}

/**
 * @param {Date} date
 * @param {Intl.DateTimeFormatOptions} options of the day
 */
function formatIn(date, options) {
  const { timeZone } = options;
  const day = new Intl.DateTimeFormat(locale, options).format(date);
  const time = new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", timeZone }).format(date);
  const sentence = isUtc(timeZone) ? gettext("%(day)s, %(time)s UTC") : gettext("%(day)s, %(time)s");
  return interpolate(sentence, { day, time });
}

/** @param {string} [timeZone] the reader's, unless given */
const isUtc = (timeZone) => new Intl.DateTimeFormat("en", { timeZone }).resolvedOptions().timeZone === "UTC";
