// The upload page as a whole: routes chosen files to the form or to the queue of uploads.
import { announce } from "../../archive/core/announce.js";
import { closestElement, getElement, getElements } from "../../archive/core/dom.js";
import { formatSize } from "../../archive/core/format.js";
import { gettext, interpolate, locale } from "../../archive/core/translate.js";
import { Api, UserError } from "./api.js";
import { DetailsForm } from "./details-form.js";
import { mountDropZone } from "./drop-zone.js";
import { FileList } from "./file-list.js";
import { inspectFiles } from "./inspect.js";
import { fileItem } from "./items.js";
import { ProgressPanel } from "./progress-panel.js";
import { RecordingPicker } from "./recording-picker.js";
import { RecordingsList } from "./recordings-list.js";
import { SavedQueue } from "./saved-queue.js";
import { Submission } from "./submission.js";
import { lookForTwin } from "./twin-hint.js";
import { UnfinishedList } from "./unfinished-list.js";
import { UploadQueue } from "./upload-queue.js";

/** @import { UploadConfig } from "./config.js" */
/** @import { Errors } from "./form-errors.js" */
/** @import { ChosenFiles } from "./inspect.js" */
/** @import { Item } from "./items.js" */
/** @import { QueueEntry } from "./upload-entry.js" */
/** @import * as uppyPlugin from "./uppy-plugin.js" */

const LIST = new Intl.ListFormat(locale);

export class UploadPage {
  /**
   * @param {HTMLElement} page
   * @param {UploadConfig} config
   * @param {Promise<typeof uppyPlugin>} uploader
   */
  constructor(page, config, uploader) {
    this.page = page;
    this.config = config;
    this.uploader = uploader;
    this.form = getElement(page, "[data-form]", HTMLFormElement);
    this.wantsRecording = "wantsRecording" in page.dataset;
    this.maxBytes = Number(page.dataset.maxBytes);
    this.api = new Api(page);
    this.picker = new RecordingPicker(this.form, this.api, config, new RecordingsList(page, this.form));
    this.details = new DetailsForm(page, this.form, config);
    this.list = new FileList(this.form, Boolean(page.dataset.space), () => this.details.offerSpeakers([]));
    this.unfinished = new UnfinishedList(page, this.api);
    this.saved = new SavedQueue(page, this.api);
    this.unfinished.leaveOut((uploadId) => this.saved.has(uploadId));
    this.progress = new ProgressPanel(page, this.api);
    this.submission = new Submission(this.api, this.details, this.list, page.dataset);
  }

  mount() {
    for (const input of getElements(this.page, 'input[type="file"]', HTMLInputElement)) {
      input.addEventListener("change", () => {
        const items = [...(input.files ?? [])].map((file) => fileItem(file));
        input.value = ""; // so that the same file can be chosen again
        this.#choose(items, closestElement(input, "[data-upload]"));
      });
    }
    const dropZone = getElement(this.form, "[data-drop]");
    mountDropZone(dropZone, async (dropped) => {
      const items = await dropped;
      if (!this.form.hidden && items.length) this.#choose(items);
    });
    const { files } = getElement(dropZone, "input", HTMLInputElement);
    if (files?.length) this.#choose([...files].map((file) => fileItem(file))); // chosen before this script was loaded
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
    this.form.addEventListener("change", ({ target }) => {
      if (["title", "ended_at", "host"].includes(/** @type {HTMLInputElement} */ (target).name)) this.#lookForTwin();
    });
  }

  #lookForTwin() {
    if (!this.page.dataset.space) lookForTwin(this.form, this.api, this.details.read());
  }

  /**
   * @param {Item[]} items
   * @param {HTMLElement | null} [row] of the unfinished upload that they were chosen for
   */
  async #choose(items, row = null) {
    const picked = await this.picker.pick(items, {
      findResumable: (all) => this.#findResumable(all, row),
      rejection: (name, size) => this.#reject(name, size),
      wantsRecording: this.wantsRecording,
      isOneOnly: Boolean(row),
    });
    if (!picked) return; // something else was chosen meanwhile
    getElement(this.form, "[data-drop-error]").textContent = picked.errors.join(" ");
    if (picked.entries.length) return this.#upload(picked.entries);
    if (row) return this.unfinished.rejectFile(row, await items[0].open());
    this.list.showLeftOut(picked.leftOut);
    Object.assign(this.list.files, picked.files);
    this.list.show();
    await this.#fillIn(picked.files, picked.language);
  }

  /**
   * The uploads that were begun before, or were to follow, with these files.
   *
   * @param {Item[]} items
   * @param {HTMLElement | null} row the only one that counts, if any
   * @returns {QueueEntry[]}
   */
  #findResumable(items, row) {
    const saved = row ? [] : this.saved.match(items);
    const isSaved = (/** @type {string | undefined} */ uploadId) => !row && this.saved.has(uploadId);
    return [...this.unfinished.match(items, row, isSaved), ...saved];
  }

  /**
   * Why a recording can't be uploaded, or "".
   *
   * @param {string} name
   * @param {number} size
   */
  #reject(name, size) {
    if (!size) return interpolate(gettext("%(file)s is empty."), { file: name });
    if (size <= this.maxBytes) return "";
    return interpolate(gettext("%(file)s has %(size)s; the limit is %(limit)s."), {
      file: name,
      size: formatSize(size),
      limit: formatSize(this.maxBytes),
    });
  }

  /**
   * Fill the form in from what the files contain.
   *
   * @param {ChosenFiles} added
   * @param {string} language of the transcript, by its name, or ""
   */
  async #fillIn(added, language) {
    if (!Object.keys(added).length) return;
    let message = "";
    try {
      const facts = await inspectFiles(this.api, this.list.files, this.config);
      const filled = this.details.fill({ ...facts, language: language || facts.language });
      this.#lookForTwin();
      if (added.transcript) this.details.offerSpeakers(facts.transcript_speakers ?? []);
      const text = gettext("We filled in the %(names)s from your files. Please check.");
      const summary = interpolate(text, { names: LIST.format(filled) });
      message = [...(filled.length ? [summary] : []), ...(facts.notes ?? [])].join(" ");
    } catch (error) {
      if (error instanceof UserError && error.status) {
        message = interpolate(gettext("%(problem)s The form can be filled in by hand."), { problem: error.message });
      }
    }
    getElement(this.form, "[data-inspection]").hidden = !message;
    getElement(this.form, "[data-inspection-text]").textContent = message;
    announce(message);
  }

  async #submit() {
    const button = getElement(this.form, "[data-send]");
    if (button.getAttribute("aria-busy") === "true") return;
    if (this.wantsRecording && !this.page.dataset.space && !this.list.files.recording) {
      getElement(this.form, "[data-drop-error]").textContent = gettext(
        "There is no recording yet: drop it here, or choose a file.",
      );
      getElement(this.form, "[data-drop] input").focus();
      return;
    }
    if (!this.details.check()) return;
    button.setAttribute("aria-busy", "true");
    try {
      await this.#upload([await this.submission.open()]);
    } catch (error) {
      const unexpected = new UserError(gettext("The upload could not be started. Reload the page and try again."));
      this.#showError(error instanceof UserError ? error : unexpected);
    } finally {
      button.removeAttribute("aria-busy");
    }
  }

  /** @param {QueueEntry[]} entries */
  async #upload(entries) {
    const { createUploader } = await this.uploader;
    this.form.hidden = true;
    this.unfinished.hide();
    this.saved.hide();
    const isSeveral = entries.length > 1;
    if (isSeveral) this.saved.save(entries);
    const spaceUrl = this.page.dataset.spaceUrl ?? "";
    this.progress.start(new UploadQueue(this.api, entries, createUploader), {
      onState: () => isSeveral && this.saved.save(entries),
      onDone: ({ space }) => {
        this.saved.save([]);
        location.assign(spaceUrl.replace(/[0-9a-f-]{36}/, space));
      },
      onCancel: () => {
        this.saved.save([]);
        location.assign(location.pathname + location.search);
      },
    });
  }

  /** @param {UserError} error */
  #showError(error) {
    /** @type {Errors} */
    const errors = {};
    for (const { loc, msg } of error.errors) {
      for (const name of loc) errors[name === "cohosts" || name === "speakers" ? "people" : name] = msg;
    }
    const message = interpolate(gettext("%(problem)s Nothing that you wrote is lost."), { problem: error.message });
    this.details.errors.show(errors, message);
  }
}
