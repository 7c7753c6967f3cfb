// The list of several recordings: the user ticks those to upload, each as a Space of its own.
import { findElement, getElement } from "../../archive/core/dom.js";
import { gettext, interpolate, ngettext } from "../../archive/core/translate.js";
import { setError } from "./form-errors.js";
import { RecordingRow } from "./recording-row.js";

/** @import { RecordingOption } from "./recording-options.js" */
/** @import { QueueEntry } from "./upload-entry.js" */

export class RecordingsList {
  /** @type {RecordingRow[]} */
  #rows = [];
  /** @type {(options: RecordingOption[]) => void} */
  #resolve = () => {};

  /**
   * @param {HTMLElement} page
   * @param {HTMLElement} form
   */
  constructor(page, form) {
    this.page = page;
    this.section = getElement(form, "[data-recordings]");
    this.button = getElement(this.section, "[data-upload-ticked]");
    this.allButton = getElement(this.section, "[data-tick-all]");
    this.problem = getElement(this.section, "[data-recordings-problem]");
    this.host = findElement(this.section, "[data-several-host]"); // only for admins
    this.button.addEventListener("click", () => this.#finish());
    this.allButton.addEventListener("click", () => this.#tickAll());
    this.section.addEventListener("change", () => this.#update());
  }

  hide() {
    this.section.hidden = true;
    getElement(this.section, "ul").replaceChildren();
  }

  /**
   * The recordings that the user ticks. Never resolves if other files are chosen meanwhile.
   *
   * @param {RecordingOption[]} options
   * @param {string} archive its name, if they are in one
   * @returns {Promise<RecordingOption[]>}
   */
  ask(options, archive) {
    this.#rows = options.map((option, index) => new RecordingRow(option, this.page, index));
    const count = options.length;
    const text = archive
      ? ngettext(
          "%(file)s contains %(count)s recording. Which ones do you want to upload?",
          "%(file)s contains %(count)s recordings. Which ones do you want to upload?",
          count,
        )
      : ngettext(
          "There is %(count)s recording. Which ones do you want to upload?",
          "There are %(count)s recordings. Which ones do you want to upload?",
          count,
        );
    getElement(this.section, "[data-recordings-label]").textContent = interpolate(text, { file: archive, count });
    getElement(this.section, "ul").replaceChildren(...this.#rows.map(({ element }) => element));
    this.#update();
    this.section.hidden = false;
    const first = this.#rows.find(({ isDisabled }) => !isDisabled);
    (first?.box ?? this.section).focus();
    return new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  /**
   * The upload of one of several ticked recordings.
   *
   * @param {RecordingOption} option
   * @returns {QueueEntry}
   */
  makeEntry(option) {
    const row = this.#rows.find((one) => one.option === option);
    if (!row) throw new Error("no row of this list");
    const host = this.host && getElement(this.host, "input", HTMLInputElement).value.trim();
    return row.makeEntry(host ?? "");
  }

  #ticked() {
    return this.#rows.filter(({ box }) => box.checked);
  }

  #update() {
    const count = this.#ticked().length;
    for (const row of this.#rows) row.showFields(row.box.checked && count > 1);
    if (this.host) this.host.hidden = count < 2;
    const upload = ngettext("Upload %(count)s recording", "Upload %(count)s recordings", count);
    const text = count === 1 ? gettext("Continue with %(count)s recording") : upload;
    getElement(this.button, "span").textContent = count ? interpolate(text, { count }) : gettext("Upload");
    const possible = this.#rows.filter(({ isDisabled }) => !isDisabled).length;
    this.allButton.hidden = possible < 3;
    this.allButton.textContent = count === possible ? gettext("Select none") : gettext("Select all");
    if (count) setError(this.problem, null, "");
    this.button.hidden = !possible;
  }

  #tickAll() {
    const possible = this.#rows.filter(({ isDisabled }) => !isDisabled);
    const isTicked = possible.some(({ box }) => !box.checked);
    for (const { box } of possible) box.checked = isTicked;
    this.#update();
  }

  #finish() {
    const ticked = this.#ticked();
    setError(this.problem, null, ticked.length ? "" : gettext("Select at least one recording."));
    if (!ticked.length) return;
    const wrong = ticked.length > 1 ? ticked.filter((row) => !row.check()) : [];
    if (wrong.length) {
      const text = ngettext(
        "Please complete %(count)s recording.",
        "Please complete %(count)s recordings.",
        wrong.length,
      );
      setError(this.problem, null, interpolate(text, { count: wrong.length }));
      wrong[0].focusError();
      return;
    }
    this.hide();
    this.#resolve(ticked.map(({ option }) => option));
  }
}
