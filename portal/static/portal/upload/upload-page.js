// The upload page as a whole: routes chosen files to the form or to an unfinished upload, and sends them.
import { announce } from "../../archive/core/announce.js";
import { closestElement, getElement, getElements } from "../../archive/core/dom.js";
import { formatSize } from "../../archive/core/format.js";
import { gettext, interpolate } from "../../archive/core/translate.js";
import { Api, UserError } from "./api.js";
import { ArchivePicker } from "./archive-picker.js";
import { DetailsForm } from "./details-form.js";
import { mountDropZone } from "./drop-zone.js";
import { FileList } from "./file-list.js";
import { detectKind, inspectFiles } from "./inspect.js";
import { ProgressPanel } from "./progress-panel.js";
import { Submission } from "./submission.js";
import { UnfinishedList } from "./unfinished-list.js";

/** @import { UploadConfig } from "./config.js" */
/** @import { FileKind } from "./inspect.js" */
/** @import * as uppyPlugin from "./uppy-plugin.js" */
/** @import { OpenUpload } from "./uppy-plugin.js" */

/** @type {Record<FileKind, string>} */
const ONE_AT_A_TIME = {
  recording: gettext("One file at a time for the recording: %(file)s was left out."),
  transcript: gettext("One file at a time for the transcript: %(file)s was left out."),
  metadata: gettext("One file at a time for the metadata: %(file)s was left out."),
};

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
    this.archives = new ArchivePicker(this.form, config);
    this.details = new DetailsForm(page, this.form, config);
    this.list = new FileList(this.form, Boolean(page.dataset.space));
    this.unfinished = new UnfinishedList(page, this.api);
    this.progress = new ProgressPanel(page, this.api);
    this.submission = new Submission(this.api, this.details, this.list, page.dataset.space);
  }

  mount() {
    for (const input of getElements(this.page, 'input[type="file"]', HTMLInputElement)) {
      input.addEventListener("change", () => {
        const files = [...(input.files ?? [])];
        input.value = ""; // so that the same file can be chosen again
        this.#choose(files, closestElement(input, "[data-upload]"));
      });
    }
    const dropZone = getElement(this.form, "[data-drop]");
    mountDropZone(dropZone, (files) => {
      if (!this.form.hidden) this.#choose(files);
    });
    const { files } = getElement(dropZone, "input", HTMLInputElement);
    if (files?.length) this.#choose([...files]); // chosen before this script was loaded
    this.form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#submit();
    });
  }

  /**
   * @param {File[]} files
   * @param {HTMLElement | null} [row] of the unfinished upload that they were chosen for
   */
  async #choose(files, row = null) {
    const rowOf = (/** @type {string} */ name, /** @type {number} */ size) => this.unfinished.find(name, size, row);
    const choice = {
      isUnfinished: (/** @type {string} */ name, /** @type {number} */ size) => Boolean(rowOf(name, size)),
      rejection: (/** @type {string} */ name, /** @type {number} */ size) => this.#tooLarge(name, size),
    };
    const expanded = this.wantsRecording ? await this.archives.expand(files, choice) : { files, errors: [] };
    if (!expanded) return; // something else was chosen meanwhile
    const resumable = expanded.files.filter(({ name, size }) => rowOf(name, size));
    const candidates = row && resumable.length ? resumable : expanded.files;
    if (row && !resumable.length && candidates.length) return this.unfinished.rejectFile(row, candidates[0]);
    const errors = [...expanded.errors, ...(await this.#add(candidates.filter((file) => !resumable.includes(file))))];
    getElement(this.form, "[data-drop-error]").textContent = errors.join(" ");
    if (resumable.length) return this.#resume(resumable, rowOf);
    this.list.show();
    await this.#fillIn();
  }

  /**
   * Add files to the list.
   *
   * @param {File[]} files
   * @returns {Promise<string[]>} why files were rejected
   */
  async #add(files) {
    const errors = [];
    /** @type {Set<FileKind>} */
    const added = new Set();
    for (const file of files) {
      const kind = await detectKind(file, this.config);
      const chat = interpolate(gettext("%(file)s: the chat is not taken in."), { file: file.name });
      const error = kind === "chat" ? chat : this.#reject(file, kind);
      if (error || kind === "chat") errors.push(error);
      else if (added.has(kind)) errors.push(interpolate(ONE_AT_A_TIME[kind], { file: file.name }));
      else {
        added.add(kind);
        this.list.files[kind] = file;
      }
    }
    return errors;
  }

  /**
   * Why the file can't be uploaded, or "".
   *
   * @param {File} file
   * @param {FileKind} kind
   */
  #reject(file, kind) {
    if (!file.size) return interpolate(gettext("%(file)s is empty."), { file: file.name });
    if (kind === "recording" && this.#tooLarge(file.name, file.size)) return this.#tooLarge(file.name, file.size);
    if (kind !== "transcript" && !this.wantsRecording) {
      const text = gettext("%(file)s does not look like a transcript. VTT, SRT, JSON and text are read.");
      return interpolate(text, { file: file.name });
    }
    return "";
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

  /** Fill the form in from what the files contain. */
  async #fillIn() {
    if (!Object.keys(this.list.files).length) return;
    let message = "";
    try {
      const facts = await inspectFiles(this.api, this.list.files, this.config);
      const filled = this.details.fill(facts);
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
