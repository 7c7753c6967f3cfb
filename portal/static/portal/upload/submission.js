// The upload that the form describes: create the Space and open its uploads. A retry continues with what exists already.
import { entryOf, makeKey, openEntry } from "./upload-entry.js";

/** @import { Api } from "./api.js" */
/** @import { DetailsForm } from "./details-form.js" */
/** @import { FileList } from "./file-list.js" */
/** @import { QueueEntry, QueueFile } from "./upload-entry.js" */

export class Submission {
  /** @type {{text: string, entry: QueueEntry} | null} the Space that was created, and what for */
  #space = null;
  /** @type {QueueFile[]} that were opened, in any state */
  #files = [];

  /**
   * @param {Api} api
   * @param {DetailsForm} details
   * @param {FileList} list
   * @param {DOMStringMap} page id and title of the Space that the page belongs to, if any
   */
  constructor(api, details, list, { space = "", title = "" }) {
    this.api = api;
    this.details = details;
    this.list = list;
    this.existing = { space, title };
  }

  /**
   * Create the Space unless the page belongs to one, and open an upload for each chosen file. The form is right.
   *
   * @returns {Promise<QueueEntry>}
   */
  async open() {
    const entry = this.#makeEntry();
    entry.files = this.#makeFiles(entry.space);
    await openEntry(this.api, entry);
    return entry;
  }

  #makeEntry() {
    if (this.existing.space) return entryOf(this.existing);
    const body = this.details.read();
    const text = JSON.stringify([body, this.details.readSpeakerNames()]);
    if (this.#space?.text !== text) {
      this.#space = { text, entry: entryOf({ title: String(body.title), body, key: makeKey() }) };
    }
    return this.#space.entry;
  }

  /**
   * The chosen files, the small one first; those that were opened for this Space before, with their uploads.
   *
   * @param {string} space id, or ""
   */
  #makeFiles(space) {
    const files = [];
    for (const kind of /** @type {const} */ (["transcript", "recording"])) {
      const file = this.list.files[kind];
      if (!file) continue;
      const opened = this.#files.find((one) => one.file === file && one.kind === kind && one.session?.space === space);
      const isTranscript = kind === "transcript";
      const language = (isTranscript && this.details.readLanguage()) || "";
      const speakerNames = isTranscript ? this.details.readSpeakerNames() : {};
      const { name: path, size } = file;
      files.push(opened ?? { kind, path, size, language, speakerNames, item: null, file, session: null });
    }
    this.#files = [...new Set([...this.#files, ...files])];
    return files;
  }
}
