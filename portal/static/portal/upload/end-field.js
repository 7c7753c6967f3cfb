// The field for the time at which a Space ended: in the reader's zone, with its meaning in UTC below it.
import { now } from "../../archive/core/clock.js";
import { formatLocalTime, formatTime } from "../../archive/core/format.js";
import { gettext, interpolate, ngettext } from "../../archive/core/translate.js";

const DAY = 864e5; // ms
const CLOCK_TOLERANCE = 6e4; // ms by which a clock may be ahead (archive/intake/request.py)

/**
 * The time in an <input type="datetime-local">, or null.
 *
 * @param {string} value
 */
export function readLocalTime(value) {
  const date = new Date(value);
  return value && !Number.isNaN(date.getTime()) ? date : null;
}

/**
 * The value of an <input type="datetime-local">.
 *
 * @param {Date} date
 */
export function localInputValue(date) {
  const pad = (/** @type {number} */ number) => String(number).padStart(2, "0");
  const day = `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
  return `${day}T${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
}

/**
 * Why a Space can't have this end, or "".
 *
 * @param {Date | null} date
 * @param {number} retentionDays
 */
export function findEndProblem(date, retentionDays) {
  if (!date) return gettext("Please enter the day and time when the Space ended.");
  if (date.getTime() > now() + CLOCK_TOLERANCE) return gettext("This is in the future. When did the Space end?");
  if (date.getTime() > now() - retentionDays * DAY) return "";
  const text = ngettext(
    "It ended more than %(days)s day ago, so it can no longer be kept here.",
    "It ended more than %(days)s days ago, so it can no longer be kept here.",
    retentionDays,
  );
  return interpolate(text, { days: retentionDays });
}

/**
 * The end in UTC, or "".
 *
 * @param {Date | null} date
 */
export const describeUtc = (date) => (date ? interpolate(gettext("That is %(end)s."), { end: formatTime(date) }) : "");

/**
 * Show the meaning of the end beside its field: when every copy will be deleted, or the policy.
 *
 * @param {Date | null} date
 * @param {number} retentionDays
 */
export function describeEnd(date, retentionDays) {
  const rule = ngettext(
    "Every copy will be deleted %(days)s day after this time.",
    "Every copy will be deleted %(days)s days after this time.",
    retentionDays,
  );
  return describeDeletion(date, retentionDays) || interpolate(rule, { days: retentionDays });
}

/**
 * When every copy is deleted; "" without an end, as no end that can't be accepted gets a promise.
 *
 * @param {Date | null} date
 * @param {number} retentionDays
 */
export function describeDeletion(date, retentionDays) {
  if (!date || findEndProblem(date, retentionDays)) return "";
  const dated = ngettext(
    "Every copy will be deleted on %(until)s your time: %(days)s day after the end, whenever you upload it.",
    "Every copy will be deleted on %(until)s your time: %(days)s days after the end, whenever you upload it.",
    retentionDays,
  );
  return interpolate(dated, {
    days: retentionDays,
    until: formatLocalTime(new Date(date.getTime() + retentionDays * DAY)),
  });
}

/** The zone of the field, for its label. */
export function describeZone() {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone.replaceAll("_", " ");
  return interpolate(gettext("(your time, %(zone)s)"), { zone });
}
