// Buttons that copy the code beside them.
import { announce } from "./announce.js";
import { closestElement, getElement, setIcon } from "./dom.js";
import { gettext } from "./translate.js";

export function mountCopyButtons() {
  document.addEventListener("click", async ({ target }) => {
    const button = closestElement(target, "[data-copy]");
    if (!button?.parentElement) return;
    const code = getElement(button.parentElement, "code");
    try {
      await navigator.clipboard.writeText((code.textContent ?? "").trim());
      announce(gettext("Copied."));
      setIcon(button, "check");
    } catch {
      getSelection()?.selectAllChildren(code);
      announce(gettext("Selected: copy it with the keyboard."));
    }
  });
}
