// The form about the Space: fill it in from facts, read it, and show errors beside their fields.
import { now } from "../../archive/core/clock.js";
import { closestElement, findElement, getElement, getElements } from "../../archive/core/dom.js";
import { formatTime } from "../../archive/core/format.js";
import { gettext, interpolate, ngettext } from "../../archive/core/translate.js";
import { ParticipantsForm } from "./participants-form.js";

/** @import { UploadConfig } from "./config.js" */

/** @typedef {Record<string, string>} Errors message by field */
/** @typedef {HTMLInputElement | HTMLSelectElement} Field */

const DAY = 864e5; // ms

export class DetailsForm {
  /** @type {Set<string>} names of fields that the user edited, which are never overwritten */
  #edited = new Set();

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
        new ParticipantsForm(box),
      ]),
    );
    form.addEventListener("input", ({ target }) => {
      const name =
        closestElement(target, "[data-participants]")?.dataset.participants ?? /** @type {Field} */ (target).name;
      this.#edited.add(name);
    });
    const endedAt = this.#field("ended_at");
    if (endedAt) {
      const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
      const text = interpolate(gettext("in your time (%(zone)s)"), { zone: zone.replaceAll("_", " ") });
      getElement(form, "[data-zone]").textContent = text;
      endedAt.addEventListener("input", () => this.#showEnd());
    }
  }

  /**
   * Fill in what the server found in the files.
   *
   * @param {any} facts
   * @returns {string[]} names of what was filled in, for people
   */
  fill(facts) {
    const values = [
      ["title", facts.title, gettext("title")],
      ["ended_at", facts.ended_at ? localInputValue(new Date(facts.ended_at)) : "", gettext("end")],
      ["audience", facts.audience, gettext("who could talk")],
      ["listeners_peak", facts.listeners_peak, gettext("listeners")],
      ["listeners_total", facts.listeners_total, gettext("listeners in all")],
      ["language", facts.language === "und" ? "" : facts.language, gettext("language")],
    ];
    const filled = [];
    for (const [name, value, label] of values) {
      const input = this.#field(name);
      if (!input || this.#edited.has(name) || (value ?? "") === "") continue;
      input.value = String(value);
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
   * The body for POST /spaces; null after errors, which are then shown.
   */
  read() {
    /** @type {Errors} */
    const errors = {};
    const endedAt = this.#readEnd(errors);
    /** @type {Record<string, unknown>} */
    const body = {
      title: this.#value("title"),
      ended_at: endedAt?.toISOString(),
      audience: this.#value("audience"),
      cohosts: this.#readParticipants("cohosts", errors),
      speakers: this.#readParticipants("speakers", errors),
      listeners_peak: this.#readCount("listeners_peak", errors),
      listeners_total: this.#readCount("listeners_total", errors),
      transcribe: /** @type {HTMLInputElement | null} */ (this.#field("transcribe"))?.checked ?? false,
    };
    const host = this.#value("host");
    if (host) body.host = host;
    this.readLanguage(errors);
    return this.showErrors(errors) ? body : null;
  }

  /**
   * @param {Errors} [errors]
   * @returns {string | undefined}
   */
  readLanguage(errors = {}) {
    const tag = this.#value("language");
    if (tag && !this.config.language.test(tag)) {
      errors.language = gettext("A language tag such as en or pt-BR, or nothing.");
    }
    return tag || undefined;
  }

  /**
   * Show each error beside its field, clear the others, and focus the first.
   *
   * @param {Errors} errors
   * @returns {boolean} whether none was shown
   */
  showErrors(errors) {
    const places = getElements(this.form, "[data-error]");
    for (const place of places) {
      const name = place.dataset.error ?? "";
      place.textContent = errors[name] ?? "";
      place.id ||= `upload-${name}-error`;
      const input = this.#field(name);
      if (!(input instanceof HTMLInputElement)) continue;
      input.setAttribute("aria-invalid", String(Boolean(errors[name])));
      if (!input.hasAttribute("aria-describedby")) input.setAttribute("aria-describedby", place.id);
    }
    const first = places.find(({ textContent }) => textContent);
    if (!first) return true;
    const section = first.closest("section");
    const input = this.#field(first.dataset.error) ?? (section && findElement(section, "[data-participants] input"));
    input?.focus();
    return false;
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
    const value = this.#value("ended_at");
    const date = new Date(value);
    return value && !Number.isNaN(date.getTime()) ? date : null;
  }

  /** The field is in the reader's zone; show what that is in UTC. */
  #showEnd() {
    const date = this.#end();
    const until = date && new Date(date.getTime() + this.retentionDays * DAY);
    getElement(this.form, "[data-utc]").textContent = until
      ? interpolate(gettext("That is %(end)s. Its clock starts then, not now: it is kept until %(until)s."), {
          end: formatTime(date),
          until: formatTime(until),
        })
      : gettext("Its clock starts then, not now.");
  }

  /** @param {Errors} errors */
  #readEnd(errors) {
    const date = this.#end();
    if (!date) {
      errors.ended_at = gettext(
        "When did the live Space end? The day and the time are needed: the clock starts there.",
      );
    } else if (date.getTime() > now()) {
      errors.ended_at = gettext("That is in the future. When did the live Space end?");
    } else if (date.getTime() <= now() - this.retentionDays * DAY) {
      const text = ngettext(
        "That is more than %(days)s days ago: its time has passed, so it can't be taken in any more.",
        "That is more than %(days)s days ago: its time has passed, so it can't be taken in any more.",
        this.retentionDays,
      );
      errors.ended_at = interpolate(text, { days: this.retentionDays });
    }
    return date;
  }

  /**
   * @param {string} role
   * @param {Errors} errors
   */
  #readParticipants(role, errors) {
    const rows = this.participants.get(role)?.read() ?? [];
    if (rows.some(({ name, account }) => account && !name)) {
      errors.people = gettext("Somebody has an account here but no name: write the name, as it was shown.");
    }
    return rows.filter(({ name }) => name).map(({ name, account }) => (account ? { name, account } : name));
  }

  /**
   * @param {string} name
   * @param {Errors} errors
   */
  #readCount(name, errors) {
    const text = this.#value(name).replace(/[\s.,]/g, "");
    if (text && !/^\d{1,15}$/.test(text)) errors[name] = gettext("A whole number, or nothing.");
    return text ? Number(text) : undefined;
  }
}

/**
 * The value of an <input type="datetime-local">.
 *
 * @param {Date} date
 */
function localInputValue(date) {
  const pad = (/** @type {number} */ number) => String(number).padStart(2, "0");
  const day = `${date.getFullYear()}-${pad(date.getMonth() + 1)}-${pad(date.getDate())}`;
  return `${day}T${pad(date.getHours())}:${pad(date.getMinutes())}:${pad(date.getSeconds())}`;
}
