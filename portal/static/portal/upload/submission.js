// Create the Space and open its uploads. A retry after an error continues with what exists already.

/** @import { Api } from "./api.js" */
/** @import { DetailsForm } from "./details-form.js" */
/** @import { FileList } from "./file-list.js" */
/** @import { OpenUpload } from "./uppy-plugin.js" */

/** @param {Uint8Array} bytes */
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");

export class Submission {
  /** @type {{key: string, idempotencyKey: string, title: string, id?: string} | null} the Space that was created */
  #space = null;
  /** @type {Map<File, OpenUpload>} what was opened; a retry continues it */
  #opened = new Map();

  /**
   * @param {Api} api
   * @param {DetailsForm} details
   * @param {FileList} list
   * @param {string} [existingSpace] id of the Space that the page belongs to, if any
   */
  constructor(api, details, list, existingSpace) {
    this.api = api;
    this.details = details;
    this.list = list;
    this.existingSpace = existingSpace;
  }

  /** The title of the Space that was created, or "". */
  get title() {
    return this.#space?.title ?? "";
  }

  /** The id of the Space, created unless the page belongs to one; null while the form has errors. */
  async createSpace() {
    if (this.existingSpace) return this.existingSpace;
    const body = this.details.read();
    if (!body) return null;
    const key = JSON.stringify(body);
    if (this.#space?.key !== key) {
      const idempotencyKey = hex(crypto.getRandomValues(new Uint8Array(16)));
      this.#space = { key, idempotencyKey, title: String(body.title) };
    }
    const space = this.#space;
    space.id ??= /** @type {string} */ (
      (await this.api.call("POST", "/spaces", body, { key: space.idempotencyKey })).id
    );
    return space.id;
  }

  /**
   * Open an upload for each chosen file, the small one first.
   *
   * @param {string} space id
   */
  async openUploads(space) {
    const uploads = [];
    for (const kind of /** @type {const} */ (["transcript", "recording"])) {
      const file = this.list.files[kind];
      if (file) uploads.push(await this.#openUpload(space, kind, file));
    }
    return uploads;
  }

  /**
   * @param {string} space id
   * @param {"transcript" | "recording"} kind
   * @param {File} file
   * @returns {Promise<OpenUpload>}
   */
  async #openUpload(space, kind, file) {
    const opened = this.#opened.get(file);
    if (opened?.upload.space === space && opened.upload.kind === kind) return opened; // the other file failed
    const language = kind === "transcript" ? this.details.readLanguage() : undefined;
    const body = { kind, name: file.name, size: file.size, ...(language && { language }) };
    const upload = await this.api.call("POST", `/spaces/${space}/uploads`, body);
    this.#opened.set(file, { file, upload });
    return { file, upload };
  }
}
