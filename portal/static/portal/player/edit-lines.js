// Correct lines of the transcript in place. Corrections are collected and sent as one form, the same as on the page
// that works without JavaScript, which shows them again if they are refused.
import { announce } from "../../archive/core/announce.js";
import { cloneTemplate, closestElement, findElement, getElement, getElements } from "../../archive/core/dom.js";
import { gettext, interpolate, ngettext } from "../../archive/core/translate.js";

const MAX_CORRECTIONS = 400; // in one form

/** @typedef {{speaker: string, text: string}} Line */

/** The lines as they are saved, and as they are shown. */
class Transcript {
  /** @param {HTMLElement} list */
  constructor(list) {
    this.items = getElements(list, "li");
    /** @type {Line[]} */
    this.shown = [];
    let speaker = "";
    for (const item of this.items) {
      if (item.classList.contains("turn")) speaker = findElement(item, ".voice")?.textContent ?? "";
      this.shown.push({ speaker, text: textOf(item).textContent ?? "" });
    }
    this.saved = this.shown.map((line) => ({ ...line }));
    /** @type {Set<number>} */
    this.corrected = new Set();
  }

  get speakers() {
    return [...new Set(this.shown.map(({ speaker }) => speaker).filter(Boolean))];
  }

  /**
   * @param {number} index
   * @param {Line} line
   */
  change(index, line) {
    this.shown[index] = line;
    const saved = this.saved[index];
    const isCorrected = line.text !== saved.text || line.speaker !== saved.speaker;
    this.corrected[isCorrected ? "add" : "delete"](index);
    this.items[index].classList.toggle("corrected", isCorrected);
    for (const place of [index, index + 1]) this.#show(place);
  }

  /** @param {number} index */
  #show(index) {
    const item = this.items[index];
    if (!item) return;
    const { speaker, text } = this.shown[index];
    const isTurn = index === 0 || this.shown[index - 1].speaker !== speaker;
    item.classList.toggle("turn", isTurn);
    findElement(item, ".voice")?.remove();
    if (isTurn && speaker) {
      const name = document.createElement("bdi");
      name.className = "voice";
      name.textContent = speaker;
      textOf(item).before(name);
    }
    const other = this.shown.findIndex((line, place) => place !== index && line.speaker === speaker);
    const color = /\bv\d\b/.exec(this.items[other]?.className ?? "")?.[0];
    if (color) item.className = item.className.replace(/\bv\d\b/, color);
    textOf(item).textContent = text;
  }
}

/** @param {HTMLElement} item */
function textOf(item) {
  return getElement(item, "p > span");
}

class LineEditing {
  /**
   * @param {HTMLElement} bar
   * @param {HTMLElement} list
   */
  constructor(bar, list) {
    this.bar = bar;
    this.list = list;
    this.start = getElement(bar, "[data-edit-start]");
    this.form = getElement(bar, "[data-edit-form]", HTMLFormElement);
    this.save = getElement(bar, "[data-edit-save]", HTMLButtonElement);
    this.stop = getElement(bar, "[data-edit-stop]");
    this.isSending = false;
    /** @type {HTMLElement | undefined} */
    this.tabStop = undefined;
    /** @type {Transcript | undefined} */
    this.transcript = undefined;
    this.start.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey) return;
      event.preventDefault();
      this.#begin();
    });
    this.stop.addEventListener("click", () => this.#end());
    this.form.addEventListener("submit", (event) => this.#send(event));
    addEventListener("beforeunload", (event) => {
      if (this.transcript?.corrected.size && !this.isSending) event.preventDefault();
    });
  }

  #begin() {
    this.transcript = new Transcript(this.list);
    this.list.classList.add("edits");
    this.transcript.items.forEach((item, index) => {
      const button = cloneTemplate(this.bar, "[data-edit-button]");
      button.setAttribute("aria-label", interpolate(gettext("Correct line %(number)s"), { number: index + 1 }));
      item.append(button);
    });
    this.list.addEventListener("focusin", this.#moveTabStop);
    this.list.addEventListener("click", this.#open, { capture: true });
    this.list.after(this.bar);
    this.bar.classList.add("on");
    this.start.hidden = true;
    this.form.hidden = false;
    this.#count();
    const current = findElement(this.list, "li.now") ?? this.transcript.items[0];
    getElement(current, ".edit-line").focus({ preventScroll: true });
    announce(gettext("Choose the line to correct."));
  }

  #end() {
    const transcript = this.transcript;
    if (!transcript) return;
    const question = ngettext(
      "Discard %(count)s correction?",
      "Discard %(count)s corrections?",
      transcript.corrected.size,
    );
    const { size } = transcript.corrected;
    if (size && !confirm(interpolate(question, { count: size }))) return;
    findElement(this.list, ".line-editor")?.remove();
    for (const index of [...transcript.corrected]) transcript.change(index, transcript.saved[index]);
    for (const button of getElements(this.list, ".edit-line")) button.remove();
    for (const hidden of getElements(this.list, "p[hidden]")) hidden.hidden = false;
    this.list.removeEventListener("focusin", this.#moveTabStop);
    this.list.removeEventListener("click", this.#open, { capture: true });
    this.list.classList.remove("edits");
    this.list.before(this.bar);
    this.bar.classList.remove("on");
    this.form.hidden = true;
    this.start.hidden = false;
    this.transcript = undefined;
    this.start.focus();
  }

  /** Of thousands of buttons, only that of the current line is a Tab stop. */
  #moveTabStop = (/** @type {FocusEvent} */ { target }) => {
    const button = closestElement(target, "li")?.querySelector(".edit-line");
    if (!(button instanceof HTMLElement) || button === this.tabStop) return;
    if (this.tabStop) this.tabStop.tabIndex = -1;
    this.tabStop = button;
    button.tabIndex = 0;
  };

  #open = (/** @type {MouseEvent} */ event) => {
    const item = closestElement(event.target, "li");
    if (!item || closestElement(event.target, ".stamp")) return;
    event.stopPropagation(); // the player would go to this line
    if (closestElement(event.target, ".edit-line")) this.#edit(item);
  };

  /** @param {HTMLElement} item */
  #edit(item) {
    const { transcript } = this;
    if (!transcript) return;
    findElement(this.list, ".line-editor", HTMLFormElement)?.requestSubmit();
    if (findElement(this.list, ".line-editor")) return; // its text is not valid
    const index = transcript.items.indexOf(item);
    if (transcript.corrected.size >= MAX_CORRECTIONS && !transcript.corrected.has(index)) {
      announce(gettext("Save these corrections first."));
      this.save.focus();
      return;
    }
    const editor = /** @type {HTMLFormElement} */ (cloneTemplate(this.bar, "[data-line-editor]"));
    const speaker = getElement(editor, "input", HTMLInputElement);
    const text = getElement(editor, "textarea", HTMLTextAreaElement);
    for (const [field, id] of /** @type {[HTMLElement, string][]} */ ([
      [speaker, "line-speaker"],
      [text, "line-text"],
    ])) {
      field.id = id;
      /** @type {HTMLLabelElement} */ (field.previousElementSibling).htmlFor = id;
    }
    speaker.value = transcript.shown[index].speaker;
    text.value = transcript.shown[index].text;
    this.#listSpeakers();
    const shown = getElement(item, "p");
    const button = getElement(item, ".edit-line");
    const close = () => {
      editor.remove();
      shown.hidden = false;
      button.hidden = false;
      button.focus({ preventScroll: true });
    };
    editor.addEventListener("keydown", (event) => {
      event.stopPropagation(); // arrow keys move in the text, and not between lines
      if (event.isComposing) return;
      if (event.key === "Escape") close();
      else if (event.key === "Enter" && !event.shiftKey && event.target === text) editor.requestSubmit();
      else return;
      event.preventDefault();
    });
    getElement(editor, "[data-cancel]").addEventListener("click", close);
    editor.addEventListener("submit", (event) => {
      event.preventDefault();
      const line = { speaker: clean(speaker.value), text: clean(text.value) };
      if (!line.text) {
        text.value = "";
        text.reportValidity();
        return;
      }
      transcript.change(index, line);
      close();
      this.#count();
    });
    shown.hidden = true;
    button.hidden = true;
    item.append(editor);
    text.focus({ preventScroll: true });
    item.scrollIntoView({ block: "nearest" });
  }

  #listSpeakers() {
    const options = (this.transcript?.speakers ?? []).map((name) => {
      const option = document.createElement("option");
      option.value = name;
      return option;
    });
    getElement(this.bar, "datalist").replaceChildren(...options);
  }

  #count() {
    const size = this.transcript?.corrected.size ?? 0;
    const label = size ? ngettext("Save %(count)s correction", "Save %(count)s corrections", size) : gettext("Save");
    this.save.textContent = interpolate(label, { count: size });
    this.save.disabled = size === 0;
    this.stop.textContent = size ? gettext("Discard") : gettext("Stop");
    if (size)
      announce(
        interpolate(ngettext("%(count)s correction to save.", "%(count)s corrections to save.", size), { count: size }),
      );
  }

  /** @param {SubmitEvent} event */
  #send(event) {
    const { transcript } = this;
    if (!transcript) return;
    findElement(this.list, ".line-editor", HTMLFormElement)?.requestSubmit(); // what is being typed is saved, too
    if (findElement(this.list, ".line-editor")) {
      event.preventDefault();
      return;
    }
    for (const field of getElements(this.form, "[data-sent]")) field.remove();
    for (const index of transcript.corrected) {
      const { speaker, text } = transcript.shown[index];
      for (const [name, value] of [
        ["speaker", speaker],
        ["text", text],
      ]) {
        const field = document.createElement("input");
        field.type = "hidden";
        field.dataset.sent = "";
        field.name = `${name}-${index + 1}`;
        field.value = value;
        this.form.append(field);
      }
    }
    this.isSending = true;
  }
}

/** @param {string} text */
function clean(text) {
  return text.replace(/\s+/g, " ").trim();
}

const bar = findElement(document, "[data-edit-bar]");
const list = findElement(document, "[data-lines]");
if (bar && list) new LineEditing(bar, list);
