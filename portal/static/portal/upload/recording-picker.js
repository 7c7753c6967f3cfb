// The recordings among the chosen files, and the files that go with them. Folders and ZIP archives may have several
// recordings: then the user ticks those to upload.
import { announce } from "../../archive/core/announce.js";
import { getElement } from "../../archive/core/dom.js";
import { gettext, interpolate } from "../../archive/core/translate.js";
import { UserError } from "./api.js";
import { messageOf, openArchives, sortGroups } from "./chosen-groups.js";
import { describeLoose, findCompanions } from "./companions.js";
import { baseName } from "./config.js";
import { inspectAll } from "./recording-options.js";

/** @import { Api } from "./api.js" */
/** @import { Group } from "./chosen-groups.js" */
/** @import { UploadConfig } from "./config.js" */
/** @import { ChosenFiles } from "./inspect.js" */
/** @import { Item } from "./items.js" */
/** @import { RecordingOption } from "./recording-options.js" */
/** @import { RecordingsList } from "./recordings-list.js" */
/** @import { SortedItem } from "./sort.js" */
/** @import { QueueEntry } from "./upload-entry.js" */

/**
 * @typedef {object} Choice how to select and reject recordings
 * @property {(items: Item[]) => QueueEntry[]} findResumable uploads that were begun before, with these files
 * @property {(name: string, size: number) => string} rejection why a recording can't be uploaded, or ""
 * @property {boolean} wantsRecording whether there is none yet
 * @property {boolean} isOneOnly whether only begun uploads count
 */
/**
 * @typedef {object} Picked
 * @property {ChosenFiles} files of one Space
 * @property {string} language of the transcript, by its name, or ""
 * @property {QueueEntry[]} entries several recordings that were ticked, or uploads that were begun before
 * @property {string[]} leftOut a line for each file that is not taken
 * @property {string[]} errors
 */

export class RecordingPicker {
  #latest = 0; // call of `pick`: an earlier one is canceled

  /**
   * @param {HTMLElement} form
   * @param {Api} api
   * @param {UploadConfig} config
   * @param {RecordingsList} list
   */
  constructor(form, api, config, list) {
    this.api = api;
    this.config = config;
    this.list = list;
    this.status = getElement(form, "[data-archive-status]");
  }

  /**
   * Find the recordings in what was chosen, and their companions.
   *
   * @param {Item[]} items
   * @param {Choice} choice
   * @returns {Promise<Picked | null>} null when it was called again meanwhile
   */
  async pick(items, choice) {
    this.#latest += 1;
    const call = this.#latest;
    this.list.hide();
    const { groups, errors } = await openArchives(items, this.config, (message) => this.#report(message));
    if (call !== this.#latest) return null;
    /** @type {Picked} */
    const picked = { files: {}, language: "", entries: [], leftOut: [], errors };
    picked.entries = choice.findResumable(groups.flatMap((group) => group.items));
    if (!picked.entries.length && !choice.isOneOnly) {
      try {
        await this.#pickNew(groups, choice, picked, () => call !== this.#latest);
      } catch (error) {
        picked.errors.push(messageOf(error, items[0].path));
      }
    }
    if (call !== this.#latest) return null;
    this.status.textContent = "";
    return picked;
  }

  /**
   * @param {Group[]} groups
   * @param {Choice} choice
   * @param {Picked} picked gets the files
   * @param {() => boolean} isOver whether other files were chosen meanwhile
   */
  async #pickNew(groups, choice, picked, isOver) {
    const { sorted, leftOut, errors } = await sortGroups(this.api, groups, this.config);
    picked.leftOut.push(...leftOut);
    picked.errors.push(...errors);
    if (isOver()) return;
    const recordings = sorted.filter(({ kind }) => kind === "recording").map(({ item }) => item);
    if (recordings.length > 1 && choice.wantsRecording) {
      picked.leftOut.push(...describeLoose(sorted));
      const archive = groups.length === 1 ? groups[0].archive : "";
      const [first, ...others] = await this.#ask(sorted, recordings, choice, archive, isOver);
      if (!first || isOver()) return;
      if (others.length) picked.entries = [first, ...others].map((option) => this.list.makeEntry(option));
      else await this.#take(sorted, first.recording, picked);
      return;
    }
    if (!choice.wantsRecording) picked.leftOut.push(...recordings.map(describeUnwanted));
    const recording = choice.wantsRecording ? recordings[0] : undefined;
    const reason = recording && choice.rejection(baseName(recording.path), recording.size);
    if (reason) throw new UserError(reason);
    await this.#take(sorted, recording, picked);
  }

  /**
   * Let the user tick recordings.
   *
   * @param {SortedItem[]} sorted
   * @param {Item[]} recordings
   * @param {Choice} choice
   * @param {string} archive name, or ""
   * @param {() => boolean} isOver
   * @returns {Promise<RecordingOption[]>}
   */
  async #ask(sorted, recordings, choice, archive, isOver) {
    const options = await inspectAll(this.api, sorted, recordings, this.config, (done, count) => {
      const text = gettext("Inspecting the recordings: %(done)s of %(count)s");
      if (!isOver()) this.#report(interpolate(text, { done, count }));
    });
    if (isOver()) return [];
    this.status.textContent = "";
    return this.list.ask(
      options.map((option) => ({
        ...option,
        rejection: choice.rejection(baseName(option.recording.path), option.recording.size),
      })),
      archive,
    );
  }

  /**
   * Open the recording and what goes with it.
   *
   * @param {SortedItem[]} sorted
   * @param {Item | undefined} recording
   * @param {Picked} picked
   */
  async #take(sorted, recording, picked) {
    if (recording) {
      if (recording.isPacked) {
        this.#report(interpolate(gettext("Unpacking %(file)s"), { file: baseName(recording.path) }));
      }
      picked.files.recording = await recording.open();
    }
    const companions = findCompanions(sorted, recording);
    if (companions.transcript) picked.files.transcript = await companions.transcript.open();
    if (companions.metadata) picked.files.metadata = await companions.metadata.open();
    picked.language = companions.language;
    picked.leftOut.push(...companions.leftOut);
  }

  /** @param {string} message */
  #report(message) {
    this.status.textContent = `${message} …`;
    announce(message);
  }
}

/** @param {Item} recording */
function describeUnwanted({ path }) {
  const text = gettext(
    "%(file)s: this Space has its recording. A transcript can be added: VTT, SRT, JSON or text with times.",
  );
  return interpolate(text, { file: path });
}
