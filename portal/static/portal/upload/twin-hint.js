// A hint that a Space with this title and end was uploaded before. It does not prevent the upload.
import { getElement } from "../../archive/core/dom.js";

/** @import { Api } from "./api.js" */
/** @typedef {{title: string, url: string} | null | undefined} Twin */

/**
 * @param {ParentNode} place the form, or the row of a recording
 * @param {Twin} twin
 */
export function showTwin(place, twin) {
  const notice = getElement(place, "[data-twin]");
  const link = getElement(notice, "a", HTMLAnchorElement);
  if (twin) {
    link.href = twin.url;
    link.textContent = twin.title;
  }
  notice.hidden = !twin;
}

/**
 * Look up the twin of the form's current values. Errors show no hint.
 *
 * @param {HTMLFormElement} form
 * @param {Api} api
 * @param {{title: string, ended_at?: string, host?: string}} facts
 */
export async function lookForTwin(form, api, { title, ended_at, host = "" }) {
  if (!title || !ended_at) return showTwin(form, null);
  try {
    const { twin } = await api.inspect([], "", undefined, { title, ended_at, host });
    showTwin(form, twin);
  } catch {
    showTwin(form, null);
  }
}
