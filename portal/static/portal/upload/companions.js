// The files that go with a recording: those that are named after it, or the only ones beside it.
import { gettext, interpolate } from "../../archive/core/translate.js";

/** @import { Item } from "./items.js" */
/** @import { SortedItem } from "./sort.js" */

/** @typedef {"transcript" | "metadata"} CompanionKind */
/**
 * @typedef {object} Companions
 * @property {Item} [transcript]
 * @property {Item} [metadata]
 * @property {string} language of the transcript, by its name, or ""
 * @property {string[]} leftOut a line for each file that is not taken
 */

/** @type {CompanionKind[]} */
const KINDS = ["transcript", "metadata"];
/** @type {Record<CompanionKind, string>} */
const ONE_AT_A_TIME = {
  transcript: gettext("Only one file is used for the transcript: %(file)s was left out."),
  metadata: gettext("Only one file is used for the metadata: %(file)s was left out."),
};

/**
 * @param {SortedItem[]} sorted
 * @param {Item | undefined} recording
 * @returns {Companions}
 */
export function findCompanions(sorted, recording) {
  /** @type {Companions} */
  const companions = { language: "", leftOut: [] };
  const isAlone = sorted.filter(({ kind }) => kind === "recording").length < 2;
  for (const kind of KINDS) {
    const all = sorted.filter((one) => one.kind === kind);
    const own = all.filter(({ recordings }) => recording && recordings.includes(recording.path));
    const [first, ...others] = [...own, ...(isAlone ? all.filter(isLoose) : [])];
    if (first) {
      companions[kind] = first.item;
      companions.language ||= first.language;
    }
    companions.leftOut.push(...others.map(({ item }) => interpolate(ONE_AT_A_TIME[kind], { file: item.path })));
  }
  return companions;
}

/**
 * A line for each file that could belong to any of several recordings.
 *
 * @param {SortedItem[]} sorted
 */
export function describeLoose(sorted) {
  if (sorted.filter(({ kind }) => kind === "recording").length < 2) return [];
  const text = gettext("%(file)s is not named after a recording, so it was left out.");
  return sorted
    .filter((one) => one.kind !== "recording" && isLoose(one))
    .map(({ item }) => interpolate(text, { file: item.path }));
}

/** @param {SortedItem} sorted */
const isLoose = ({ recordings }) => !recordings.length;
