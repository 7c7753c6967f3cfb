// Where the player gets its audio: a signed URL of the object store, or a file beside the page.
import { gettext } from "../core/translate.js";

/**
 * @typedef {"gone" | "unreachable" | "unplayable"} AudioProblem
 *
 * @typedef {object} AudioSource
 * @property {Partial<Record<AudioProblem, string>>} messages what to show for each problem
 * @property {() => boolean} isExpired whether the URL can no longer load anything that is not buffered yet
 * @property {() => Promise<AudioProblem | null>} renew get a new URL, or the reason why there is none
 */

/**
 * A signed URL lives for minutes; readers stay for hours. Browsers do not always report an expired URL (Chromium silently
 * retries a 403 for half a minute), so its lifetime is measured here.
 *
 * @param {HTMLElement} player
 * @returns {AudioSource}
 */
export function signedSource(player) {
  const audio = player.querySelector("audio");
  const lifetime = Number(player.dataset.urlLifetime) * 1000; // ms
  let issuedAt = performance.now();
  return {
    messages: {
      gone: gettext("The deadline of this Space has passed. It can no longer be played."),
      unreachable: gettext(
        "The recording is temporarily unavailable. Your position is remembered, and nothing was lost.",
      ),
      unplayable: gettext(
        "The recording can't be played right now, or not by this browser. Nothing was lost: it can be downloaded here.",
      ),
    },
    isExpired: () => performance.now() - issuedAt > lifetime,
    // Ask the portal, not the store: it knows the deadline, and redirects to a newly signed URL.
    async renew() {
      try {
        const response = await fetch(audio?.src ?? "", { method: "HEAD", redirect: "manual", cache: "no-store" });
        if (response.status === 410) return "gone";
        if (response.type !== "opaqueredirect") return "unreachable";
      } catch {
        return "unreachable";
      }
      issuedAt = performance.now();
      return null;
    },
  };
}

/** @type {AudioSource} */
export const LOCAL_FILE = {
  messages: {
    unplayable: gettext(
      "The recording can't be played. It should be in the same folder as this page: if you opened the page inside the ZIP, unpack the ZIP first. If it is there, this browser can't play it, but another player may.",
    ),
  },
  isExpired: () => false,
  renew: async () => null,
};
