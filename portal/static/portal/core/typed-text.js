// Keep the text of a form while the user confirms who they are (portal/reauthentication.py) or signs in again, and
// restore it if they return to the form. It stays in this tab, and is dropped once the form was sent, when they sign
// out, or when another account signs in.
import { announce } from "../../archive/core/announce.js";
import { closestElement, findElement } from "../../archive/core/dom.js";
import { gettext } from "../../archive/core/translate.js";

/** @typedef {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} Field */
/** @typedef {[name: string, value: string, isChecked: boolean][]} Values */
/** @typedef {{forms: Record<string, Values>, sent: string, asked: string, account: string}} Typed by path; the paths that were sent, and asked about; whose it is */

const KEY = "typed-text";
const WRITTEN = ["textarea", "text", "email", "search", "date", "number"];
const NOT_TYPED = ["hidden", "password", "file", "submit", "button", "fieldset"];

/** Whether an earlier page has saved text of a form. */
export const isAnythingTyped = () => sessionStorage.getItem(KEY) !== null;

/** @param {HTMLFormElement} form that is sent now */
export function keepTyped(form) {
  const isWritten = fieldsOf(form).some(({ type, value }) => WRITTEN.includes(type) && value.trim());
  if (!isWritten || findElement(form, "[type=password]") || !form.closest("main")) return;
  const typed = read();
  const path = pathOf(form);
  typed.forms[path] = fieldsOf(form).map((field) => [field.name, field.value, "checked" in field && field.checked]);
  typed.sent = path;
  typed.account = findAccount();
  write(typed);
}

/** On each page after a form was sent. */
export function restoreTyped() {
  const typed = read();
  if (document.body.classList.contains("anonymous")) return followSignIn(typed);
  if (typed.account !== findAccount()) return sessionStorage.removeItem(KEY);
  const question = findElement(document, "[data-confirms]");
  if (question) return followQuestion(question, typed);
  if (typed.sent) delete typed.forms[typed.sent];
  write({ ...typed, sent: "", asked: "" });
  for (const form of document.forms) fill(form, typed.forms[pathOf(form)]);
}

/**
 * Handle a page for visitors, to sign in again after a form was sent without a session.
 *
 * @param {Typed} typed
 */
function followSignIn(typed) {
  const asked = typed.sent || typed.asked;
  if (asked) write({ ...typed, asked, sent: "" });
  else sessionStorage.removeItem(KEY);
}

/**
 * Handle the confirmation page: the form counts as not sent until the user has confirmed.
 *
 * @param {HTMLElement} question
 * @param {Typed} typed
 */
function followQuestion(question, typed) {
  const asked = typed.sent || typed.asked;
  const setSent = (/** @type {boolean} */ isSent) => write({ ...typed, asked, sent: isSent ? asked : "" });
  setSent(false);
  question.addEventListener("submit", () => setSent(true));
  question.addEventListener("click", ({ target }) => {
    if (closestElement(target, "[data-passkey]")) setSent(true); // allauth sends the form without an event
  });
  document.addEventListener("allauth.error", () => setSent(false));
}

/**
 * @param {HTMLFormElement} form
 * @param {Values | undefined} values
 */
function fill(form, values) {
  if (!values) return;
  let isChanged = false;
  for (const field of fieldsOf(form)) {
    const isChoice = "checked" in field && ["checkbox", "radio"].includes(field.type);
    const [, value, isChecked] =
      values.find(([name, v]) => name === field.name && (!isChoice || v === field.value)) ?? [];
    if (value === undefined || (!isChoice && field.value === value)) continue;
    if (isChoice) field.checked = isChecked ?? false;
    else field.value = value;
    isChanged = true;
    field.dispatchEvent(new Event("input", { bubbles: true }));
  }
  const closestFold = (/** @type {HTMLElement | null} */ inner) => closestElement(inner, "details", HTMLDetailsElement);
  for (let fold = closestFold(form); fold; fold = closestFold(fold.parentElement)) fold.open = true;
  if (isChanged) announce(gettext("What you wrote is back in the form."));
}

/** @param {HTMLFormElement} form */
function fieldsOf(form) {
  const fields = /** @type {Field[]} */ ([...form.elements]);
  return fields.filter(({ name, type }) => name && !NOT_TYPED.includes(type));
}

/** Who is signed in. */
const findAccount = () => findElement(document, "[data-account]")?.dataset.account ?? "";

/** @param {HTMLFormElement} form */
const pathOf = (form) => new URL(form.getAttribute("action") || location.href, location.href).pathname;

/** @returns {Typed} */
function read() {
  return JSON.parse(sessionStorage.getItem(KEY) ?? '{"forms": {}, "sent": "", "asked": "", "account": ""}');
}

/** @param {Typed} typed */
function write(typed) {
  if (Object.keys(typed.forms).length) sessionStorage.setItem(KEY, JSON.stringify(typed));
  else sessionStorage.removeItem(KEY);
}
