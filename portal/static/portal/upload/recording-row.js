// One of several recordings: its end, size and listeners, and the questions to answer before the upload.
import { cloneTemplate, findElement, getElement, getElements } from "../../archive/core/dom.js";
import { formatSize } from "../../archive/core/format.js";
import { gettext, interpolate, locale, ngettext } from "../../archive/core/translate.js";
import { baseName } from "./config.js";
import { describeEnd, describeUtc, describeZone, findEndProblem, localInputValue, readLocalTime } from "./end-field.js";
import { setError } from "./form-errors.js";
import { findChips, SpeakerChips } from "./speaker-chips.js";
import { showTwin } from "./twin-hint.js";
import { makeEntry } from "./upload-entry.js";

/** @import { RecordingOption } from "./recording-options.js" */

const WHEN = new Intl.DateTimeFormat(locale, {
  weekday: "long",
  day: "numeric",
  month: "long",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
});
const NUMBER = new Intl.NumberFormat(locale);

export class RecordingRow {
  /**
   * @param {RecordingOption} option
   * @param {HTMLElement} page
   * @param {number} index
   */
  constructor(option, page, index) {
    this.option = option;
    this.page = page;
    this.retentionDays = Number(page.dataset.retentionDays);
    this.element = cloneTemplate(document, "[data-recording-row]");
    this.box = getElement(this.element, "[data-tick]", HTMLInputElement);
    this.fields = getElement(this.element, "[data-fields]");
    this.title = getElement(this.fields, "[data-title]", HTMLInputElement);
    this.end = getElement(this.fields, "[data-end]", HTMLInputElement);
    this.title.value = option.facts.title ?? "";
    getElement(this.fields, "[data-zone]").textContent = describeZone();
    this.#nameParts(index);
    this.#describe();
    this.#followChanges();
    const fieldset = findChips(this.fields);
    const limit = Number(page.dataset.speakers) - (option.facts.speakers ?? []).length;
    this.chips =
      fieldset && new SpeakerChips(fieldset, { hostName: page.dataset.userName ?? "", limit, onTick: () => true });
    const { cohosts = [], speakers = [], transcript_speakers: names = [] } = option.facts;
    this.chips?.offer(names, () => [...cohosts, ...speakers]);
  }

  get isDisabled() {
    return this.box.disabled;
  }

  /** @param {boolean} isShown whether what must be asked is asked here */
  showFields(isShown) {
    this.fields.hidden = !isShown;
  }

  /** Check the fields, and show what is wrong. */
  check() {
    this.#checkTitle();
    this.#checkEnd();
    return !findElement(this.fields, "[aria-invalid]");
  }

  focusError() {
    findElement(this.fields, "[aria-invalid]")?.focus();
  }

  /**
   * The upload of this recording, with the facts of its own Space.
   *
   * @param {string} host user name, or "" for the user
   */
  makeEntry(host) {
    const { recording, companions, facts } = this.option;
    const hostName = this.chips?.hostName;
    const body = {
      title: this.title.value.trim(),
      ended_at: this.#endDate()?.toISOString(),
      audience: facts.audience ?? "",
      cohosts: facts.cohosts ?? [],
      speakers: [...(facts.speakers ?? []), ...(this.chips?.ticked ?? [])],
      listeners_peak: facts.listeners_peak,
      listeners_total: facts.listeners_total,
      transcribe: "transcribes" in this.page.dataset && !companions.transcript,
      ...(host && { host }),
      ...(hostName && { host_name: hostName }),
    };
    return makeEntry(body, recording, companions.transcript, companions.language || facts.language);
  }

  /** @param {number} index */
  #nameParts(index) {
    for (const [part, id] of [
      ["[data-tick]", "tick"],
      ["[data-title]", "title"],
      ["[data-end]", "end"],
      ["select", "host"],
    ]) {
      const input = getElement(this.element, part);
      input.id = `recording-${index}-${id}`;
      const label = getElements(this.element, "label", HTMLLabelElement).find(({ dataset }) => dataset.for === id);
      if (label) label.htmlFor = input.id;
    }
    for (const place of getElements(this.fields, "[data-row-error]"))
      place.id = `recording-${index}-${place.dataset.rowError}`;
  }

  #describe() {
    const { recording, facts, rejection } = this.option;
    const when = facts.ended_at ? WHEN.format(new Date(facts.ended_at)) : gettext("End not known");
    const name = [facts.title, baseName(recording.path)].filter(Boolean).join(" · ");
    const listeners = facts.listeners_total ?? facts.listeners_peak;
    const text = ngettext("%(count)s listener", "%(count)s listeners", listeners ?? 0);
    const heard = listeners == null ? "" : interpolate(text, { count: NUMBER.format(listeners) });
    // In bold, what tells them apart: the time, as in a data archive whose files are named by id, else the name.
    getElement(this.element, "[data-main]").textContent = facts.ended_at ? when : name;
    getElement(this.element, "[data-facts]").textContent = [formatSize(recording.size), heard]
      .filter(Boolean)
      .join(", ");
    getElement(this.element, "[data-second]").textContent = facts.ended_at ? name : when;
    const isExpired = facts.end_problem_code === "intake.deadline_passed";
    const reason = rejection || (isExpired ? this.#expiredText() : "");
    getElement(this.element, "[data-reason]").textContent = reason;
    this.box.disabled = Boolean(reason);
    const isKnown = Boolean(facts.ended_at && !facts.end_problem_code);
    getElement(this.fields, "[data-end-field]").hidden = isKnown;
    if (facts.ended_at) this.end.value = localInputValue(new Date(facts.ended_at));
    getElement(this.fields, "[data-notes]").textContent = (facts.notes ?? []).join(" ");
    showTwin(this.fields, facts.twin);
  }

  #expiredText() {
    const text = ngettext(
      "Ended more than %(days)s day ago: can no longer be kept.",
      "Ended more than %(days)s days ago: can no longer be kept.",
      this.retentionDays,
    );
    return interpolate(text, { days: this.retentionDays });
  }

  #followChanges() {
    for (const type of ["input", "change"]) {
      this.fields.addEventListener(type, ({ target }) => {
        if (!(target instanceof HTMLInputElement)) return;
        if (target === this.end) this.#showEnd();
        if (type === "input" && !target.hasAttribute("aria-invalid")) return;
        if (target === this.title) this.#checkTitle();
        if (target === this.end) this.#checkEnd();
      });
    }
    this.#showEnd();
  }

  #checkTitle() {
    this.#setError("title", this.title, this.title.value.trim() ? "" : gettext("Please enter a title."));
  }

  #checkEnd() {
    this.#setError("end", this.end, findEndProblem(this.#endDate(), this.retentionDays));
  }

  /**
   * @param {string} name
   * @param {HTMLInputElement} input
   * @param {string} message
   */
  #setError(name, input, message) {
    setError(getElement(this.fields, `[data-row-error="${name}"]`), input, message);
  }

  #showEnd() {
    getElement(this.fields, "[data-utc]").textContent = describeUtc(this.#endDate());
    getElement(this.fields, "[data-deletion]").textContent = describeEnd(this.#endDate(), this.retentionDays);
  }

  #endDate() {
    const { facts } = this.option;
    const isKnown = facts.ended_at && !facts.end_problem_code;
    return isKnown ? new Date(facts.ended_at) : readLocalTime(this.end.value);
  }
}
