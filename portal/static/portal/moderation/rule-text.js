// Show the text of the chosen rule. Without this script, the page of all rules shows it.
import { getElement } from "../../archive/core/dom.js";

const rule = getElement(document, "#flag-rule", HTMLSelectElement);
const place = getElement(document, "[data-rule-text]");

const show = () => {
  place.textContent = rule.selectedOptions[0]?.dataset.text ?? "";
  place.hidden = !place.textContent;
};
rule.addEventListener("change", show);
addEventListener("pageshow", show); // browsers restore the choice when the page is opened again
show();
