// Errors beside their fields, and a summary of them. An error disappears as soon as it is fixed.
import { findElement, getElement, getElements } from "../../archive/core/dom.js";
import { interpolate, ngettext } from "../../archive/core/translate.js";

/** @typedef {Record<string, string>} Errors message by field */
/** @typedef {HTMLInputElement | HTMLSelectElement} Field */
/** @typedef {() => string} Check why the field can't stay as it is, or "" */

export class FormErrors {
  #message = ""; // about the whole form
  #hasFields = false; // whether the message came with errors of fields
  #isSummarized = false; // whether the form was to be sent while it had errors

  /**
   * @param {HTMLFormElement} form
   * @param {Record<string, Check>} checks by field
   */
  constructor(form, checks) {
    this.form = form;
    this.checks = checks;
    this.summary = getElement(form, "[data-form-problem]");
  }

  /**
   * Check a field again after each change, but after each keystroke only while it has an error.
   *
   * @param {string} name
   * @param {string} eventType "input" or "change"
   */
  update(name, eventType) {
    if (!(name in this.checks)) return;
    if (eventType !== "change" && !this.#errorOf(name)) return;
    this.#set(name, this.checks[name]());
    this.#showSummary();
  }

  /** What is wrong in the form now. */
  find() {
    /** @type {Errors} */
    const errors = {};
    for (const [name, check] of Object.entries(this.checks)) {
      const message = check();
      if (message) errors[name] = message;
    }
    return errors;
  }

  /**
   * Show each error beside its field, clear the others, and focus the first, or the summary if no field has an error.
   *
   * @param {Errors} errors
   * @param {string} [message] about the whole form
   * @returns {boolean} whether there was none
   */
  show(errors, message = "") {
    this.#message = message;
    this.#hasFields = Object.values(errors).some(Boolean);
    this.#isSummarized = this.#hasFields;
    for (const place of this.#places()) this.#set(place.dataset.error ?? "", errors[place.dataset.error ?? ""] ?? "");
    this.#showSummary();
    const [first] = this.#shown();
    if (first) this.inputOf(first)?.focus();
    else if (message) this.summary.focus();
    return !first && !message;
  }

  /**
   * The field that a place for errors belongs to.
   *
   * @param {HTMLElement} place
   * @returns {HTMLElement | null}
   */
  inputOf(place) {
    const field = this.form.elements.namedItem(place.dataset.error ?? "");
    if (field instanceof HTMLElement) return field;
    const section = place.closest("section");
    return section && findElement(section, "[data-participants] input, [data-participants] button:not([hidden])");
  }

  #places() {
    return getElements(this.form, "[data-error]");
  }

  #shown() {
    return this.#places().filter(({ textContent }) => textContent);
  }

  /** @param {string} name */
  #errorOf(name) {
    return this.#places().find(({ dataset }) => dataset.error === name)?.textContent ?? "";
  }

  /**
   * @param {string} name
   * @param {string} message
   */
  #set(name, message) {
    const place = this.#places().find(({ dataset }) => dataset.error === name);
    const input = this.form.elements.namedItem(name);
    if (place) setError(place, input instanceof HTMLInputElement ? input : null, message);
  }

  #showSummary() {
    const places = this.#shown();
    const count = places.length;
    if (this.#hasFields && !count) this.#message = ""; // all that the server complained about was changed
    const text = ngettext("Please correct %(count)s field:", "Please correct %(count)s fields:", count);
    const fields = count ? interpolate(text, { count }) : "";
    getElement(this.summary, "[data-problem-text]").textContent = [this.#message, fields].filter(Boolean).join(" ");
    getElement(this.summary, "ul").replaceChildren(...places.map((place) => this.#makeLink(place)));
    this.#isSummarized &&= count > 0;
    this.summary.hidden = !this.#message && !this.#isSummarized;
  }

  /** @param {HTMLElement} place */
  #makeLink(place) {
    const link = document.createElement("a");
    link.href = `#${place.id}`;
    link.textContent = place.textContent;
    link.addEventListener("click", (event) => {
      event.preventDefault();
      this.inputOf(place)?.focus();
    });
    const row = document.createElement("li");
    row.append(link);
    return row;
  }
}

/**
 * Show an error in its place, and tie it to its field; "" clears it.
 *
 * @param {HTMLElement} place
 * @param {HTMLInputElement | null} input
 * @param {string} message
 */
export function setError(place, input, message) {
  if (place.textContent !== message) place.textContent = message;
  place.id ||= `upload-error-${place.dataset.error}`;
  if (!input) return;
  if (message) input.setAttribute("aria-invalid", "true");
  else input.removeAttribute("aria-invalid");
  const described = new Set((input.getAttribute("aria-describedby") ?? "").split(" ").filter(Boolean));
  input.setAttribute("aria-describedby", [...described.add(place.id)].join(" "));
}
