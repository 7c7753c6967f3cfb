// Ticked Spaces in a list: show their number on the download button.
import { getElement, getElements } from "../../archive/core/dom.js";
import { interpolate, ngettext } from "../../archive/core/translate.js";

export function mountChoice() {
  const form = getElement(document, "#choose", HTMLFormElement);
  const label = getElement(form, "[data-choose] .label");
  const boxes = getElements(document, "input[form=choose]", HTMLInputElement);
  const update = () => {
    const count = boxes.filter((box) => box.checked).length;
    label.textContent = interpolate(ngettext("Download %(count)s Space", "Download %(count)s Spaces", count), {
      count,
    });
  };
  for (const box of boxes) box.addEventListener("change", update);
  form.addEventListener("reset", () => setTimeout(update)); // after the boxes were cleared
  addEventListener("pageshow", update); // browsers restore ticks when a page is opened again
  update();
}
