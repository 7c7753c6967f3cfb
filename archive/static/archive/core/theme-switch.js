// The color theme switch: automatic, light, dark. theme-init.js applies the stored choice on the next page.
import { announce } from "./announce.js";
import { findElement, getElement } from "./dom.js";
import { gettext } from "./translate.js";

/** @typedef {"auto" | "light" | "dark"} Theme */

/** @type {Record<Theme, string>} */
const LABELS = {
  auto: gettext("Colors: automatic"),
  light: gettext("Colors: light"),
  dark: gettext("Colors: dark"),
};
const prefersDark = matchMedia("(prefers-color-scheme: dark)");

/**
 * The first click changes what one sees: from the automatic theme to the other one.
 *
 * @param {Theme} theme
 * @returns {Theme}
 */
function nextTheme(theme) {
  /** @type {Theme[]} */
  const order = prefersDark.matches ? ["auto", "light", "dark"] : ["auto", "dark", "light"];
  return order[(order.indexOf(theme) + 1) % order.length];
}

export function mountThemeSwitch() {
  const root = document.documentElement;
  const button = findElement(document, "[data-theme-switch]");
  if (!button) return;
  const current = () => /** @type {Theme} */ (root.dataset.theme ?? "auto");
  const show = () => {
    const use = getElement(button, "use", SVGUseElement);
    use.setAttribute("href", `${use.dataset.sprite}#${current()}`);
    button.setAttribute("aria-label", LABELS[current()]);
    button.title = LABELS[current()];
  };
  show();
  button.addEventListener("click", () => {
    const next = nextTheme(current());
    if (next === "auto") delete root.dataset.theme;
    else root.dataset.theme = next;
    try {
      localStorage.setItem("theme", next);
    } catch {
      // Storage is disabled: the choice holds until the page is closed.
    }
    show();
    announce(LABELS[next]);
  });
}
