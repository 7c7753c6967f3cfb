// The names in a transcript, offered as speakers: ticked ones become participants, and one of them may be the host.
import { findElement, getElement } from "../../archive/core/dom.js";
import { gettext, interpolate, ngettext } from "../../archive/core/translate.js";

/**
 * Names that differ only in spaces or case are one name, as for archive/own_lines.py.
 *
 * @param {string} name
 */
export const normalizeName = (name) => name.normalize("NFC").toLowerCase().split(/\s+/).filter(Boolean).join(" ");

export class SpeakerChips {
  /** @type {Map<string, HTMLInputElement>} by name */
  #boxes = new Map();

  /**
   * @param {HTMLElement} fieldset
   * @param {object} options
   * @param {string} options.hostName display name of the user; their name in the transcript is probably the same
   * @param {(name: string, isTicked: boolean, isOffered: boolean) => boolean} options.onTick whether it has an effect
   * @param {number} options.limit speakers at most
   */
  constructor(fieldset, { hostName, onTick, limit }) {
    this.fieldset = fieldset;
    this.ownName = normalizeName(hostName);
    this.onTick = onTick;
    this.limit = limit;
    this.host = getElement(fieldset, "select", HTMLSelectElement);
    this.problem = getElement(fieldset, "[data-chips-problem]");
    this.host.addEventListener("change", () => this.#changeHost());
  }

  /** The host's name in the transcript, or "". */
  get hostName() {
    return this.fieldset.hidden ? "" : this.host.value;
  }

  /** The names that are ticked. */
  get ticked() {
    if (this.fieldset.hidden) return [];
    return [...this.#boxes].flatMap(([name, { checked }]) => (checked ? [name] : []));
  }

  /**
   * Offer names, all ticked as far as there are seats, in place of those of another transcript.
   *
   * @param {string[]} names
   * @param {() => string[]} listNames speakers and co-hosts that are listed already
   */
  offer(names, listNames) {
    for (const name of this.ticked) this.onTick(name, false, false);
    const known = new Set(listNames().map(normalizeName));
    const offered = names.filter((name) => !known.has(normalizeName(name)));
    this.#boxes.clear();
    const chips = offered.map((name) => this.#makeChip(name));
    getElement(this.fieldset, "[data-chips-list]").replaceChildren(...chips);
    this.host.replaceChildren(
      new Option(gettext("None of them"), ""),
      ...offered.map((name) => new Option(name, name)),
    );
    this.host.value = offered.find((name) => normalizeName(name) === this.ownName) ?? "";
    this.fieldset.hidden = !offered.length;
    this.#changeHost();
    for (const name of this.#boxes.keys()) if (name !== this.host.value) this.#tick(name, true);
    this.#report(false);
  }

  /**
   * Tick the names that are listed as speakers now, after the list was changed.
   *
   * @param {string[]} listed
   */
  sync(listed) {
    const names = new Set(listed.map(normalizeName));
    for (const [name, box] of this.#boxes) box.checked = names.has(normalizeName(name));
    this.#report(false);
  }

  /** @param {string} name */
  #makeChip(name) {
    const label = document.createElement("label");
    label.className = "name-chip";
    const box = document.createElement("input");
    box.type = "checkbox";
    box.addEventListener("change", () => this.#tick(name, box.checked));
    const text = document.createElement("bdi");
    text.textContent = name;
    const role = document.createElement("span");
    role.textContent = gettext("(host)");
    label.append(box, text, role);
    this.#boxes.set(name, box);
    return label;
  }

  /**
   * @param {string} name
   * @param {boolean} isTicked
   */
  #tick(name, isTicked) {
    const box = this.#boxes.get(name);
    if (!box) return;
    const others = [...this.#boxes.values()].filter((one) => one !== box && one.checked).length;
    const isDone = (!isTicked || others < this.limit) && this.onTick(name, isTicked, true);
    box.checked = isTicked && isDone;
    this.#report(isTicked && !isDone);
  }

  /** The host has a seat of their own, so their name is no speaker's. */
  #changeHost() {
    for (const [name, box] of this.#boxes) {
      const isHost = name === this.host.value;
      if (isHost && box.checked) this.#tick(name, false);
      box.disabled = isHost;
    }
  }

  /** @param {boolean} isFull */
  #report(isFull) {
    const text = ngettext(
      "At most %(count)s speaker can be added.",
      "At most %(count)s speakers can be added.",
      this.limit,
    );
    this.problem.textContent = isFull ? interpolate(text, { count: this.limit }) : "";
  }
}

/**
 * The offer of names in a part of the page, if it has one.
 *
 * @param {ParentNode} root
 */
export const findChips = (root) => findElement(root, "[data-chips]");
