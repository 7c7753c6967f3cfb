// The review of a Space: keys for the queue, and the claim that keeps other admins away while this page is open.
// Without this script links and buttons do the same, and the claim expires after three minutes.
import { announce } from "../../archive/core/announce.js";
import { closestElement, findElement, getElement } from "../../archive/core/dom.js";

const RENEW_MS = 60_000; // a claim lasts three times as long: LEASE in archive/moderation/reviews.py
const TYPING = "input:not([type=range], [type=checkbox]), textarea, select, [contenteditable]";

const panel = getElement(document, "[data-review]");
const form = findElement(panel, "[data-no-violation]", HTMLFormElement);
const { claimUrl, claimFence } = panel.dataset;

mountKeys();
if (form && claimUrl && claimFence) keepClaim(form, claimUrl, claimFence);

/** N, U, J, K and F, wherever the focus is: on this page the player has no J and K of its own. */
function mountKeys() {
  /** @type {Record<string, () => void>} */
  const actions = {
    n: () => form?.requestSubmit(),
    j: () => findElement(panel, "[data-next]")?.click(),
    k: () => findElement(panel, "[data-previous]")?.click(),
    u: () => findElement(document, "[data-undo]", HTMLFormElement)?.requestSubmit(),
    f: () => {
      const rule = document.getElementById("flag-rule");
      const fold = closestElement(rule, "details", HTMLDetailsElement);
      if (fold) fold.open = true;
      rule?.focus();
    },
  };
  // Captured, so that the player's shortcuts, which work on the whole page, see that the key was used.
  document.addEventListener(
    "keydown",
    (event) => {
      const action = actions[event.key.toLowerCase()];
      if (!action || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || event.repeat) return;
      if (closestElement(event.target, TYPING)) return;
      event.preventDefault();
      action();
    },
    { capture: true },
  );
}

/**
 * Renew the claim while the page is open, and release it when the page closes.
 *
 * @param {HTMLFormElement} form
 * @param {string} url
 * @param {string} fence the number of this page's claim
 */
function keepClaim(form, url, fence) {
  const lost = getElement(panel, "[data-claim-lost]");

  /** @param {Record<string, string>} fields */
  const body = (fields) => {
    const data = new FormData();
    data.set("csrfmiddlewaretoken", getElement(form, "[name=csrfmiddlewaretoken]", HTMLInputElement).value);
    for (const [name, value] of Object.entries(fields)) data.set(name, value);
    return data;
  };
  const renew = async () => {
    try {
      const { status } = await fetch(url, { method: "POST", body: body({}) });
      if (status === 409 && lost.hidden) announce(lost.textContent.trim());
      lost.hidden = status !== 409;
    } catch {
      // The network is down: the next attempt renews it, or finds out that another admin has it.
    }
  };
  let timer = setInterval(renew, RENEW_MS);
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") renew();
  });
  addEventListener("pagehide", () => {
    clearInterval(timer);
    navigator.sendBeacon(url, body({ release: fence }));
  });
  addEventListener("pageshow", ({ persisted }) => {
    if (!persisted) return;
    timer = setInterval(renew, RENEW_MS);
    renew();
  });
}
