// One of several uploads: its Space, its files, and what becomes of it after the upload.
import { announce } from "../../archive/core/announce.js";
import { cloneTemplate, getElement } from "../../archive/core/dom.js";
import { gettext, interpolate } from "../../archive/core/translate.js";
import { watchProcessing } from "./processing-watch.js";

/** @import { Api } from "./api.js" */
/** @import { FileRow } from "./file-progress.js" */
/** @import { EntryState, QueueEntry } from "./upload-entry.js" */

/** @type {Record<EntryState, string>} */
const STATES = {
  waiting: gettext("Waiting"),
  opening: gettext("Preparing"),
  sending: gettext("Uploading"),
  uploaded: gettext("Uploaded, processing"),
  failed: gettext("Not uploaded"),
};

export class EntryRow {
  /**
   * @param {QueueEntry} entry
   * @param {FileRow[]} files
   * @param {HTMLElement} page
   * @param {Api} api
   */
  constructor(entry, files, page, api) {
    this.entry = entry;
    this.page = page;
    this.api = api;
    this.element = cloneTemplate(document, "[data-progress-group]");
    getElement(this.element, "[data-title]").textContent = entry.title;
    getElement(this.element, "ul").append(...files.map(({ element }) => element));
    this.show();
  }

  /** Show the state of the entry. */
  show() {
    const { state, error } = this.entry;
    this.#showState(state, STATES[state]);
    this.#showProblem(error?.message ?? "");
    if (state !== "uploaded") return;
    announce(interpolate(gettext("%(title)s is uploaded."), { title: this.entry.title }));
    getElement(this.element, "ul").hidden = true;
    const link = getElement(this.element, "[data-link]", HTMLAnchorElement);
    link.href = (this.page.dataset.spaceUrl ?? "").replace(/[0-9a-f-]{36}/, this.entry.space);
    link.hidden = false;
    this.#watch();
  }

  async #watch() {
    const { state, problem } = await watchProcessing(this.api, this.entry.space);
    if (state === "rejected") {
      this.#showState("failed", gettext("Not accepted"));
      this.#showProblem(problem);
    } else if (state === "available") {
      this.#showState("ready", gettext("Ready"));
    }
  }

  /**
   * @param {string} state
   * @param {string} text
   */
  #showState(state, text) {
    this.element.dataset.state = state;
    getElement(this.element, "[data-entry-state]").textContent = text;
  }

  /** @param {string} message */
  #showProblem(message) {
    getElement(this.element, "[data-entry-problem]").textContent = message;
    if (message) announce(`${this.entry.title}: ${message}`);
  }
}
