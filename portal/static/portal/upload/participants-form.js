// Co-hosts and speakers in the upload form: rows that are added and removed.
import { cloneTemplate, closestElement, getElement, getElements } from "../../archive/core/dom.js";
import { gettext, interpolate } from "../../archive/core/translate.js";

/** @typedef {{name: string, account?: string}} Participant */

/** @type {Record<string, {label: string, remove: string}>} */
const ROLES = {
  cohosts: { label: gettext("Co-host %(number)s"), remove: gettext("Remove co-host %(number)s") },
  speakers: { label: gettext("Speaker %(number)s"), remove: gettext("Remove speaker %(number)s") },
};

/** @type {("name" | "account")[]} */
const FIELDS = ["name", "account"];

/**
 * @param {HTMLElement} row
 * @param {"name" | "account"} field
 */
const fieldOf = (row, field) => getElement(row, `[data-${field}]`, HTMLInputElement);

export class ParticipantsForm {
  /**
   * @param {HTMLElement} box
   * @param {() => void} onChange after rows were added, changed or removed
   */
  constructor(box, onChange) {
    this.box = box;
    this.onChange = onChange;
    this.role = box.dataset.participants ?? "";
    this.addButton = getElement(box, "[data-add]");
    this.addButton.addEventListener("click", () => {
      const row = this.#add({ name: "" });
      if (row) getElement(row, "input").focus();
    });
    box.addEventListener("input", () => this.onChange());
    box.addEventListener("click", ({ target }) => {
      const row = closestElement(target, "[data-remove]")?.closest("li");
      if (!row) return;
      row.remove();
      this.#renumber();
      this.onChange();
      (this.addButton.hidden ? getElement(box, "input") : this.addButton).focus();
    });
  }

  /**
   * Replace all rows.
   *
   * @param {(string | Participant)[]} participants
   */
  fill(participants) {
    getElement(this.box, "ul").replaceChildren();
    for (const each of participants) this.#add(typeof each === "string" ? { name: each } : each);
  }

  /**
   * Add a row, or fill in an empty one.
   *
   * @param {string} name
   * @returns {boolean} false if there are as many as allowed
   */
  add(name) {
    const empty = this.#rows().find((row) => FIELDS.every((field) => !fieldOf(row, field).value));
    if (!empty) return Boolean(this.#add({ name }));
    fieldOf(empty, "name").value = name;
    empty.dataset.given = name;
    return true;
  }

  /**
   * Remove the row with this name, unless an account was linked in it.
   *
   * @param {string} name as it was filled in
   * @param {boolean} isCorrected whether to remove it with another name, too
   */
  remove(name, isCorrected) {
    const index = this.read().findIndex(
      (row) => row.given === name && !row.account && (isCorrected || row.name === name),
    );
    this.#rows()[index]?.remove();
    this.#renumber();
  }

  /**
   * The participants; a row without a name has `name` "". `given` is the name that was filled in for the user, or "";
   * `isRenamed`: a new name is one for the transcript, too.
   */
  read() {
    return this.#rows().map((row) => {
      const [name, account] = FIELDS.map((field) => fieldOf(row, field).value.trim());
      const isRenamed = getElement(row, "[data-renames]", HTMLInputElement).checked;
      return { name, account, given: row.dataset.given ?? "", isRenamed };
    });
  }

  /**
   * Describe in each row the effect of its new name on the transcript.
   *
   * @param {(given: string, name: string) => {rename: string, shared: string}} describe two texts, either of them ""
   */
  showRenames(describe) {
    for (const [index, { given, name }] of this.read().entries()) {
      const row = this.#rows()[index];
      const { rename, shared } = describe(given, name);
      getElement(row, "[data-rename]").hidden = !rename;
      getElement(row, "[data-rename] label").textContent = rename;
      getElement(row, "[data-rename-shared]").hidden = !shared;
      getElement(row, "[data-rename-shared]").textContent = shared;
    }
  }

  #rows() {
    return getElements(this.box, "li");
  }

  /**
   * @param {Participant} participant
   * @returns {HTMLElement | null} the row; null if there are as many as allowed
   */
  #add({ name, account = "" }) {
    if (this.#rows().length >= Number(this.box.dataset.limit)) return null;
    const row = cloneTemplate(document, "[data-participant-row]");
    fieldOf(row, "name").value = name;
    fieldOf(row, "account").value = account;
    row.dataset.given = name;
    getElement(this.box, "ul").append(row);
    this.#renumber();
    return row;
  }

  #renumber() {
    const rows = this.#rows();
    rows.forEach((row, index) => {
      const { label, remove } = ROLES[this.role];
      const number = index + 1;
      getElement(row, "[data-role]").textContent = interpolate(label, { number });
      getElement(row, "[data-remove]").setAttribute("aria-label", interpolate(remove, { number }));
      const labels = getElements(row, "label", HTMLLabelElement);
      getElements(row, "input", HTMLInputElement).forEach((input, place) => {
        input.id = `upload-${this.role}-${index}-${place}`;
        labels[place].htmlFor = input.id;
      });
    });
    this.addButton.hidden = rows.length >= Number(this.box.dataset.limit);
  }
}

/**
 * Why these participants can't stay as they are, or "".
 *
 * @param {Iterable<ParticipantsForm>} forms
 */
export function findNamelessProblem(forms) {
  const rows = [...forms].flatMap((form) => form.read());
  if (!rows.some(({ name, account }) => account && !name)) return "";
  return gettext("There is an account without a name. Enter the name, as it was shown.");
}
