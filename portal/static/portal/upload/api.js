// Calls to /api/v1 with the session cookie, and errors that tell people what to do.
import { gettext, interpolate } from "../../archive/core/translate.js";

/** @typedef {{loc: string[], msg: string}} FieldError */

/** An error with a message for people. */
export class UserError extends Error {
  /**
   * @param {string} message
   * @param {object} [details]
   * @param {number} [details.status] of the HTTP response
   * @param {boolean} [details.isTransient] whether a retry may help
   * @param {FieldError[]} [details.errors] messages for single fields
   */
  constructor(message, { status = 0, isTransient = false, errors = [] } = {}) {
    super(message);
    this.name = "UserError";
    this.status = status;
    this.isTransient = isTransient;
    this.errors = errors;
  }
}

/** @param {unknown} error */
export function isAbort(error) {
  return error instanceof Error && error.name === "AbortError";
}

export class Api {
  #csrfToken;
  #inspectUrl;
  #sortUrl;

  /** @param {HTMLElement} page with the CSRF token */
  constructor(page) {
    this.#csrfToken = page.dataset.csrf ?? "";
    this.#inspectUrl = page.dataset.inspectUrl ?? "";
    this.#sortUrl = page.dataset.sortUrl ?? "";
  }

  /**
   * The JSON of the response, or null without one. Throws UserError, and AbortError after `signal`.
   *
   * @param {string} method
   * @param {string} path below /api/v1
   * @param {object} [body]
   * @param {object} [options]
   * @param {AbortSignal} [options.signal]
   * @param {string} [options.key] idempotency key: a request that is sent twice has one effect
   * @returns {Promise<any>}
   */
  async call(method, path, body, { signal, key } = {}) {
    /** @type {Record<string, string>} */
    const headers = {};
    if (body !== undefined) headers["Content-Type"] = "application/json";
    if (key) headers["Idempotency-Key"] = key;
    const payload = body === undefined ? undefined : JSON.stringify(body);
    const response = await this.#fetch(`/api/v1${path}`, { method, headers, signal, body: payload });
    if (!response.ok) throw await readError(response);
    return response.status === 204 ? null : response.json();
  }

  /**
   * What the portal finds in small files.
   *
   * @param {[string, Blob][]} files names and content; of the recording only the head
   * @param {string} recording its name, or ""
   * @param {Blob} [transcript] all of it, or its beginning
   * @param {Record<string, string>} [typed] what people typed about the Space
   * @returns {Promise<any>}
   */
  async inspect(files, recording, transcript, typed = {}) {
    const form = new FormData();
    for (const [name, value] of Object.entries(typed)) form.append(name, value);
    form.append("recording", recording);
    if (transcript) form.append("transcript", transcript, "transcript");
    for (const [name, blob] of files) form.append("file", blob, name);
    const response = await this.#fetch(this.#inspectUrl, { method: "POST", body: form });
    if (!response.ok || response.redirected) throw await readError(response);
    return response.json();
  }

  /**
   * What files are, by their descriptions (JSON) and their first bytes, one after the other.
   *
   * @param {string} files
   * @param {Blob} heads
   * @returns {Promise<any>}
   */
  async sort(files, heads) {
    const form = new FormData();
    form.append("files", files);
    form.append("heads", heads, "heads");
    const response = await this.#fetch(this.#sortUrl, { method: "POST", body: form });
    if (!response.ok || response.redirected) throw await readError(response);
    return response.json();
  }

  /**
   * @param {string} url
   * @param {RequestInit} options
   */
  async #fetch(url, options) {
    const response = await this.#fetchOnce(url, options);
    return response.status === 403 && (await this.#renewToken()) ? this.#fetchOnce(url, options) : response;
  }

  /**
   * @param {string} url
   * @param {RequestInit} options
   */
  async #fetchOnce(url, options) {
    const headers = { .../** @type {Record<string, string>} */ (options.headers), "X-CSRFToken": this.#csrfToken };
    try {
      return await fetch(url, { ...options, credentials: "same-origin", headers });
    } catch (error) {
      if (isAbort(error)) throw error;
      throw new UserError(gettext("Spacekeep is temporarily unavailable."), { isTransient: true });
    }
  }

  /** Signing in again in another tab changes the token. Get the new one, so that nothing typed on this page is lost. */
  async #renewToken() {
    const response = await this.#fetchOnce(location.href, { method: "GET" });
    const page = new DOMParser().parseFromString(await response.text(), "text/html").querySelector("[data-csrf]");
    const token = page instanceof HTMLElement ? page.dataset.csrf : undefined;
    if (token) this.#csrfToken = token;
    return Boolean(token);
  }
}

/** @param {Response} response */
async function readError(response) {
  const { status } = response;
  const problem = await response.json().catch(() => ({}));
  if (status === 401 || response.redirected) {
    const message = gettext(
      "You are not signed in any more. Sign in again in another tab, then try again here: what is uploaded is kept.",
    );
    return new UserError(message, { status });
  }
  const unknown = interpolate(gettext("Spacekeep answered %(status)s."), { status });
  const message = [problem.detail ?? problem.title ?? unknown].flat().join(" ");
  return new UserError(message, {
    status,
    isTransient: status === 429 || status >= 500,
    errors: problem.errors ?? [],
  });
}
