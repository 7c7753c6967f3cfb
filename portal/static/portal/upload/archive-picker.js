// ZIP archives among the chosen files: take the recording in them, and the files beside it that describe it, as if they
// had been chosen themselves. If there are several recordings, the user chooses one.
import { announce } from "../../archive/core/announce.js";
import { getElement } from "../../archive/core/dom.js";
import { formatSize, formatTime } from "../../archive/core/format.js";
import { gettext, interpolate, ngettext } from "../../archive/core/translate.js";
import { UserError } from "./api.js";
import { baseName, extensionOf, folderOf } from "./config.js";
import { isArchive, listMembers, unpackMember } from "./zip-reader.js";

/** @import { UploadConfig } from "./config.js" */
/** @import { Member } from "./zip-reader.js" */

/**
 * @typedef {object} Choice how to select and reject recordings
 * @property {(name: string, size: number) => boolean} isUnfinished whether this recording's upload was begun before
 * @property {(name: string, size: number) => string} rejection why it can't be uploaded, or ""
 */

/** @param {string} path */
const stemOf = (path) =>
  baseName(path)
    .replace(/\.[^.]*$/, "")
    .toLowerCase();

export class ArchivePicker {
  #latest = 0; // call of `expand`: an earlier one is canceled

  /**
   * @param {HTMLElement} form
   * @param {UploadConfig} config
   */
  constructor(form, config) {
    this.config = config;
    this.list = getElement(form, "[data-recordings]");
    this.status = getElement(form, "[data-archive-status]");
  }

  /**
   * Replace each archive in `files` by what was taken from it.
   *
   * @param {File[]} files
   * @param {Choice} choice
   * @returns {Promise<{files: File[], errors: string[]} | null>} null when it was called again meanwhile
   */
  async expand(files, choice) {
    this.#latest += 1;
    const call = this.#latest;
    this.list.hidden = true;
    const expanded = [];
    const errors = [];
    for (const file of files) {
      try {
        if (await isArchive(file)) expanded.push(...(await this.#take(file, choice, call)));
        else expanded.push(file);
      } catch (error) {
        const unreadable = gettext(
          "%(file)s can't be read: it was changed or moved, or it is a folder. Choose the files in it.",
        );
        errors.push(error instanceof UserError ? error.message : interpolate(unreadable, { file: file.name }));
      }
    }
    if (call !== this.#latest) return null;
    this.status.textContent = "";
    return { files: expanded, errors };
  }

  /**
   * @param {File} file
   * @param {Choice} choice
   * @param {number} call
   */
  async #take(file, { isUnfinished, rejection }, call) {
    this.#report(interpolate(gettext("Looking into %(file)s"), { file: file.name }));
    const members = (await listMembers(file)).filter(({ name }) => !this.config.hidden.test(name));
    const recordings = this.#recordings(members);
    if (!recordings.length) {
      const formats = this.config.recordingExtensions.map((extension) => extension.slice(1)).join(", ");
      const text = gettext("%(file)s: there is no recording in it (%(formats)s).");
      throw new UserError(interpolate(text, { file: file.name, formats }));
    }
    const unfinished = recordings.filter(({ name, size }) => isUnfinished(baseName(name), size));
    const recording =
      [unfinished, recordings].find(({ length }) => length === 1)?.[0] ??
      (await this.#ask(file, recordings, await this.#readEnds(members)));
    if (call !== this.#latest) return [];
    const reason = rejection(baseName(recording.name), recording.size);
    if (reason) throw new UserError(reason);
    this.#report(interpolate(gettext("Unpacking %(file)s"), { file: baseName(recording.name) }));
    const sidecars = this.#sidecars(members, recordings, recording.name);
    return Promise.all([recording, ...sidecars].map(unpackMember));
  }

  /** @param {string} message */
  #report(message) {
    this.status.textContent = `${message} …`;
    announce(message);
  }

  /** @param {Member[]} members */
  #recordings(members) {
    const { spaceRecording, spaceMetadata, recordingExtensions, ownTrack } = this.config;
    const spaces = members.filter(({ name }) => spaceRecording.test(name));
    // Other media in an X data archive are no Spaces.
    if (spaces.length || members.some(({ name }) => spaceMetadata.test(name))) return spaces;
    return members.filter(({ name }) => recordingExtensions.includes(extensionOf(name)) && !ownTrack.test(name));
  }

  /**
   * Metadata and transcript of a recording: the files of its name, or the only ones beside it.
   *
   * @param {Member[]} members
   * @param {Member[]} recordings
   * @param {string} path
   */
  #sidecars(members, recordings, path) {
    const { sidecarBytes, spaceRecording, spaceMetadata } = this.config;
    const isBeside = (/** @type {Member} */ { name }) => folderOf(name) === folderOf(path);
    const small = members.filter(({ size }) => size <= sidecarBytes);
    const isAlone = recordings.filter(isBeside).length === 1;
    const pick = (/** @type {string[]} */ ...extensions) => {
      const fitting = small.filter((member) => isBeside(member) && extensions.includes(extensionOf(member.name)));
      const named = fitting.find(({ name }) => stemOf(name).startsWith(stemOf(path)));
      return named ?? (isAlone && fitting.length === 1 ? fitting[0] : undefined);
    };
    const metadata = spaceRecording.test(path) ? small.find(({ name }) => spaceMetadata.test(name)) : pick(".json");
    return [metadata, pick(".vtt") ?? pick(".srt", ".jsonl")].filter((member) => member !== undefined);
  }

  /**
   * When each Space of an X data archive ended: its recordings are named only by their ids.
   *
   * @param {Member[]} members
   * @returns {Promise<Map<string, string>>} id to time
   */
  async #readEnds(members) {
    const { spaceMetadata, sidecarBytes } = this.config;
    const ends = new Map();
    for (const member of members.filter(({ name, size }) => spaceMetadata.test(name) && size <= sidecarBytes)) {
      try {
        const text = await (await unpackMember(member)).text();
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
   * @param {File} file
   * @param {Member[]} recordings
   * @param {Map<string, string>} ends
   * @returns {Promise<Member>}
   */
  #ask(file, recordings, ends) {
    const count = recordings.length;
    const label = ngettext(
      "%(file)s has %(count)s recordings. Each is a Space of its own: choose the one to bring in now.",
      "%(file)s has %(count)s recordings. Each is a Space of its own: choose the one to bring in now.",
      count,
    );
    getElement(this.list, "[data-recordings-label]").textContent = interpolate(label, { file: file.name, count });
    this.status.textContent = "";
    return new Promise((resolve) => {
      const rows = recordings
        .toSorted((a, b) => a.name.localeCompare(b.name))
        .map((recording) => {
          const end = ends.get(this.config.spaceRecording.exec(recording.name)?.groups?.id ?? "");
          const button = document.createElement("button");
          button.type = "button";
          button.className = "button";
          const [name, size] = [baseName(recording.name), formatSize(recording.size)];
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
