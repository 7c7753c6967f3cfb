// Poll the state of an uploaded recording until it is available or rejected.

/** @import { Api } from "./api.js" */

const OVER = ["available", "rejected", "expiring", "deleted"];
const INTERVAL = 2000; // ms
const LONGEST_INTERVAL = 30e3;

/**
 * @param {Api} api
 * @param {string} space id
 * @returns {Promise<{state: string, problem: string}>}
 */
export async function watchProcessing(api, space) {
  for (let pause = INTERVAL; ; pause = Math.min(pause * 1.25, LONGEST_INTERVAL)) {
    try {
      const { state, problem } = await api.call("GET", `/spaces/${space}`);
      if (OVER.includes(state)) return { state, problem };
    } catch {
      // The network is down, or the session is over: ask again later.
    }
    await new Promise((resolve) => setTimeout(resolve, pause));
  }
}
