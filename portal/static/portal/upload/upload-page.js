// The upload page as a whole: routes chosen files to the form or to an unfinished upload, and sends them.
import { announce } from "../../archive/core/announce.js";
import { closestElement, getElement, getElements } from "../../archive/core/dom.js";
import { formatSize } from "../../archive/core/format.js";
import { gettext, interpolate } from "../../archive/core/translate.js";
import { Api, UserError } from "./api.js";
import { baseName } from "./config.js";
import { DetailsForm } from "./details-form.js";
import { mountDropZone } from "./drop-zone.js";
import { FileList } from "./file-list.js";
import { inspectFiles } from "./inspect.js";
import { fileItem } from "./items.js";
import { ProgressPanel } from "./progress-panel.js";
import { RecordingPicker } from "./recording-picker.js";
import { Submission } from "./submission.js";
import { UnfinishedList } from "./unfinished-list.js";

/** @import { UploadConfig } from "./config.js" */
/** @import { ChosenFiles } from "./inspect.js" */
/** @import { Item } from "./items.js" */
/** @import * as uppyPlugin from "./uppy-plugin.js" */
/** @import { OpenUpload } from "./uppy-plugin.js" */

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
    this.picker = new RecordingPicker(this.form, this.api, config);
    this.details = new DetailsForm(page, this.form, config);
    this.list = new FileList(this.form, Boolean(page.dataset.space));
    this.unfinished = new UnfinishedList(page, this.api);
    this.progress = new ProgressPanel(page, this.api);
    this.submission = new Submission(this.api, this.details, this.list, page.dataset.space);
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
  }

  /**
   * @param {Item[]} items
   * @param {HTMLElement | null} [row] of the unfinished upload that they were chosen for
   */
  async #choose(items, row = null) {
    const rowOf = (/** @type {string} */ name, /** @type {number} */ size) => this.unfinished.find(name, size, row);
    const isOfRow = (/** @type {{path: string, size: number}} */ { path, size }) =>
      Boolean(rowOf(baseName(path), size));
    if (items.some(isOfRow)) return this.#resume(await openAll(items.filter(isOfRow)), rowOf);
    const picked = await this.picker.pick(items, {
      isUnfinished: (name, size) => Boolean(rowOf(name, size)),
      rejection: (name, size) => this.#reject(name, size),
      wantsRecording: this.wantsRecording,
    });
    if (!picked) return; // something else was chosen meanwhile
    const files = Object.values(picked.files);
    const resumable = files.filter(({ name, size }) => rowOf(name, size));
    if (row && !resumable.length) return this.unfinished.rejectFile(row, files[0] ?? (await items[0].open()));
    getElement(this.form, "[data-drop-error]").textContent = picked.errors.join(" ");
    this.list.showLeftOut(picked.leftOut);
    if (resumable.length) return this.#resume(resumable, rowOf);
    Object.assign(this.list.files, picked.files);
    this.list.show();
    await this.#fillIn(picked.files, picked.language);
  }

  /**
   * Why a recording can't be uploaded, or "".
   *
   * @param {string} name
   * @param {number} size
   */
  #reject(name, size) {
    return size ? this.#tooLarge(name, size) : interpolate(gettext("%(file)s is empty."), { file: name });
  }

  /**
   * @param {string} name
   * @param {number} size
   */
  #tooLarge(name, size) {
    if (size <= this.maxBytes) return "";
    return interpolate(gettext("%(file)s has %(size)s; at most %(limit)s can be taken in."), {
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
      const text = gettext("Filled in from what the files hold: %(names)s. Have a look, and change what is not right.");
      const summary = interpolate(text, { names: filled.join(", ") });
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
        "There is no recording yet: drop it here, or choose it.",
      );
      getElement(this.form, "[data-drop] input").focus();
      return;
    }
    button.setAttribute("aria-busy", "true");
    this.#showError(null);
    try {
      const space = await this.submission.createSpace();
      if (!space) return; // the form shows its errors
      const uploads = await this.submission.openUploads(space);
      await this.#send(space, uploads, this.submission.title || this.page.dataset.title);
    } catch (error) {
      const unexpected = new UserError(gettext("This could not be begun. Reload the page and try again."));
      this.#showError(error instanceof UserError ? error : unexpected);
    } finally {
      button.removeAttribute("aria-busy");
    }
  }

  /**
   * @param {File[]} files
   * @param {(name: string, size: number) => HTMLElement | undefined} rowOf
   */
  async #resume(files, rowOf) {
    /** @type {OpenUpload[]} */
    const uploads = [];
    let title = "";
    for (const file of files) {
      const row = rowOf(file.name, file.size);
      if (!row) continue;
      uploads.push({ file, upload: this.unfinished.sessionOf(row) });
      title ||= row.dataset.title ?? "";
    }
    await this.#send(uploads[0].upload.space, uploads, title);
  }

  /**
   * @param {string} space id
   * @param {OpenUpload[]} uploads
   * @param {string} [title]
   */
  async #send(space, uploads, title = "") {
    const { createUploader } = await this.uploader;
    this.form.hidden = true;
    this.unfinished.hide();
    const spaceUrl = (this.page.dataset.spaceUrl ?? "").replace(/[0-9a-f-]{36}/, space);
    this.progress.start(createUploader(this.api, uploads), uploads, title, {
      onDone: () => location.assign(spaceUrl),
      onCancel: () => location.assign(location.pathname + location.search),
    });
  }

  /** @param {UserError | null} error */
  #showError(error) {
    const notice = getElement(this.form, "[data-form-problem]");
    notice.hidden = !error;
    if (!error) return;
    /** @type {Record<string, string>} */
    const errors = {};
    for (const { loc, msg } of error.errors) {
      for (const name of loc) errors[name === "cohosts" || name === "speakers" ? "people" : name] = msg;
    }
    getElement(notice, "p").textContent = interpolate(gettext("%(problem)s Nothing that you wrote is lost."), {
      problem: error.message,
    });
    if (this.details.showErrors(errors)) notice.focus();
  }
}

/** @param {Item[]} items */
function openAll(items) {
  return Promise.all(items.map((item) => item.open()));
}
