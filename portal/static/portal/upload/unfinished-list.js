// Uploads that were started before and are not complete: resume them with the same file, or cancel them.
import { announce } from "../../archive/core/announce.js";
import { closestElement, findElement, getElement, getElements } from "../../archive/core/dom.js";
import { formatSize } from "../../archive/core/format.js";
import { gettext, interpolate } from "../../archive/core/translate.js";
import { baseName } from "./config.js";
import { entryOf } from "./upload-entry.js";

/** @import { Api } from "./api.js" */
/** @import { Item } from "./items.js" */
/** @import { UploadSession } from "./multipart-upload.js" */
/** @import { QueueEntry } from "./upload-entry.js" */

export class UnfinishedList {
  /**
   * @param {HTMLElement} page
   * @param {Api} api
   */
  constructor(page, api) {
    this.section = findElement(page, "[data-unfinished]"); // null if there are none
    this.section?.addEventListener("click", ({ target }) => {
      const button = closestElement(target, "[data-cancel-upload]");
      const row = closestElement(target, "[data-upload]");
      if (button && row) this.#cancel(row, button, api);
    });
  }

  hide() {
    if (this.section) this.section.hidden = true;
  }

  /**
   * Leave out uploads that the page offers to resume otherwise.
   *
   * @param {(uploadId: string | undefined) => boolean} isElsewhere
   */
  leaveOut(isElsewhere) {
    const rows = this.section ? getElements(this.section, "[data-upload]") : [];
    for (const row of rows) row.hidden = isElsewhere(row.dataset.upload);
    if (rows.every(({ hidden }) => hidden)) this.hide();
  }

  /**
   * The uploads with the names and sizes of these files, those of one Space together.
   *
   * @param {Item[]} items
   * @param {HTMLElement | null} row the only one that counts, if any
   * @param {(uploadId: string | undefined) => boolean} isElsewhere whether an upload is resumed otherwise
   * @returns {QueueEntry[]}
   */
  match(items, row, isElsewhere) {
    /** @type {Map<string, QueueEntry>} by Space */
    const entries = new Map();
    const rows = this.section ? getElements(this.section, "[data-upload]") : [];
    for (const one of rows) {
      const { space = "", title = "", upload, name, size } = one.dataset;
      if (isElsewhere(upload) || (row && row !== one)) continue;
      const item = items.find((each) => baseName(each.path) === name && each.size === Number(size));
      if (!item) continue;
      const entry = entries.get(space) ?? entryOf({ space, title });
      const session = this.#sessionOf(one);
      const { kind } = session;
      entry.files.push({
        kind,
        path: item.path,
        size: item.size,
        language: "",
        speakerNames: {},
        item,
        file: null,
        session,
      });
      entries.set(space, entry);
    }
    return [...entries.values()];
  }

  /**
   * The upload session of a row, as the API describes it.
   *
   * @param {HTMLElement} row
   * @returns {UploadSession}
   */
  #sessionOf({ dataset }) {
    const [size, partSize] = [Number(dataset.size), Number(dataset.partSize)];
    return {
      id: dataset.upload ?? "",
      space: dataset.space ?? "",
      kind: dataset.kind === "transcript" ? "transcript" : "recording",
      size,
      part_size: partSize,
      part_count: Math.ceil(size / partSize),
      resumed: true,
    };
  }

  /**
   * @param {HTMLElement} row
   * @param {File} file
   */
  rejectFile(row, file) {
    const text = gettext(
      "That is %(file)s (%(size)s), not %(expected)s (%(expectedSize)s). Choose that one to resume.",
    );
    const values = {
      file: file.name,
      size: formatSize(file.size),
      expected: row.dataset.name ?? "",
      expectedSize: formatSize(Number(row.dataset.size)),
    };
    showError(row, interpolate(text, values));
  }

  /**
   * @param {HTMLElement} row
   * @param {HTMLElement} button
   * @param {Api} api
   */
  async #cancel(row, button, api) {
    button.setAttribute("aria-busy", "true");
    try {
      await api.call("DELETE", `/uploads/${row.dataset.upload}`);
      row.remove();
      announce(interpolate(gettext("The upload of %(file)s was canceled."), { file: row.dataset.name ?? "" }));
      if (this.section && !findElement(this.section, "[data-upload]")) this.section.remove();
    } catch (error) {
      showError(row, error instanceof Error ? error.message : String(error));
      button.removeAttribute("aria-busy");
    }
  }
}

/**
 * @param {HTMLElement} row
 * @param {string} message
 */
function showError(row, message) {
  getElement(row, "[data-row-error]").textContent = message;
}
