// One file on its way into the store, part by part, by addresses that /api/v1 signs.
//
// Parts that the store has already are not sent again, but only after their bytes were compared: the SHA-256 of this
// file's own slice must be the one that the store has. So another file of the same name and size can't be mixed in.
import { call, gaveUp, Trouble } from "./bring-api.js";

const LANES = 4; // parts at a time; browsers hold six connections to one address
const WAITS = [1, 2, 4, 8, 15, 30]; // seconds before each new attempt; after the last one a person is asked

const base64 = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)));

// The part's SHA-256, base64; without a secure context browsers don't offer it.
async function checksum(blob) {
  let bytes;
  try {
    bytes = await blob.arrayBuffer();
  } catch {
    throw new Trouble("The file can't be read any more: it was changed, moved or taken away. Put it back, or choose it again. What has arrived is kept.");
  }
  return crypto.subtle ? base64(await crypto.subtle.digest("SHA-256", bytes)) : undefined;
}

// The slice itself is sent: what the browser reads from the disk as it goes is never in this page's memory.
function put({ url, headers = {} }, blob, progress, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    request.open("PUT", url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded }) => progress(loaded);
    request.onabort = () => reject(new DOMException("stopped", "AbortError"));
    request.onerror = () => reject(new Trouble("The store can't be reached right now.", { passes: true }));
    request.onload = () => {
      if (request.status < 300) resolve(request.getResponseHeader("ETag"));
      // 403: the address is too old, and the next attempt gets a new one; 400: the bytes did not come through whole.
      else reject(new Trouble(`The store did not take a part of the file (${request.status}).`, { status: request.status, passes: true }));
    };
    request.onloadend = () => signal.removeEventListener("abort", stop);
    signal.addEventListener("abort", stop);
    request.send(blob);
  });
}

// Waits `seconds`, or less where the network comes back meanwhile.
function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const end = (then) => {
      clearTimeout(timer);
      removeEventListener("online", go);
      signal.removeEventListener("abort", stop);
      then();
    };
    const go = () => end(resolve);
    const stop = () => end(() => reject(new DOMException("stopped", "AbortError")));
    const timer = setTimeout(go, seconds * 1000);
    addEventListener("online", go);
    signal.addEventListener("abort", stop);
  });
}

export class Sending {
  // `upload` is what the API says of the session; `shown(bytes there, of those now sent, what is being done)` is told often.
  constructor(file, upload, shown) {
    Object.assign(this, { file, upload, shown });
    this.there = new Map(); // number -> ETag of parts that are in the store for certain
    this.moving = new Map(); // number -> bytes of a part that are on their way
    this.sent = 0; // bytes that this page has sent
    this.known = !upload.resumed;
  }

  size(number) {
    const { size, part_size: step } = this.upload;
    return Math.min(step, size - (number - 1) * step);
  }

  slice(number) {
    const from = (number - 1) * this.upload.part_size;
    return this.file.slice(from, from + this.size(number));
  }

  show(doing = "sending") {
    const there = [...this.there.keys()].reduce((sum, number) => sum + this.size(number), 0);
    const moving = [...this.moving.values()].reduce((sum, bytes) => sum + bytes, 0);
    this.shown(Math.min(there + moving, this.upload.size), this.sent + moving, doing);
  }

  // Sends what is missing and completes the upload. May be called again after it failed or was stopped.
  async run(signal) {
    if (!this.known) await this.patient(() => this.compare(signal), signal);
    this.known = true;
    if (this.over) return null;
    this.show();
    const left = Array.from({ length: this.upload.part_count }, (_, index) => index + 1).filter((number) => !this.there.has(number));
    const own = new AbortController(); // the first lane that fails stops the others
    const both = AbortSignal.any([signal, own.signal]);
    const lane = async () => {
      for (let number = left.shift(); number; number = left.shift()) await this.send(number, both);
    };
    try {
      await Promise.all(Array.from({ length: LANES }, lane));
    } catch (error) {
      own.abort();
      throw error;
    }
    this.show("completing");
    try {
      return await this.patient(() => this.complete(signal), signal);
    } catch (error) {
      if (error.status === 409) this.forget(); // the store has something else: the next attempt asks what
      throw error;
    }
  }

  forget() {
    this.there.clear();
    this.known = false;
  }

  complete(signal) {
    const parts = [...this.there].sort(([a], [b]) => a - b).map(([number, etag]) => ({ number, etag }));
    const named = parts.every(({ etag }) => etag); // a store whose CORS hides ETags is asked for its own list only
    return call("POST", `/uploads/${this.upload.id}/complete`, named ? { parts } : {}, { signal });
  }

  async compare(signal) {
    const { state, problem, parts } = await call("GET", `/uploads/${this.upload.id}`, undefined, { signal });
    if (state === "aborted") throw new Trouble(`This upload is over: ${problem} Reload the page to begin anew.`);
    this.over = state !== "open"; // it was completed, and only the answer was lost
    for (const { number, size, etag, sha256 } of parts) {
      signal.throwIfAborted();
      if (size !== this.size(number) || !sha256 || !crypto.subtle) continue;
      if ((await checksum(this.slice(number))) === sha256) this.there.set(number, etag);
      this.show("comparing");
    }
  }

  async send(number, signal) {
    const blob = this.slice(number);
    const sha256 = await checksum(blob);
    try {
      const etag = await this.patient(async () => {
        const { parts: [signed] } = await call("POST", `/uploads/${this.upload.id}/parts`, { parts: [{ number, ...(sha256 && { sha256 }) }] }, { signal });
        return put(signed, blob, (loaded) => { this.moving.set(number, loaded); this.show(); }, signal);
      }, signal);
      this.there.set(number, etag);
      this.sent += blob.size;
    } finally {
      this.moving.delete(number);
      this.show();
    }
  }

  // Does it again where that may help: at growing distances, and at once when the network is back.
  async patient(work, signal) {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await work();
      } catch (error) {
        if (gaveUp(error) || !error.passes || attempt === WAITS.length) throw error;
        this.show("waiting");
        await pause(WAITS[attempt], signal);
      }
    }
  }
}
