// Ticked Spaces in the queue: show their number, select all at once, and enable only the buttons that apply. Without
// this script, the next page says if no Space is selected.
import { getElement, getElements } from "../../archive/core/dom.js";
import { interpolate, ngettext } from "../../archive/core/translate.js";

const form = getElement(document, "[data-several]", HTMLFormElement);
const boxes = getElements(form, 'input[name="space"]:not(:disabled)', HTMLInputElement);
const all = getElement(form, "[data-select-all]", HTMLInputElement);
const status = getElement(form, "[data-selected]");

const update = () => {
  const chosen = boxes.filter(({ checked }) => checked);
  const count = chosen.length;
  for (const button of getElements(form, "button[type=submit]", HTMLButtonElement)) {
    const { needsFlag } = button.dataset;
    button.disabled = !(needsFlag === undefined ? chosen : chosen.filter(({ dataset }) => "flagged" in dataset)).length;
  }
  all.disabled = !boxes.length;
  all.checked = count > 0 && count === boxes.length;
  all.indeterminate = count > 0 && count < boxes.length;
  status.textContent = count
    ? interpolate(ngettext("%(count)s selected.", "%(count)s selected.", count), { count })
    : "";
};
for (const box of boxes) box.addEventListener("change", update);
all.addEventListener("change", () => {
  for (const box of boxes) box.checked = all.checked;
  update();
});
addEventListener("pageshow", update); // browsers restore ticks when the page is opened again
update();
