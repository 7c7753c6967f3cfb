// The progress of one file: the uploaded bytes, the speed, the time left.
import { announce } from "../../archive/core/announce.js";
import { cloneTemplate, getElement } from "../../archive/core/dom.js";
import { formatRoughTimeLeft, formatSize } from "../../archive/core/format.js";
import { gettext, interpolate } from "../../archive/core/translate.js";
import { baseName } from "./config.js";

/** @import { Progress } from "./multipart-upload.js" */
/** @import { QueueFile } from "./upload-entry.js" */

const KINDS = { recording: gettext("recording"), transcript: gettext("transcript") };
const SPEED_WINDOW = 8000; // ms over which the speed is measured
export const REFRESH = 200; // ms between two updates of the panel

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

export class FileRow {
  #speed = new SpeedMeter();
  #quarter = 0;
  /** @type {Progress | null} the latest, which `update` shows */
  latest = null;

  /** @param {QueueFile} file */
  constructor({ kind, path, size }) {
    this.name = baseName(path);
    this.size = size;
    this.element = cloneTemplate(document, "[data-progress-row]");
    getElement(this.element, "[data-name]").textContent = this.name;
    getElement(this.element, "[data-kind]").textContent = KINDS[kind];
    this.bar = getElement(this.element, "progress", HTMLProgressElement);
    this.bar.max = size;
    this.bar.setAttribute("aria-label", this.name);
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

  /** Reset the speed, so that a pause does not count as slow. */
  pause() {
    this.rate.textContent = "";
    this.#speed.reset();
  }
}
