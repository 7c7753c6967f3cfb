// The files that were chosen for a new upload, by kind.
import { cloneTemplate, findElement, getElement } from "../../archive/core/dom.js";
import { formatSize } from "../../archive/core/format.js";
import { gettext, interpolate } from "../../archive/core/translate.js";

/** @import { ChosenFiles } from "./inspect.js" */
/** @import { FileKind } from "./inspect.js" */

/** @type {[FileKind, string][]} */
const KINDS = [
  ["recording", gettext("Recording")],
  ["transcript", gettext("Transcript")],
  ["metadata", gettext("Metadata")],
];

export class FileList {
  /** @type {ChosenFiles} */
  files = {};

  /**
   * @param {HTMLFormElement} form
   * @param {boolean} alwaysAsksLanguage whether the language is asked before a transcript is chosen
   * @param {() => void} onTranscriptRemoved
   */
  constructor(form, alwaysAsksLanguage, onTranscriptRemoved) {
    this.form = form;
    this.onTranscriptRemoved = onTranscriptRemoved;
    this.alwaysAsksLanguage = alwaysAsksLanguage;
  }

  show() {
    const rows = KINDS.flatMap(([kind, label]) => {
      const file = this.files[kind];
      return file ? [this.#makeRow(kind, label, file)] : [];
    });
    const { recording, transcript } = this.files;
    getElement(this.form, "[data-chosen]").replaceChildren(...rows);
    getElement(this.form, "[data-drop]").classList.toggle("has", rows.length > 0);
    getElement(this.form, "[data-details]").hidden = !(recording || transcript);
    getElement(this.form, "[data-language]").hidden = !transcript && !this.alwaysAsksLanguage;
    const automatic = findElement(this.form, "[data-automatic]");
    if (automatic) automatic.hidden = Boolean(transcript);
  }

  /** @param {string[]} lines what is not taken of the files that were chosen last, and why */
  showLeftOut(lines) {
    const rows = lines.map((line) => {
      const row = document.createElement("li");
      row.dir = "auto";
      row.textContent = line;
      return row;
    });
    const box = getElement(this.form, "[data-left-out]");
    getElement(box, "ul").replaceChildren(...rows);
    box.hidden = !rows.length;
  }

  /**
   * @param {FileKind} kind
   * @param {string} label
   * @param {File} file
   */
  #makeRow(kind, label, file) {
    const row = cloneTemplate(document, "[data-file-row]");
    getElement(row, "[data-kind]").textContent = label;
    getElement(row, "[data-name]").textContent = file.name;
    getElement(row, "[data-size]").textContent = formatSize(file.size);
    const remove = getElement(row, "[data-remove]");
    remove.setAttribute("aria-label", interpolate(gettext("Remove %(file)s"), { file: file.name }));
    remove.addEventListener("click", () => {
      delete this.files[kind];
      if (kind === "transcript") this.onTranscriptRemoved();
      this.show();
      getElement(this.form, "[data-drop] input").focus();
    });
    return row;
  }
}
