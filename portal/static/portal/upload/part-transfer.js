// Send one part of a file: its checksum, the PUT request, and the delay before a retry.
import { gettext, interpolate } from "../../archive/core/translate.js";
import { UserError } from "./api.js";

/** @param {ArrayBuffer} bytes */
const base64 = (bytes) => btoa(String.fromCharCode(...new Uint8Array(bytes)));

/**
 * The SHA-256, base64; undefined outside of a secure context, where browsers do not offer it.
 *
 * @param {Blob} blob
 */
export async function checksum(blob) {
  let bytes;
  try {
    bytes = await blob.arrayBuffer();
  } catch {
    throw new UserError(
      gettext(
        "The file can't be read any more: it was changed, moved or removed. Put it back, or choose it again. What is uploaded is kept.",
      ),
    );
  }
  return crypto.subtle ? base64(await crypto.subtle.digest("SHA-256", bytes)) : undefined;
}

/**
 * Send a part. The browser streams the slice from the disk, so it is never in this page's memory.
 *
 * @param {{url: string, headers?: Record<string, string>}} signed
 * @param {Blob} blob
 * @param {(bytes: number) => void} onProgress
 * @param {AbortSignal} signal
 * @returns {Promise<string | null>} the ETag, if CORS shows it
 */
export function putPart({ url, headers = {} }, blob, onProgress, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const abort = () => request.abort();
    request.open("PUT", url);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = ({ loaded }) => onProgress(loaded);
    request.onabort = () => reject(new DOMException("stopped", "AbortError"));
    request.onerror = () =>
      reject(new UserError(gettext("The storage is temporarily unavailable."), { isTransient: true }));
    request.onload = () => {
      const { status } = request;
      if (status < 300) return resolve(request.getResponseHeader("ETag"));
      // 403: the URL has expired, and the retry gets a new one. 400: the body was damaged on the way.
      const message = interpolate(gettext("The storage did not accept a part of the file (%(status)s)."), { status });
      reject(new UserError(message, { status, isTransient: true }));
    };
    request.onloadend = () => signal.removeEventListener("abort", abort);
    signal.addEventListener("abort", abort);
    request.send(blob);
  });
}

/**
 * Wait, or less if the network comes back meanwhile.
 *
 * @param {number} seconds
 * @param {AbortSignal} signal
 * @returns {Promise<void>}
 */
export function delay(seconds, signal) {
  return new Promise((resolve, reject) => {
    const cleanUp = () => {
      clearTimeout(timer);
      removeEventListener("online", finish);
      signal.removeEventListener("abort", abort);
    };
    const finish = () => {
      cleanUp();
      resolve();
    };
    const abort = () => {
      cleanUp();
      reject(new DOMException("stopped", "AbortError"));
    };
    const timer = setTimeout(finish, seconds * 1000);
    addEventListener("online", finish);
    signal.addEventListener("abort", abort);
  });
}
