// The switch of the colours: automatic, light, dark. theme.js has shown what was chosen before.
import { say } from "./live.js";

const NAMES = { auto: "automatic", light: "light", dark: "dark" };

export function switchColours() {
  const root = document.documentElement;
  const button = document.querySelector("[data-theme-switch]");
  if (!button) return;
  const show = (theme) => {
    const use = button.querySelector("use");
    use.setAttribute("href", `${use.dataset.sprite}#${theme}`);
    button.setAttribute("aria-label", `Colours: ${NAMES[theme]}`);
    button.title = `Colours: ${NAMES[theme]}`;
  };
  show(root.dataset.theme ?? "auto");
  button.addEventListener("click", () => {
    const names = Object.keys(NAMES);
    const next = names[(names.indexOf(root.dataset.theme ?? "auto") + 1) % names.length];
    if (next === "auto") delete root.dataset.theme;
    else root.dataset.theme = next;
    try {
      localStorage.setItem("theme", next);
    } catch {
      // Not remembered, but shown.
    }
    show(next);
    say(`Colours: ${NAMES[next]}`);
  });
}
