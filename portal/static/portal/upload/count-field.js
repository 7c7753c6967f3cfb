// A field for a number of people, which may have separators and may be empty.
import { gettext } from "../../archive/core/translate.js";

/** @param {string} text */
const digitsOf = (text) => text.replace(/[\s.,]/g, "");

/**
 * Why this is no number, or "".
 *
 * @param {string} text
 */
export const findCountProblem = (text) =>
  /^\d{0,15}$/.test(digitsOf(text)) ? "" : gettext("Enter a whole number, or nothing.");

/**
 * The number, or undefined.
 *
 * @param {string} text without a problem
 */
export const readCount = (text) => (digitsOf(text) ? Number(digitsOf(text)) : undefined);
