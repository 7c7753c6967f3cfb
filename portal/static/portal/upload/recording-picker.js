// The recording among the chosen files, and the files that go with it. Folders and ZIP archives may have several
// recordings: then the user chooses one.
import { announce } from "../../archive/core/announce.js";
import { getElement } from "../../archive/core/dom.js";
import { formatSize, formatTime } from "../../archive/core/format.js";
import { gettext, interpolate, ngettext } from "../../archive/core/translate.js";
import { UserError } from "./api.js";
import { baseName } from "./config.js";
import { sortItems } from "./sort.js";
import { isArchive, listMembers } from "./zip-reader.js";

/** @import { Api } from "./api.js" */
/** @import { UploadConfig } from "./config.js" */
/** @import { ChosenFiles } from "./inspect.js" */
/** @import { Item } from "./items.js" */
/** @import { SortedItem } from "./sort.js" */

/**
 * @typedef {object} Choice how to select and reject recordings
 * @property {(name: string, size: number) => boolean} isUnfinished whether this recording's upload was begun before
 * @property {(name: string, size: number) => string} rejection why it can't be uploaded, or ""
 * @property {boolean} wantsRecording whether there is none yet
 */

/**
 * @typedef {object} Picked
 * @property {ChosenFiles} files
 * @property {string} language of the transcript, by its name, or ""
 * @property {string[]} leftOut a line for each file that is not taken
 * @property {string[]} errors
 */

/** @type {Record<"transcript" | "metadata", string>} */
const ONE_AT_A_TIME = {
  transcript: gettext("One file at a time for the transcript: %(file)s was left out."),
  metadata: gettext("One file at a time for the metadata: %(file)s was left out."),
};

export class RecordingPicker {
  #latest = 0; // call of `pick`: an earlier one is canceled

  /**
   * @param {HTMLElement} form
   * @param {Api} api
   * @param {UploadConfig} config
   */
  constructor(form, api, config) {
    this.api = api;
    this.config = config;
    this.list = getElement(form, "[data-recordings]");
    this.status = getElement(form, "[data-archive-status]");
  }

  /**
   * Find the recording in what was chosen, and its companions.
   *
   * @param {Item[]} items
   * @param {Choice} choice
   * @returns {Promise<Picked | null>} null when it was called again meanwhile
   */
  async pick(items, choice) {
    this.#latest += 1;
    const call = this.#latest;
    this.list.hidden = true;
    /** @type {Picked} */
    const picked = { files: {}, language: "", leftOut: [], errors: [] };
    const sorted = await this.#sort(items, picked);
    if (call !== this.#latest) return null;
    try {
      const recording = await this.#chooseRecording(sorted, choice, picked);
      if (call !== this.#latest) return null;
      await this.#take(sorted, recording, picked);
    } catch (error) {
      picked.errors.push(this.#messageOf(error, items[0]));
    }
    if (call !== this.#latest) return null;
    this.status.textContent = "";
    return picked;
  }

  /**
   * Sort the loose files together, and each archive by itself.
   *
   * @param {Item[]} items
   * @param {Picked} picked gets what is left out, and the errors
   * @returns {Promise<SortedItem[]>}
   */
  async #sort(items, picked) {
    const sorted = [];
    const loose = [];
    for (const item of items) {
      try {
        if (!(await isArchive(item, this.config))) {
          loose.push(item);
          continue;
        }
        const name = baseName(item.path);
        this.#report(interpolate(gettext("Looking into %(file)s"), { file: name }));
        const members = await sortItems(this.api, await listMembers(await item.open()), this.config);
        picked.leftOut.push(...members.leftOut);
        sorted.push(...members.files);
        if (!members.files.some(({ kind }) => kind === "recording")) {
          picked.errors.push(interpolate(gettext("%(file)s: there is no recording in it."), { file: name }));
        }
      } catch (error) {
        picked.errors.push(this.#messageOf(error, item));
      }
    }
    if (!loose.length) return sorted;
    try {
      const { files, leftOut } = await sortItems(this.api, loose, this.config);
      picked.leftOut.push(...leftOut);
      return [...sorted, ...files];
    } catch (error) {
      picked.errors.push(this.#messageOf(error, loose[0]));
      return sorted;
    }
  }

  /**
   * @param {unknown} error
   * @param {Item} item
   */
  #messageOf(error, item) {
    const unreadable = gettext(
      "%(file)s can't be read: it was changed or moved, or it is a folder. Choose the files in it.",
    );
    return error instanceof UserError ? error.message : interpolate(unreadable, { file: baseName(item.path) });
  }

  /**
   * @param {SortedItem[]} sorted
   * @param {Choice} choice
   * @param {Picked} picked gets the recordings that are not wanted
   * @returns {Promise<Item | undefined>}
   */
  async #chooseRecording(sorted, { isUnfinished, rejection, wantsRecording }, picked) {
    const recordings = sorted.filter(({ kind }) => kind === "recording").map(({ item }) => item);
    if (!wantsRecording) {
      const text = gettext(
        "%(file)s: this Space has its recording. A transcript can be added: VTT, SRT, JSON or text.",
      );
      picked.leftOut.push(...recordings.map(({ path }) => interpolate(text, { file: path })));
      return undefined;
    }
    const unfinished = recordings.filter(({ path, size }) => isUnfinished(baseName(path), size));
    const recording = [unfinished, recordings].find(({ length }) => length === 1)?.[0];
    if (!recording && !recordings.length) return undefined;
    const chosen = recording ?? (await this.#ask(recordings, await this.#readEnds(sorted)));
    const reason = rejection(baseName(chosen.path), chosen.size);
    if (reason) throw new UserError(reason);
    return chosen;
  }

  /**
   * Take the recording and what goes with it: the files that are named after it, or the only ones beside it.
   *
   * @param {SortedItem[]} sorted
   * @param {Item | undefined} recording
   * @param {Picked} picked
   */
  async #take(sorted, recording, picked) {
    if (recording) {
      if (recording.isPacked)
        this.#report(interpolate(gettext("Unpacking %(file)s"), { file: baseName(recording.path) }));
      picked.files.recording = await recording.open();
    }
    const isAlone = sorted.filter(({ kind }) => kind === "recording").length < 2;
    for (const kind of /** @type {const} */ (["transcript", "metadata"])) {
      const all = sorted.filter((one) => one.kind === kind);
      const own = all.filter(({ recordings }) => recording && recordings.includes(recording.path));
      const loose = all.filter(({ recordings }) => !recordings.length);
      const [first, ...others] = [...own, ...(isAlone ? loose : [])];
      if (first) {
        picked.files[kind] = await first.item.open();
        picked.language ||= first.language;
      }
      picked.leftOut.push(
        ...others.map(({ item }) => interpolate(ONE_AT_A_TIME[kind], { file: item.path })),
        ...(isAlone ? [] : loose).map(({ item }) =>
          interpolate(gettext("%(file)s is not named after a recording, so it was left out."), { file: item.path }),
        ),
      );
    }
  }

  /** @param {string} message */
  #report(message) {
    this.status.textContent = `${message} …`;
    announce(message);
  }

  /**
   * When each Space of an X data archive ended: its recordings are named only by their ids.
   *
   * @param {SortedItem[]} sorted
   * @returns {Promise<Map<string, string>>} id to time
   */
  async #readEnds(sorted) {
    const { spaceMetadata, sidecarBytes } = this.config;
    const ends = new Map();
    for (const { item } of sorted) {
      if (!spaceMetadata.test(item.path) || item.size > sidecarBytes) continue;
      try {
        const text = await (await item.open()).text();
        for (const entry of JSON.parse(text.slice(text.indexOf("=") + 1))) {
          const { id, endedAt } = entry.id ? entry : Object.values(entry)[0];
          ends.set(id, formatTime(new Date(endedAt)));
        }
      } catch {
        // The list shows only names then.
      }
    }
    return ends;
  }

  /**
   * Let the user choose a recording. Never resolves if other files are chosen meanwhile.
   *
   * @param {Item[]} recordings
   * @param {Map<string, string>} ends
   * @returns {Promise<Item>}
   */
  #ask(recordings, ends) {
    const count = recordings.length;
    const label = ngettext(
      "There are %(count)s recordings. Each is a Space of its own: choose the one to bring in now.",
      "There are %(count)s recordings. Each is a Space of its own: choose the one to bring in now.",
      count,
    );
    getElement(this.list, "[data-recordings-label]").textContent = interpolate(label, { count });
    this.status.textContent = "";
    return new Promise((resolve) => {
      const rows = recordings
        .toSorted((a, b) => a.path.localeCompare(b.path))
        .map((recording) => {
          const end = ends.get(this.config.spaceRecording.exec(recording.path)?.groups?.id ?? "");
          const button = document.createElement("button");
          button.type = "button";
          button.className = "button";
          const [name, size] = [baseName(recording.path), formatSize(recording.size)];
          const label = end ? gettext("%(name)s, %(size)s, ended on %(end)s") : "%(name)s, %(size)s";
          button.textContent = interpolate(label, { name, size, end: end ?? "" });
          button.addEventListener("click", () => {
            this.list.hidden = true;
            resolve(recording);
          });
          const row = document.createElement("li");
          row.append(button);
          return row;
        });
      getElement(this.list, "ul").replaceChildren(...rows);
      this.list.hidden = false;
      getElement(this.list, "button").focus();
    });
  }
}
