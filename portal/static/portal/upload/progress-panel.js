// Progress of the upload: how much, how fast, how long still; pause, continue, try again, cancel.
import { announce } from "../../archive/core/announce.js";
import { cloneTemplate, getElement, setIcon } from "../../archive/core/dom.js";
import { formatRoughTimeLeft, formatSize } from "../../archive/core/format.js";
import { gettext, interpolate } from "../../archive/core/translate.js";

/** @import { Api } from "./api.js" */

/** @import { Activity } from "./multipart-upload.js" */
/** @import { Progress } from "./multipart-upload.js" */
/** @import { OpenUpload } from "./uppy-plugin.js" */

const KINDS = { recording: gettext("recording"), transcript: gettext("transcript") };
/** @type {Record<Activity, string>} */
const ACTIVITIES = {
  "": "",
  comparing: gettext("Comparing with what has arrived already."),
  sending: "",
  completing: gettext("All bytes are there. Closing the upload."),
  waiting: gettext("The connection was lost. It goes on by itself as soon as it is back; what has arrived is kept."),
};
const SPEED_WINDOW = 8000; // ms over which the speed is measured
const REFRESH = 200; // ms

class SpeedMeter {
  /** @type {{at: number, sent: number}[]} */
  #samples = [];

  /**
   * Bytes per second over the last seconds.
   *
   * @param {number} sent bytes by now
   */
  measure(sent) {
    const at = performance.now();
    const last = this.#samples.at(-1);
    if (!last || at - last.at > REFRESH) this.#samples.push({ at, sent });
    while (this.#samples.length > 2 && at - this.#samples[0].at > SPEED_WINDOW) this.#samples.shift();
    const [first] = this.#samples;
    return at - first.at > 1000 ? ((sent - first.sent) * 1000) / (at - first.at) : 0;
  }

  reset() {
    this.#samples = [];
  }
}

class FileRow {
  #speed = new SpeedMeter();
  #quarter = 0;
  /** @type {Progress | null} the latest, which `update` shows */
  latest = null;

  /** @param {OpenUpload} openUpload */
  constructor({ file, upload }) {
    this.name = file.name;
    this.size = upload.size;
    this.element = cloneTemplate(document, "[data-progress-row]");
    getElement(this.element, "[data-name]").textContent = file.name;
    getElement(this.element, "[data-kind]").textContent = KINDS[upload.kind];
    this.bar = getElement(this.element, "progress", HTMLProgressElement);
    this.bar.max = upload.size;
    this.bar.setAttribute("aria-label", file.name);
    this.bytes = getElement(this.element, "[data-bytes]");
    this.rate = getElement(this.element, "[data-rate]");
    this.show({ uploaded: 0, sent: 0, activity: "" });
  }

  update() {
    if (this.latest) this.show(this.latest);
  }

  /** @param {Progress} progress */
  show({ uploaded, sent, activity }) {
    this.bar.value = uploaded;
    this.bytes.textContent = interpolate(gettext("%(done)s of %(total)s"), {
      done: formatSize(uploaded),
      total: formatSize(this.size),
    });
    const speed = this.#speed.measure(sent);
    const isKnown = activity === "sending" && speed > 0;
    this.rate.textContent = isKnown
      ? interpolate(gettext("%(size)s a second, %(left)s"), {
          size: formatSize(Math.round(speed)),
          left: formatRoughTimeLeft((this.size - uploaded) / speed),
        })
      : "";
    const quarter = Math.floor((4 * uploaded) / this.size);
    if (quarter > this.#quarter && quarter < 4) {
      const percent = quarter * 25;
      announce(interpolate(gettext("%(file)s: %(percent)s percent."), { file: this.name, percent }));
    }
    this.#quarter = quarter;
  }

  /** Forget the speed: a pause does not count as slow. */
  pause() {
    this.rate.textContent = "";
    this.#speed.reset();
  }
}

export class ProgressPanel {
  /** @type {Map<string, FileRow>} by upload id */
  #rows = new Map();
  #timer = 0;
  #isPaused = false;

  /**
   * @param {HTMLElement} page
   * @param {Api} api
   */
  constructor(page, api) {
    this.api = api;
    this.panel = getElement(page, "[data-progress]");
    this.state = this.#part("state");
    this.trouble = this.#part("problem");
    this.pauseButton = this.#part("pause");
    this.retryButton = this.#part("retry");
    this.cancelButton = this.#part("cancel");
  }

  /** @param {string} name */
  #part(name) {
    return getElement(this.panel, `[data-${name}]`);
  }

  /**
   * Start `uppy` and show its progress in place of the form.
   *
   * @param {any} uppy
   * @param {OpenUpload[]} uploads
   * @param {string} title
   * @param {object} callbacks
   * @param {() => void} callbacks.onDone all files are in the store
   * @param {() => void} callbacks.onCancel
   */
  start(uppy, uploads, title, { onDone, onCancel }) {
    this.#rows = new Map(uploads.map((each) => [each.upload.id, new FileRow(each)]));
    this.#part("files").replaceChildren(...[...this.#rows.values()].map(({ element }) => element));
    this.#open(title);
    this.#followProgress(uppy, onDone);

    const retry = () => {
      this.#showTrouble("");
      uppy.retryAll();
    };
    const retryIfFailed = () => {
      if (!this.retryButton.hidden) retry();
    };
    addEventListener("online", retryIfFailed);
    this.retryButton.onclick = retry;
    this.pauseButton.onclick = () => this.#togglePause(uppy);
    this.cancelButton.onclick = async () => {
      removeEventListener("online", retryIfFailed);
      uppy.cancelAll();
      await Promise.allSettled(uploads.map(({ upload }) => this.api.call("DELETE", `/uploads/${upload.id}`)));
      this.panel.hidden = true;
      onCancel();
    };
    uppy.upload();
  }

  /** @param {string} title */
  #open(title) {
    const heading = getElement(this.panel, "h2");
    heading.textContent = title ? interpolate(gettext("Uploading “%(title)s”"), { title }) : gettext("Uploading");
    this.panel.hidden = false;
    heading.focus({ preventScroll: true });
    this.panel.scrollIntoView({ block: "nearest" });
  }

  /**
   * @param {any} uppy
   * @param {() => void} onDone
   */
  #followProgress(uppy, onDone) {
    uppy.on("store:progress", (/** @type {any} */ file, /** @type {Progress} */ progress) => {
      const row = this.#rows.get(file.meta.upload.id);
      if (row) row.latest = progress;
      this.#timer ||= setTimeout(() => {
        this.#timer = 0;
        for (const each of this.#rows.values()) each.update();
        if (this.#isPaused) for (const each of this.#rows.values()) each.pause();
        else this.#showState(ACTIVITIES[progress.activity]);
      }, REFRESH);
    });
    uppy.on("complete", (/** @type {{failed: {error: string}[]}} */ { failed }) => {
      if (failed.length) this.#showTrouble(failed.map(({ error }) => error).join(" "));
      else if (uppy.getFiles().length) onDone();
    });
  }

  /** @param {any} uppy */
  #togglePause(uppy) {
    this.#isPaused = !this.#isPaused;
    for (const { id, progress } of uppy.getFiles()) if (!progress.uploadComplete) uppy.pauseResume(id);
    getElement(this.pauseButton, "span").textContent = this.#isPaused ? gettext("Go on") : gettext("Pause");
    setIcon(this.pauseButton, this.#isPaused ? "play" : "pause");
    for (const row of this.#rows.values()) row.pause();
    this.#showState(this.#isPaused ? gettext("Paused. What has arrived is kept.") : "");
  }

  /** @param {string} message */
  #showState(message) {
    if (this.state.textContent === message) return;
    this.state.textContent = message;
    announce(message);
  }

  /** @param {string} message */
  #showTrouble(message) {
    this.trouble.hidden = !message;
    this.#part("problem-text").textContent = message;
    this.retryButton.hidden = !message;
    this.pauseButton.hidden = Boolean(message);
  }
}
