// Copying a line of code.
import { say } from "./live.js";

export function copyLines() {
  document.addEventListener("click", async ({ target }) => {
    const button = target.closest("[data-copy]");
    if (!button) return;
    const code = button.parentElement.querySelector("code");
    try {
      await navigator.clipboard.writeText(code.textContent.trim());
      say("Copied.");
      const use = button.querySelector("use");
      use.setAttribute("href", use.getAttribute("href").replace("#copy", "#check"));
    } catch {
      getSelection().selectAllChildren(code);
      say("Selected: copy it with the keyboard.");
    }
  });
}
