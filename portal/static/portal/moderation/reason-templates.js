// Fill in the reason of a flag from a template. Without this script the reason can stay empty: then the server uses the
// template's text.
import { getElement } from "../../archive/core/dom.js";

const select = getElement(document, "[data-reason-templates]", HTMLSelectElement);
const rule = getElement(document, "#flag-rule", HTMLSelectElement);
const reason = getElement(document, "#flag-reason", HTMLTextAreaElement);
let filled = ""; // the text that came from a template last

reason.required = true;
select.addEventListener("change", () => {
  const { text = "", rule: code = "" } = select.selectedOptions[0].dataset;
  const own = reason.value.trim() === filled.trim() ? "" : reason.value.trim();
  reason.value = [own, text].filter(Boolean).join("\n\n");
  filled = own ? "" : text;
  if (!code) return;
  rule.value = code;
  rule.dispatchEvent(new Event("change"));
});
