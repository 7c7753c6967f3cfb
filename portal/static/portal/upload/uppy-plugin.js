// Uppy manages the files: state, pause, retry, cancel. Its own S3 plugin opens and closes uploads at the store, and sends
// parts one after the other without a checksum; with this plugin /api/v1 opens and closes them, and multipart-upload.js
// sends the parts.
import { BasePlugin, Uppy } from "../../uppy/uppy.min.mjs";
import { isAbort } from "./api.js";
import { MultipartUpload } from "./multipart-upload.js";

/** @import { Api } from "./api.js" */
/** @import { UploadSession } from "./multipart-upload.js" */
/** @typedef {{file: File, upload: UploadSession}} OpenUpload */

class StoreUploader extends BasePlugin {
  /** @type {Map<string, MultipartUpload>} by file id; each remembers its parts over pauses and retries */
  #uploads = new Map();
  /** @type {Map<string, AbortController>} by file id */
  #controllers = new Map();

  /**
   * @param {any} uppy
   * @param {{api: Api}} options
   */
  constructor(uppy, options) {
    super(uppy, options);
    this.id = "StoreUploader";
    this.type = "uploader";
    this.api = options.api;
  }

  install() {
    const { capabilities } = this.uppy.getState();
    this.uppy.setState({ capabilities: { ...capabilities, resumableUploads: true } });
    this.uppy.addUploader((/** @type {string[]} */ ids) => this.#uploadAll(ids));
    this.uppy.on("upload-pause", (/** @type {any} */ file, /** @type {boolean} */ isPaused) => {
      if (isPaused) this.#controllers.get(file.id)?.abort();
    });
    this.uppy.on("cancel-all", () => {
      for (const controller of this.#controllers.values()) controller.abort();
    });
  }

  /**
   * Upload the files in the order in which they were added. One that fails does not stop the next.
   *
   * @param {string[]} ids
   */
  async #uploadAll(ids) {
    const files = this.uppy.getFilesByIds(ids);
    this.uppy.emit("upload-start", files);
    for (const file of files) await this.#upload(file);
  }

  /** @param {any} file */
  #uploadOf(file) {
    let upload = this.#uploads.get(file.id);
    if (!upload) {
      upload = new MultipartUpload(this.api, file.data, file.meta.upload, (progress) => {
        const uploadStarted = file.progress.uploadStarted ?? Date.now();
        const bytesUploaded = progress.uploaded;
        this.uppy.emit("upload-progress", file, { uploadStarted, bytesUploaded, bytesTotal: file.size });
        this.uppy.emit("store:progress", file, progress);
      });
      this.#uploads.set(file.id, upload);
    }
    return upload;
  }

  /** @param {any} file */
  async #upload(file) {
    for (;;) {
      await this.#waitWhilePaused(file);
      if (!this.uppy.getFile(file.id)) return;
      const controller = new AbortController();
      this.#controllers.set(file.id, controller);
      try {
        const body = await this.#uploadOf(file).run(controller.signal);
        this.uppy.emit("upload-success", file, { status: 200, body });
        return;
      } catch (error) {
        if (isAbort(error)) continue; // paused or canceled
        this.uppy.emit("upload-error", file, error);
        return;
      }
    }
  }

  /**
   * Resolves when the file is not, or no longer, paused, or was canceled.
   *
   * @param {any} file
   * @returns {Promise<void>}
   */
  #waitWhilePaused(file) {
    return new Promise((resolve) => {
      const check = () => {
        if (this.uppy.getFile(file.id)?.isPaused) return;
        this.uppy.off("upload-pause", check);
        this.uppy.off("cancel-all", resolve);
        resolve();
      };
      this.uppy.on("upload-pause", check);
      this.uppy.on("cancel-all", resolve);
      check();
    });
  }
}

/**
 * @param {Api} api
 * @param {OpenUpload[]} uploads
 */
export function createUploader(api, uploads) {
  const uppy = new Uppy({ id: "upload", allowMultipleUploadBatches: true }).use(StoreUploader, { api });
  for (const { file, upload } of uploads) {
    uppy.addFile({ name: file.name, type: file.type, data: file, source: upload.id, meta: { upload } });
  }
  return uppy;
}
