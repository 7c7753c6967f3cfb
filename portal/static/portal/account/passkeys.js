// Explain why a passkey did not work. allauth's scripts talk to the browser, and report errors as an event.
import { findElement, getElements } from "../../archive/core/dom.js";
import { gettext } from "../../archive/core/translate.js";
import { storeTimeZone } from "../core/local-times.js";

const notice = findElement(document, "[data-passkey-problem]");

if (!globalThis.PublicKeyCredential) show(gettext("This browser can't use passkeys here. They need HTTPS."));

document.addEventListener("allauth.error", (event) => {
  event.preventDefault();
  show(explain(/** @type {CustomEvent} */ (event).detail.exception));
});

for (const button of getElements(document, "[data-passkey]", HTMLButtonElement)) {
  button.addEventListener("click", () => {
    notice?.setAttribute("hidden", "");
    storeTimeZone(); // allauth sends the form without an event
  });
}

/** @param {unknown} error */
function explain(error) {
  const name = error instanceof Error ? error.name : "";
  if (name === "NotAllowedError") return gettext("The passkey was not used: it was canceled or timed out. Try again.");
  if (name === "InvalidStateError") return gettext("This device has a passkey for your account already.");
  if (name === "SecurityError") return gettext("Passkeys do not work at this address. They need a domain name.");
  return gettext("The passkey did not work. Try again, or use another way to sign in.");
}

/** @param {string} text */
function show(text) {
  const place = notice && findElement(notice, "div");
  if (!notice || !place) return;
  place.textContent = text;
  notice.removeAttribute("hidden");
}
