// The form about the Space: fill it in from facts, read it, and check it while it is changed.
import { closestElement, getElement, getElements } from "../../archive/core/dom.js";
import { gettext, interpolate } from "../../archive/core/translate.js";
import { findCountProblem, readCount } from "./count-field.js";
import {
  describeDeletion,
  describeEnd,
  describeUtc,
  describeZone,
  findEndProblem,
  localInputValue,
  readLocalTime,
} from "./end-field.js";
import { FormErrors } from "./form-errors.js";
import { findNamelessProblem, ParticipantsForm } from "./participants-form.js";
import { findChips, normalizeName, SpeakerChips } from "./speaker-chips.js";
import { findApart } from "./speaker-renames.js";

/** @import { UploadConfig } from "./config.js" */
/** @import { Field } from "./form-errors.js" */

export class DetailsForm {
  /** @type {Set<string>} names of fields that the user edited, which are never overwritten */
  #edited = new Set();
  /** @type {Map<string, ParticipantsForm>} by role */
  participants;
  /** @type {SpeakerChips | null} */
  #chips = null;
  /** @type {Map<string, string>} the names in the transcript by what makes them the same */
  #spoken = new Map();

  /**
   * @param {HTMLElement} page
   * @param {HTMLFormElement} form
   * @param {UploadConfig} config
   */
  constructor(page, form, config) {
    this.form = form;
    this.config = config;
    this.retentionDays = Number(page.dataset.retentionDays);
    this.participants = new Map(
      getElements(form, "[data-participants]").map((box) => [
        box.dataset.participants ?? "",
        new ParticipantsForm(box, () => this.#followParticipants()),
      ]),
    );
    this.errors = new FormErrors(form, this.#makeChecks());
    for (const type of ["input", "change"]) form.addEventListener(type, ({ target }) => this.#follow(target, type));
    const chips = findChips(form);
    if (chips) this.#chips = this.#makeChips(chips, page.dataset.userName ?? "");
    if (!this.#field("ended_at")) return;
    getElement(form, "[data-details] [data-zone]").textContent = describeZone();
    this.#showEnd();
  }

  /**
   * Fill in what the server found in the files.
   *
   * @param {any} facts
   * @returns {string[]} readable names of the filled-in fields
   */
  fill(facts) {
    const values = [
      ["title", facts.title, gettext("title")],
      ["ended_at", facts.ended_at ? localInputValue(new Date(facts.ended_at)) : "", gettext("end time")],
      ["audience", facts.audience, gettext("who could speak")],
      ["listeners_peak", facts.listeners_peak, gettext("peak listeners")],
      ["listeners_total", facts.listeners_total, gettext("total listeners")],
      ["language", facts.language === "und" ? "" : facts.language, gettext("language")],
    ];
    const filled = [];
    for (const [name, value, label] of values) {
      const input = this.#field(name);
      if (!input || this.#edited.has(name) || (value ?? "") === "") continue;
      input.value = String(value);
      this.errors.update(name, "change");
      filled.push(label);
    }
    for (const [role, label] of [
      ["cohosts", gettext("co-hosts")],
      ["speakers", gettext("speakers")],
    ]) {
      const participants = this.participants.get(role);
      if (!participants || this.#edited.has(role) || !facts[role]?.length) continue;
      participants.fill(facts[role]);
      filled.push(label);
    }
    if (this.#field("ended_at")) this.#showEnd();
    return filled;
  }

  /**
   * Offer the names in the transcript as speakers.
   *
   * @param {string[]} names
   */
  offerSpeakers(names) {
    this.#chips?.offer(names, () => [...this.#names("cohosts"), ...this.#names("speakers")]);
    this.#spoken = new Map(names.map((name) => [normalizeName(name), name]));
    this.#showRenames();
  }

  /** New names of speakers by their names in the transcript, without those that would merge two speakers. */
  readSpeakerNames() {
    return Object.fromEntries(this.#findRenames(({ isRenamed }) => isRenamed));
  }

  /** Whether nothing is wrong; errors are shown, the first one is focused. */
  check() {
    return this.errors.show(this.errors.find());
  }

  /** The body for POST /spaces, when nothing is wrong. */
  read() {
    /** @type {Record<string, unknown> & {title: string, ended_at?: string, host?: string}} */
    const body = {
      title: this.#value("title"),
      ended_at: this.#end()?.toISOString(),
      audience: this.#value("audience"),
      cohosts: this.#readParticipants("cohosts"),
      speakers: this.#readParticipants("speakers"),
      listeners_peak: readCount(this.#value("listeners_peak")),
      listeners_total: readCount(this.#value("listeners_total")),
      transcribe: /** @type {HTMLInputElement | null} */ (this.#field("transcribe"))?.checked ?? false,
    };
    const host = this.#value("host");
    if (host) body.host = host;
    if (this.#chips?.hostName) body.host_name = this.#chips.hostName;
    return body;
  }

  /** The tag of the language, if one is given. */
  readLanguage() {
    return this.#value("language") || undefined;
  }

  #makeChecks() {
    return {
      title: () => (this.#field("title") && !this.#value("title") ? gettext("Please enter a title.") : ""),
      ended_at: () => (this.#field("ended_at") ? findEndProblem(this.#end(), this.retentionDays) : ""),
      host: () => "", // only the server knows the user names
      people: () => findNamelessProblem(this.participants.values()),
      listeners_peak: () => findCountProblem(this.#value("listeners_peak")),
      listeners_total: () => findCountProblem(this.#value("listeners_total")),
      language: () => this.#checkLanguage(),
    };
  }

  /**
   * @param {HTMLElement} fieldset
   * @param {string} hostName
   */
  #makeChips(fieldset, hostName) {
    const speakers = this.participants.get("speakers");
    const limit = Number(speakers?.box.dataset.limit);
    /** @type {(name: string, isTicked: boolean, isOffered: boolean) => boolean} */
    const onTick = (name, isTicked, isOffered) => {
      if (!isTicked) speakers?.remove(name, isOffered);
      return isTicked ? (speakers?.add(name) ?? false) : true;
    };
    return new SpeakerChips(fieldset, { hostName, limit, onTick });
  }

  /**
   * @param {EventTarget | null} target
   * @param {string} eventType
   */
  #follow(target, eventType) {
    const role = closestElement(target, "[data-participants]")?.dataset.participants;
    const { name } = /** @type {Field} */ (target);
    this.#edited.add(role ?? name);
    if (name === "ended_at") this.#showEnd();
    this.errors.update(role ? "people" : name, eventType);
  }

  /**
   * @param {string | undefined} name
   * @returns {Field | null}
   */
  #field(name) {
    return /** @type {Field | null} */ (this.form.elements.namedItem(name ?? ""));
  }

  /**
   * The value of a field, or of the checked radio button; "" without such a field.
   *
   * @param {string} name
   */
  #value(name) {
    return this.#field(name)?.value.trim() ?? "";
  }

  #end() {
    return readLocalTime(this.#value("ended_at"));
  }

  #showEnd() {
    const details = getElement(this.form, "[data-details]");
    getElement(details, "[data-utc]").textContent = describeUtc(this.#end());
    getElement(details, "[data-deletion]").textContent = describeEnd(this.#end(), this.retentionDays);
    getElement(details, "[data-deleted-on]").textContent = describeDeletion(this.#end(), this.retentionDays);
  }

  #followParticipants() {
    this.#chips?.sync(this.#names("speakers"));
    this.#showRenames();
  }

  /**
   * @param {(row: {isRenamed: boolean}) => boolean} isWanted
   * @returns {Map<string, string>}
   */
  #findRenames(isWanted) {
    const rows = [...this.participants.values()].flatMap((form) => form.read());
    /** @type {Map<string, string>} */
    const renames = new Map();
    for (const row of rows) {
      const spoken = this.#spoken.get(normalizeName(row.given));
      if (spoken && row.name && row.name !== spoken && isWanted(row)) renames.set(spoken, row.name);
    }
    return findApart([...this.#spoken.values()], renames);
  }

  #showRenames() {
    const apart = this.#findRenames(() => true);
    for (const form of this.participants.values()) {
      form.showRenames((given, name) => {
        const old = this.#spoken.get(normalizeName(given));
        if (!old || !name || name === old) return { rename: "", shared: "" };
        const shared = gettext(
          "Another speaker in the transcript is called “%(name)s”, so the lines of “%(old)s” keep their name. You can merge the two later, on the page Edit.",
        );
        const rename = gettext("In the transcript, too: “%(old)s” becomes “%(name)s”");
        const text = interpolate(apart.has(old) ? rename : shared, { old, name });
        return apart.has(old) ? { rename: text, shared: "" } : { rename: "", shared: text };
      });
    }
  }

  #checkLanguage() {
    const tag = this.#value("language");
    return !tag || this.config.language.test(tag)
      ? ""
      : gettext("Enter a language tag such as en or pt-BR, or nothing.");
  }

  /**
   * The names that are listed, as they were filled in from the files.
   *
   * @param {string} role
   */
  #names(role) {
    return (this.participants.get(role)?.read() ?? []).map(({ given, name }) => name && (given || name));
  }

  /** @param {string} role */
  #readParticipants(role) {
    const rows = this.participants.get(role)?.read() ?? [];
    return rows.filter(({ name }) => name).map(({ name, account }) => (account ? { name, account } : name));
  }
}
