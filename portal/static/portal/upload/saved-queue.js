// Resume several uploads after a reload: the queue is stored in this tab until it is uploaded. Browsers don't return
// files after a reload, so the user chooses the same archive or files again.
import { getElement } from "../../archive/core/dom.js";
import { gettext, interpolate, ngettext } from "../../archive/core/translate.js";
import { baseName } from "./config.js";
import { entryOf } from "./upload-entry.js";

/** @import { Api } from "./api.js" */
/** @import { Item } from "./items.js" */
/** @import { QueueEntry, QueueFile } from "./upload-entry.js" */

const LONGEST = 20 * 36e5; // ms; the server discards uploads without progress after a day

export class SavedQueue {
  /** @type {QueueEntry[]} */
  entries = [];

  /**
   * @param {HTMLElement} page
   * @param {Api} api
   */
  constructor(page, api) {
    this.api = api;
    this.section = getElement(page, "[data-saved-queue]");
    this.key = `uploads-${page.dataset.userId}`; // another user of this tab has others
    if (page.dataset.space) return; // the page of one Space
    this.entries = this.#load();
    this.#show();
    getElement(this.section, "[data-cancel]").addEventListener("click", () => this.#cancel());
  }

  hide() {
    this.section.hidden = true;
  }

  /**
   * Remember what is left of a queue.
   *
   * @param {QueueEntry[]} entries
   */
  save(entries) {
    const left = entries.filter(
      ({ state, error }) => state !== "uploaded" && (state !== "failed" || error?.isTransient),
    );
    const saved = left.map(({ title, space, body, key, files }) => ({
      ...{ title, space, body, key },
      files: files.map(({ item, file, ...rest }) => rest), // what a page can't save
    }));
    try {
      if (saved.length) sessionStorage.setItem(this.key, JSON.stringify({ at: Date.now(), saved }));
      else sessionStorage.removeItem(this.key);
    } catch {
      // Storage is full or disabled: the server still lists the uploads that were started.
    }
  }

  /**
   * The uploads whose recordings are among the items.
   *
   * @param {Item[]} items
   * @returns {QueueEntry[]}
   */
  match(items) {
    return this.entries.flatMap((entry) => {
      const files = entry.files.flatMap((file) => {
        const sized = items.filter(({ size }) => size === file.size);
        const named = sized.filter(({ path }) => baseName(path) === baseName(file.path));
        const item = named.find(({ path }) => path === file.path) ?? named[0]; // a folder may have moved
        return item ? [{ ...file, item }] : [];
      });
      return files.some(({ kind }) => kind === "recording") ? [{ ...entry, files }] : [];
    });
  }

  /**
   * Whether an upload session belongs to one of these.
   *
   * @param {string | undefined} uploadId
   */
  has(uploadId) {
    return this.entries.some(({ files }) => files.some(({ session }) => session?.id === uploadId));
  }

  /** @returns {QueueEntry[]} */
  #load() {
    try {
      const { at, saved } = JSON.parse(sessionStorage.getItem(this.key) ?? "{}");
      if (!(Date.now() - at < LONGEST)) return [];
      return saved.map((/** @type {QueueEntry} */ entry) => entryOf({ ...entry, files: entry.files.map(reopened) }));
    } catch {
      return [];
    }
  }

  #show() {
    const count = this.entries.length;
    this.section.hidden = !count;
    if (!count) return;
    const text = ngettext(
      "%(count)s recording is not uploaded yet: %(titles)s. Choose the same files again to resume.",
      "%(count)s recordings are not uploaded yet: %(titles)s. Choose the same files again to resume.",
      count,
    );
    const titles = this.entries.map(({ title }) => title || gettext("no title")).join(", ");
    getElement(this.section, "[data-saved-text]").textContent = interpolate(text, { count, titles });
  }

  async #cancel() {
    const sessions = this.entries.flatMap(({ files }) => files.flatMap(({ session }) => session ?? []));
    await Promise.allSettled(sessions.map(({ id }) => this.api.call("DELETE", `/uploads/${id}`)));
    this.save([]);
    location.reload();
  }
}

/**
 * A saved file. Its upload is compared before it resumes.
 *
 * @param {QueueFile} file
 * @returns {QueueFile}
 */
const reopened = (file) => ({
  ...file,
  item: null,
  file: null,
  session: file.session && { ...file.session, resumed: true },
});
