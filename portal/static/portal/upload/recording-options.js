// Several recordings to choose from, with the facts in their files, the newest first.
import { UserError } from "./api.js";
import { findCompanions } from "./companions.js";
import { inspectItems } from "./inspect.js";

/** @import { Api } from "./api.js" */
/** @import { Companions } from "./companions.js" */
/** @import { UploadConfig } from "./config.js" */
/** @import { Item } from "./items.js" */
/** @import { SortedItem } from "./sort.js" */

/**
 * @typedef {object} RecordingOption
 * @property {Item} recording
 * @property {Companions} companions
 * @property {any} facts what the server found; {} if it could not look
 * @property {string} [rejection] why it can't be uploaded, or ""
 */

const AT_ONCE = 3; // requests

/**
 * @param {Api} api
 * @param {SortedItem[]} sorted
 * @param {Item[]} recordings
 * @param {UploadConfig} config
 * @param {(done: number, count: number) => void} report
 * @returns {Promise<RecordingOption[]>}
 */
export async function inspectAll(api, sorted, recordings, config, report) {
  const options = recordings.map((recording) => ({
    recording,
    companions: findCompanions(sorted, recording),
    facts: {},
  }));
  const pending = [...options];
  let done = 0;
  const lane = async () => {
    for (let option = pending.shift(); option; option = pending.shift()) {
      report(done, options.length);
      option.facts = await inspect(api, option, config);
      done += 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  return options.sort((a, b) => endOf(b) - endOf(a) || a.recording.path.localeCompare(b.recording.path));
}

/**
 * @param {Api} api
 * @param {RecordingOption} option
 * @param {UploadConfig} config
 */
async function inspect(api, { recording, companions }, config) {
  try {
    return await inspectItems(api, recording, companions, config);
  } catch (error) {
    if (error instanceof UserError) return {}; // the user is asked for the facts
    throw error;
  }
}

/** @param {RecordingOption} option */
const endOf = ({ facts }) => (facts.ended_at ? Date.parse(facts.ended_at) : 0);
