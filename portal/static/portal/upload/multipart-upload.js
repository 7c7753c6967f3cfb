// Upload one file to the store, part by part, with URLs that /api/v1 signs.
//
// Parts that the store already has are not sent again, but only after their content was compared: the SHA-256 of the
// slice of this file must be the one the store has. So another file of the same name and size can't be mixed in.
import { gettext, interpolate } from "../../archive/core/translate.js";
import { isAbort, UserError } from "./api.js";
import { checksum, delay, putPart } from "./part-transfer.js";

const LANES = 4; // parts at a time; browsers hold six connections to one host
const RETRY_DELAYS = [1, 2, 4, 8, 15, 30]; // seconds; after the last one the user is asked

/** @import { Api } from "./api.js" */
/** @typedef {"" | "comparing" | "sending" | "completing" | "waiting"} Activity */
/**
 * @typedef {object} UploadSession as the API describes it
 * @property {string} id
 * @property {string} space
 * @property {"recording" | "transcript"} kind
 * @property {number} size
 * @property {number} part_size
 * @property {number} part_count
 * @property {boolean} [resumed] whether it was opened before this page was loaded
 *
 * @typedef {object} Progress
 * @property {number} uploaded bytes of the file in the store
 * @property {number} sent bytes that this page has sent
 * @property {Activity} activity
 */

export class MultipartUpload {
  /** @type {Map<number, string | null>} number to ETag of the parts that are certainly in the store */
  #stored = new Map();
  /** @type {Map<number, number>} number to bytes of the parts that are being sent */
  #sending = new Map();
  #sentBytes = 0;
  #isCompared;
  #isOver = false; // it was completed before, and only the response was lost

  /**
   * @param {Api} api
   * @param {File | Blob} file
   * @param {UploadSession} session
   * @param {(progress: Progress) => void} onProgress called often
   */
  constructor(api, file, session, onProgress) {
    this.api = api;
    this.file = file;
    this.session = session;
    this.onProgress = onProgress;
    this.#isCompared = !session.resumed;
  }

  /**
   * Send what is missing and complete the upload. May be called again after it failed or was stopped.
   *
   * @param {AbortSignal} signal
   */
  async run(signal) {
    if (!this.#isCompared) await this.#retry(() => this.#compare(signal), signal);
    this.#isCompared = true;
    if (this.#isOver) return null;
    this.#report();
    await this.#sendAll(signal);
    this.#report("completing");
    try {
      return await this.#retry(() => this.#complete(signal), signal);
    } catch (error) {
      // The store has something else: compare again at the next attempt.
      if (error instanceof UserError && error.status === 409) {
        this.#stored.clear();
        this.#isCompared = false;
      }
      throw error;
    }
  }

  /** @param {number} number */
  #sizeOf(number) {
    const { size, part_size: partSize } = this.session;
    return Math.min(partSize, size - (number - 1) * partSize);
  }

  /** @param {number} number */
  #slice(number) {
    const start = (number - 1) * this.session.part_size;
    return this.file.slice(start, start + this.#sizeOf(number));
  }

  /** @param {Activity} activity */
  #report(activity = "sending") {
    const stored = [...this.#stored.keys()].reduce((sum, number) => sum + this.#sizeOf(number), 0);
    const sending = [...this.#sending.values()].reduce((sum, bytes) => sum + bytes, 0);
    const uploaded = Math.min(stored + sending, this.session.size);
    this.onProgress({ uploaded, sent: this.#sentBytes + sending, activity });
  }

  /** @param {AbortSignal} signal */
  async #sendAll(signal) {
    const numbers = Array.from({ length: this.session.part_count }, (_, index) => index + 1);
    const missing = numbers.filter((number) => !this.#stored.has(number));
    const failure = new AbortController(); // the first lane that fails stops the others
    const either = AbortSignal.any([signal, failure.signal]);
    const lane = async () => {
      for (let number = missing.shift(); number; number = missing.shift()) await this.#send(number, either);
    };
    try {
      await Promise.all(Array.from({ length: LANES }, lane));
    } catch (error) {
      failure.abort();
      throw error;
    }
  }

  /** @param {AbortSignal} signal */
  #complete(signal) {
    const parts = [...this.#stored].sort(([a], [b]) => a - b).map(([number, etag]) => ({ number, etag }));
    const isNamed = parts.every(({ etag }) => etag); // where CORS hides ETags, the API asks the store for its list
    return this.api.call("POST", `/uploads/${this.session.id}/complete`, isNamed ? { parts } : {}, { signal });
  }

  /** @param {AbortSignal} signal */
  async #compare(signal) {
    const { state, problem, parts } = await this.api.call("GET", `/uploads/${this.session.id}`, undefined, { signal });
    if (state === "aborted") {
      const text = gettext("This upload has ended: %(problem)s Reload the page to start again.");
      throw new UserError(interpolate(text, { problem }));
    }
    this.#isOver = state !== "open";
    for (const { number, size, etag, announced_sha256: announced } of parts) {
      signal.throwIfAborted();
      if (size !== this.#sizeOf(number) || !announced || !crypto.subtle) continue;
      if ((await checksum(this.#slice(number))) === announced) this.#stored.set(number, etag);
      this.#report("comparing");
    }
  }

  /**
   * @param {number} number
   * @param {AbortSignal} signal
   */
  async #send(number, signal) {
    const blob = this.#slice(number);
    const sha256 = await checksum(blob);
    const body = { parts: [{ number, ...(sha256 && { sha256 }) }] };
    const onProgress = (/** @type {number} */ bytes) => {
      this.#sending.set(number, bytes);
      this.#report();
    };
    try {
      const etag = await this.#retry(async () => {
        const { parts } = await this.api.call("POST", `/uploads/${this.session.id}/parts`, body, { signal });
        return putPart(parts[0], blob, onProgress, signal);
      }, signal);
      this.#stored.set(number, etag);
      this.#sentBytes += blob.size;
    } finally {
      this.#sending.delete(number);
      this.#report();
    }
  }

  /**
   * Retry transient errors with growing delays, and at once when the network is back.
   *
   * @template T
   * @param {() => Promise<T>} action
   * @param {AbortSignal} signal
   * @returns {Promise<T>}
   */
  async #retry(action, signal) {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await action();
      } catch (error) {
        const isTransient = error instanceof UserError && error.isTransient;
        if (isAbort(error) || !isTransient || attempt === RETRY_DELAYS.length) throw error;
        this.#report("waiting");
        await delay(RETRY_DELAYS[attempt], signal);
      }
    }
  }
}
