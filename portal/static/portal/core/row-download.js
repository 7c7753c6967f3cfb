// The download of a row: request the bundle, show its progress in the row, and start the download when it is ready.
import { announce } from "../../archive/core/announce.js";
import { findElement, getElement, setIcon } from "../../archive/core/dom.js";
import { gettext } from "../../archive/core/translate.js";

const PAUSE = 1000; // ms between two requests for the progress
const LONGEST_PAUSE = 15e3; // ms, after requests without an answer
const MAX_MISSES = 8; // of these in a row: more than a minute

/** @typedef {{state: string, percent: number, text: string, url: string}} Progress */

/** @param {HTMLFormElement} form */
export async function downloadRow(form) {
  const button = getElement(form, "button", HTMLButtonElement);
  const line = getElement(form.parentElement ?? document, ".fetched");
  button.setAttribute("aria-busy", "true");
  setIcon(button, "reload");
  announce(gettext("The download is being prepared. It starts by itself."));
  let progress = await ask(form, "POST");
  for (let misses = 0; !isOver(progress) && misses < MAX_MISSES; misses = progress ? 0 : misses + 1) {
    show(line, progress);
    await new Promise((resolve) => setTimeout(resolve, Math.min(PAUSE * 2 ** misses, LONGEST_PAUSE)));
    progress = await ask(form, "GET");
  }
  button.removeAttribute("aria-busy");
  setIcon(button, progress?.url ? "check" : "download");
  const text = progress?.url
    ? gettext("Downloading")
    : progress?.text || gettext("It can't be downloaded right now. Nothing was lost.");
  line.textContent = text;
  line.classList.toggle("wrong", !progress?.url);
  announce(text);
  if (progress?.url) location.assign(progress.url);
}

/** @param {Progress | null} progress */
function isOver(progress) {
  return Boolean(progress) && !["requested", "building"].includes(progress?.state ?? "");
}

/**
 * The progress, or null if there was no answer. If the Space is gone or the session ended, a page that says so replaces
 * this one.
 *
 * @param {HTMLFormElement} form
 * @param {"GET" | "POST"} method
 * @returns {Promise<Progress | null>}
 */
async function ask(form, method) {
  try {
    const body = method === "POST" ? new FormData(form) : undefined;
    const response = await fetch(form.action, { method, body, headers: { Accept: "application/json" } });
    if ([403, 404, 410].includes(response.status) || response.redirected)
      location.assign(form.action.replace(/bundle$/, ""));
    const isJson = response.headers.get("Content-Type")?.startsWith("application/json");
    return isJson ? await response.json() : null;
  } catch {
    return null;
  }
}

/**
 * @param {HTMLElement} line
 * @param {Progress | null} progress
 */
function show(line, progress) {
  if (!progress) return;
  const bar = findElement(line, "progress", HTMLProgressElement) ?? document.createElement("progress");
  bar.max = 100;
  bar.value = progress.percent;
  bar.setAttribute("aria-label", gettext("Download"));
  line.classList.remove("wrong");
  line.replaceChildren(bar, progress.text);
}
