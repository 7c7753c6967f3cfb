// Uploads, one Space after the other. One that fails does not stop the others, and can be tried again.
import { gettext } from "../../archive/core/translate.js";
import { UserError } from "./api.js";
import { openEntry } from "./upload-entry.js";

/** @import { Api } from "./api.js" */
/** @import { Progress } from "./multipart-upload.js" */
/** @import { EntryState, QueueEntry } from "./upload-entry.js" */
/** @import { OpenUpload } from "./uppy-plugin.js" */

/**
 * @typedef {object} QueueObserver
 * @property {(entry: QueueEntry) => void} onState
 * @property {(uploadId: string, progress: Progress) => void} onProgress called often
 * @property {() => void} onEnd every entry is uploaded or failed
 */

export class UploadQueue {
  /** @type {QueueObserver} */
  observer = { onState() {}, onProgress() {}, onEnd() {} };
  isPaused = false;
  #isRunning = false;
  #isCanceled = false;
  /** @type {any} that sends files now */
  #uppy = null;
  /** @type {() => void} */
  #goOn = () => {};

  /**
   * @param {Api} api
   * @param {QueueEntry[]} entries
   * @param {(api: Api, uploads: OpenUpload[]) => any} createUploader
   */
  constructor(api, entries, createUploader) {
    this.api = api;
    this.entries = entries;
    this.createUploader = createUploader;
  }

  /** The entries that failed. */
  get failed() {
    return this.entries.filter(({ state }) => state === "failed");
  }

  /** Upload what is not uploaded yet. Called again, it retries what failed. */
  async run() {
    if (this.#isRunning || this.#isCanceled) return;
    this.#isRunning = true;
    for (const entry of this.entries) {
      if (entry.state === "uploaded") continue;
      await this.#whilePaused();
      if (this.#isCanceled) break;
      await this.#upload(entry);
    }
    this.#isRunning = false;
    if (!this.#isCanceled) this.observer.onEnd();
  }

  togglePause() {
    this.isPaused = !this.isPaused;
    const files = this.#uppy?.getFiles() ?? [];
    for (const { id, progress } of files) if (!progress.uploadComplete) this.#uppy.pauseResume(id);
    if (!this.isPaused) this.#goOn();
  }

  /** Stop, and discard incomplete uploads in the store. */
  async cancel() {
    this.#isCanceled = true;
    this.#uppy?.cancelAll();
    this.#goOn();
    const unfinished = this.entries.filter(({ state }) => state !== "uploaded");
    const sessions = unfinished.flatMap(({ files }) => files.flatMap(({ session }) => session ?? []));
    await Promise.allSettled(sessions.map(({ id }) => this.api.call("DELETE", `/uploads/${id}`)));
  }

  /** @param {QueueEntry} entry */
  async #upload(entry) {
    try {
      this.#setState(entry, "opening");
      await openEntry(this.api, entry);
      await this.#whilePaused();
      if (this.#isCanceled) return;
      this.#setState(entry, "sending");
      await this.#send(entry);
      if (this.#isCanceled) return;
      for (const file of entry.files) file.file = null; // the browser can forget what it unpacked
      this.#setState(entry, "uploaded");
    } catch (error) {
      if (this.#isCanceled) return;
      const unexpected = new UserError(gettext("This upload could not be started. Reload the page and try again."));
      this.#setState(entry, "failed", error instanceof UserError ? error : unexpected);
    } finally {
      this.#uppy = null;
    }
  }

  /** @param {QueueEntry} entry */
  async #send(entry) {
    const isRetry = Boolean(entry.uppy);
    entry.uppy ??= this.#createUppy(entry);
    this.#uppy = entry.uppy;
    const result = await (isRetry ? entry.uppy.retryAll() : entry.uppy.upload());
    /** @type {{error: string}[]} */
    const failed = result?.failed ?? [];
    if (failed.length) throw new UserError(failed.map(({ error }) => error).join(" "), { isTransient: true });
  }

  /** @param {QueueEntry} entry */
  #createUppy(entry) {
    const uploads = entry.files.flatMap(({ file, session }) => (file && session ? [{ file, upload: session }] : []));
    const uppy = this.createUploader(this.api, uploads);
    uppy.on("store:progress", (/** @type {any} */ file, /** @type {Progress} */ progress) => {
      this.observer.onProgress(file.meta.upload.id, progress);
    });
    return uppy;
  }

  /**
   * @param {QueueEntry} entry
   * @param {EntryState} state
   * @param {UserError | null} error
   */
  #setState(entry, state, error = null) {
    entry.state = state;
    entry.error = error;
    this.observer.onState(entry);
  }

  /** @returns {Promise<void>} */
  #whilePaused() {
    if (!this.isPaused) return Promise.resolve();
    return new Promise((resolve) => {
      this.#goOn = resolve;
    });
  }
}
