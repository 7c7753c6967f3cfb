// Group the chosen or dropped files for sorting: the loose files, and each ZIP archive separately.
import { gettext, interpolate } from "../../archive/core/translate.js";
import { UserError } from "./api.js";
import { baseName } from "./config.js";
import { sortItems } from "./sort.js";
import { isArchive, listMembers } from "./zip-reader.js";

/** @import { Api } from "./api.js" */
/** @import { UploadConfig } from "./config.js" */
/** @import { Item } from "./items.js" */
/** @import { SortedItem } from "./sort.js" */

/**
 * @typedef {object} Group
 * @property {string} archive its name; "" for loose files
 * @property {Item[]} items
 */
/**
 * @typedef {object} Sorting
 * @property {SortedItem[]} sorted
 * @property {string[]} leftOut a line for each file that is not taken
 * @property {string[]} errors
 */

/**
 * Open the archives among the items.
 *
 * @param {Item[]} items
 * @param {UploadConfig} config
 * @param {(message: string) => void} report
 * @returns {Promise<{groups: Group[], errors: string[]}>}
 */
export async function openArchives(items, config, report) {
  /** @type {Group} */
  const loose = { archive: "", items: [] };
  const [groups, errors] = [[loose], /** @type {string[]} */ ([])];
  for (const item of items) {
    const archive = baseName(item.path);
    try {
      if (!(await isArchive(item, config))) {
        loose.items.push(item);
        continue;
      }
      report(interpolate(gettext("Inspecting %(file)s"), { file: archive }));
      groups.push({ archive, items: await listMembers(await item.open()) });
    } catch (error) {
      errors.push(messageOf(error, item.path));
    }
  }
  return { groups: groups.filter((group) => group.items.length || group.archive), errors };
}

/**
 * Classify each file of the groups.
 *
 * @param {Api} api
 * @param {Group[]} groups
 * @param {UploadConfig} config
 */
export async function sortGroups(api, groups, config) {
  /** @type {Sorting} */
  const all = { sorted: [], leftOut: [], errors: [] };
  for (const { archive, items } of groups) {
    try {
      const { files, leftOut } = await sortItems(api, items, config);
      all.sorted.push(...files);
      all.leftOut.push(...leftOut);
      if (archive && !files.some(({ kind }) => kind === "recording")) {
        all.errors.push(interpolate(gettext("%(file)s: there is no recording in it."), { file: archive }));
      }
    } catch (error) {
      all.errors.push(messageOf(error, items[0]?.path ?? archive));
    }
  }
  return all;
}

/**
 * Why a file can't be used, for people.
 *
 * @param {unknown} error
 * @param {string} path
 */
export function messageOf(error, path) {
  const unreadable = gettext(
    "%(file)s can't be read: it was changed or moved, or it is a folder. Choose the files in it.",
  );
  return error instanceof UserError ? error.message : interpolate(unreadable, { file: baseName(path) });
}
