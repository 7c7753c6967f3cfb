// Uploads that were begun before and are not complete: continue them with the same file, or cancel them.
import { announce } from "../../archive/core/announce.js";
import { closestElement, findElement, getElement, getElements } from "../../archive/core/dom.js";
import { formatSize } from "../../archive/core/format.js";
import { gettext, interpolate } from "../../archive/core/translate.js";

/** @import { Api } from "./api.js" */

/** @import { UploadSession } from "./multipart-upload.js" */

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
   * The row of a file of this name and size.
   *
   * @param {string} name
   * @param {number} size
   * @param {HTMLElement | null} [row] the only one that counts
   */
  find(name, size, row = null) {
    const rows = this.section ? getElements(this.section, "[data-upload]") : [];
    return rows.find(
      ({ dataset }) =>
        dataset.name === name && Number(dataset.size) === size && (!row || row.dataset.upload === dataset.upload),
    );
  }

  /**
   * The upload session of a row, as the API describes it.
   *
   * @param {HTMLElement} row
   * @returns {UploadSession}
   */
  sessionOf({ dataset }) {
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
    const text = gettext("That is %(file)s (%(size)s), not %(expected)s (%(expectedSize)s). Choose that one to go on.");
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
      announce(interpolate(gettext("%(file)s was given up."), { file: row.dataset.name ?? "" }));
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
