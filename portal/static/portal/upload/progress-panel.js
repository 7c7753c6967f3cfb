// Progress of the uploads: one Space, or several, one after the other; pause, resume, retry, cancel.
import { announce } from "../../archive/core/announce.js";
import { getElement, setIcon } from "../../archive/core/dom.js";
import { gettext } from "../../archive/core/translate.js";
import { EntryRow } from "./entry-row.js";
import { FileRow, REFRESH } from "./file-progress.js";
import { ACTIVITIES, describeEnd, describeFailed, describeStart } from "./progress-texts.js";

/** @import { Api } from "./api.js" */
/** @import { Progress } from "./multipart-upload.js" */
/** @import { QueueEntry } from "./upload-entry.js" */
/** @import { UploadQueue } from "./upload-queue.js" */

export class ProgressPanel {
  /** @type {Map<string, FileRow>} by upload id */
  #rows = new Map();
  /** @type {Map<QueueEntry, EntryRow>} none for a single upload */
  #entries = new Map();
  #timer = 0;

  /**
   * @param {HTMLElement} page
   * @param {Api} api
   */
  constructor(page, api) {
    this.page = page;
    this.api = api;
    this.panel = getElement(page, "[data-progress]");
    this.heading = getElement(this.panel, "h2");
    this.state = this.#part("state");
    this.problem = this.#part("problem");
    this.pauseButton = this.#part("pause");
    this.retryButton = this.#part("retry");
    this.cancelButton = this.#part("cancel");
    this.finishLink = this.#part("finish");
  }

  /** @param {string} name */
  #part(name) {
    return getElement(this.panel, `[data-${name}]`);
  }

  /**
   * Run `queue` and show its progress in place of the form.
   *
   * @param {UploadQueue} queue
   * @param {object} callbacks
   * @param {(entry: QueueEntry) => void} callbacks.onState
   * @param {(entry: QueueEntry) => void} callbacks.onDone the only upload is complete
   * @param {() => void} callbacks.onCancel
   */
  start(queue, { onState, onDone, onCancel }) {
    const isSingle = queue.entries.length === 1;
    this.#makeRows(queue.entries, isSingle);
    this.#open(queue.entries);
    queue.observer = {
      onState: (entry) => {
        onState(entry);
        this.#linkRows(entry);
        this.#entries.get(entry)?.show();
      },
      onProgress: (uploadId, progress) => this.#follow(queue, uploadId, progress),
      onEnd: () => {
        const [entry] = queue.entries;
        if (isSingle && entry.state === "uploaded") onDone(entry);
        else this.#showEnd(queue, isSingle);
      },
    };
    this.#connectButtons(queue, onCancel);
    queue.run();
  }

  /**
   * @param {UploadQueue} queue
   * @param {() => void} onCancel
   */
  #connectButtons(queue, onCancel) {
    const retry = () => {
      if (this.retryButton.hidden) return;
      this.#showTrouble("");
      this.finishLink.hidden = true;
      queue.run();
    };
    addEventListener("online", retry);
    this.retryButton.onclick = retry;
    this.pauseButton.onclick = () => this.#togglePause(queue);
    this.cancelButton.onclick = async () => {
      removeEventListener("online", retry);
      await queue.cancel();
      this.panel.hidden = true;
      onCancel();
    };
  }

  /**
   * @param {QueueEntry[]} entries
   * @param {boolean} isSingle
   */
  #makeRows(entries, isSingle) {
    this.#rows.clear();
    this.#entries.clear();
    const list = this.#part("files");
    list.replaceChildren();
    for (const entry of entries) {
      const rows = entry.files.map((file) => new FileRow(file));
      if (isSingle) list.append(...rows.map(({ element }) => element));
      else {
        const row = new EntryRow(entry, rows, this.page, this.api);
        this.#entries.set(entry, row);
        list.append(row.element);
      }
      this.#pending.set(entry, rows);
      this.#linkRows(entry);
    }
  }

  /** @type {Map<QueueEntry, FileRow[]>} rows in the order of the entry's files */
  #pending = new Map();

  /**
   * Know the rows by the ids of their uploads, once they have some.
   *
   * @param {QueueEntry} entry
   */
  #linkRows(entry) {
    const rows = this.#pending.get(entry) ?? [];
    entry.files.forEach(({ session }, index) => {
      if (session) this.#rows.set(session.id, rows[index]);
    });
  }

  /** @param {QueueEntry[]} entries */
  #open(entries) {
    const count = entries.length;
    this.heading.textContent = describeStart(count, entries[0].title);
    for (const help of ["single-help", "several-help"]) {
      this.#part(help).hidden = (help === "single-help") !== (count === 1);
    }
    this.panel.hidden = false;
    this.heading.focus({ preventScroll: true });
    this.panel.scrollIntoView({ block: "nearest" });
  }

  /**
   * @param {UploadQueue} queue
   * @param {string} uploadId
   * @param {Progress} progress
   */
  #follow(queue, uploadId, progress) {
    const row = this.#rows.get(uploadId);
    if (row) row.latest = progress;
    this.#timer ||= setTimeout(() => {
      this.#timer = 0;
      for (const each of this.#rows.values()) each.update();
      if (queue.isPaused) for (const each of this.#rows.values()) each.pause();
      else this.#showState(ACTIVITIES[progress.activity]);
    }, REFRESH);
  }

  /** @param {UploadQueue} queue */
  #togglePause(queue) {
    queue.togglePause();
    getElement(this.pauseButton, "span").textContent = queue.isPaused ? gettext("Resume") : gettext("Pause");
    setIcon(this.pauseButton, queue.isPaused ? "play" : "pause");
    for (const row of this.#rows.values()) row.pause();
    this.#showState(queue.isPaused ? gettext("Paused. What is uploaded is kept.") : "");
  }

  /** @param {string} message */
  #showState(message) {
    if (this.state.textContent === message) return;
    this.state.textContent = message;
    announce(message);
  }

  /** @param {string} message */
  #showTrouble(message) {
    this.problem.hidden = !message;
    this.#part("problem-text").textContent = message;
    this.retryButton.hidden = !message;
    this.pauseButton.hidden = Boolean(message);
    this.cancelButton.hidden = false;
  }

  /**
   * Everything is uploaded, or failed.
   *
   * @param {UploadQueue} queue
   * @param {boolean} isSingle
   */
  #showEnd({ entries, failed }, isSingle) {
    this.#showState("");
    if (isSingle) return this.#showTrouble(failed[0]?.error?.message ?? "");
    this.heading.textContent = describeEnd(entries.length, failed.length);
    this.heading.focus({ preventScroll: true });
    this.#showTrouble(describeFailed(failed.length));
    this.pauseButton.hidden = true;
    this.cancelButton.hidden = !failed.length;
    this.finishLink.hidden = false;
    this.#part("several-help").hidden = true;
  }
}
