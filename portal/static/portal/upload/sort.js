// Sort the chosen files. The server classifies them by name, size and first bytes, with the same rules as for folders
// and archives (archive/intake/importers). No code here knows a format.
import { gettext, interpolate, ngettext } from "../../archive/core/translate.js";
import { UserError } from "./api.js";
import { folderOf } from "./config.js";

/** @import { Api } from "./api.js" */
/** @import { UploadConfig } from "./config.js" */
/** @import { Item } from "./items.js" */

/**
 * @typedef {object} SortedItem
 * @property {Item} item
 * @property {"recording" | "transcript" | "metadata"} kind
 * @property {string[]} recordings paths of those that it belongs to; none if the names don't tell
 * @property {string} language of a transcript, by its name, or ""
 */

/** @typedef {{files: SortedItem[], leftOut: string[]}} Sorted what is of use, and a line for each file that is not */

/**
 * Sort the files of one folder or archive. Throws UserError.
 *
 * @param {Api} api
 * @param {Item[]} items
 * @param {UploadConfig} config
 * @returns {Promise<Sorted>}
 */
export async function sortItems(api, items, config) {
  const related = relatedItems(items, config);
  if (related.length > config.sortedFiles) {
    const text = gettext(
      "There are more than %(limit)s files. Choose the recording and the files beside it, or ask your operator to import the folder.",
    );
    throw new UserError(interpolate(text, { limit: config.sortedFiles }));
  }
  const heads = await Promise.all(
    related.map((item) => (config.hidden.test(item.path) ? new Blob() : item.readHead(config.sniffedBytes))),
  );
  const description = related.map(({ path, size, fault }, index) => ({
    name: path,
    size,
    fault,
    head: heads[index].size,
  }));
  const answer = await api.sort(JSON.stringify(description), new Blob(heads));
  const byPath = new Map(related.map((item) => [item.path, item]));
  return {
    files: answer.files.flatMap((/** @type {any} */ { file, ...rest }) => {
      const item = byPath.get(file);
      return item ? [{ item, ...rest }] : [];
    }),
    leftOut: [...answer.left_out.map(describeLeftOut), ...describeUnrelated(items.length - related.length)],
  };
}

/**
 * Without the files of an X data archive that are not about Spaces: there may be 100,000, and they stay unread.
 *
 * @param {Item[]} items
 * @param {UploadConfig} config
 */
function relatedItems(items, { spaceArchive, spaceRecording, spaceMetadata }) {
  if (!items.some(({ path }) => spaceArchive.test(path))) return items;
  const spaces = items.filter(({ path }) => spaceRecording.test(path) || spaceMetadata.test(path));
  const folders = new Set(spaces.filter(({ path }) => spaceRecording.test(path)).map(({ path }) => folderOf(path)));
  return items.filter((item) => spaces.includes(item) || folders.has(folderOf(item.path)));
}

/** @param {{file: string, count: number, problem: string}} line */
function describeLeftOut({ file, count, problem }) {
  if (count === 1) return interpolate(gettext("%(file)s: %(problem)s"), { file, problem });
  const text = ngettext("%(file)s (%(count)s file): %(problem)s", "%(file)s (%(count)s files): %(problem)s", count);
  return interpolate(text, { file, count, problem });
}

/** @param {number} count */
function describeUnrelated(count) {
  if (!count) return [];
  const text = ngettext(
    "%(count)s file of this X data archive is not about Spaces. It is not read.",
    "%(count)s files of this X data archive are not about Spaces. They are not read.",
    count,
  );
  return [interpolate(text, { count })];
}
