// "Copy a link to this line": one button, which comes to the line under the pointer, with the focus, or that was tapped.
import { announce } from "../core/announce.js";
import { closestElement, findElement, getElement, setIcon } from "../core/dom.js";
import { gettext, interpolate } from "../core/translate.js";
import { copyLink } from "./timecode.js";

/**
 * @param {HTMLElement} player
 * @param {HTMLElement[]} lines
 */
export function mountLineLink(player, lines) {
  const list = lines[0]?.parentElement;
  const model = findElement(player, "[data-link]");
  if (!list || !model) return;
  const button = /** @type {HTMLElement} */ (model.cloneNode(true));
  button.removeAttribute("data-link");
  button.classList.add("line-link");
  button.title = gettext("Copy a link to this line");
  button.setAttribute("aria-label", button.title);

  const come = (/** @type {Event} */ { target }) => {
    const line = closestElement(target, "li");
    if (!line || line.contains(button)) return;
    getElement(line, ".stamp").after(button);
    setIcon(button, "copy");
  };
  list.addEventListener("pointerover", (event) => {
    if (event.pointerType === "mouse") come(event);
  });
  list.addEventListener("click", come); // by a finger: one that comes earlier would be under it
  list.addEventListener("focusin", come);
  button.addEventListener("click", async (event) => {
    event.stopPropagation(); // a click on the line would play from there
    const stamp = getElement(button.closest("li") ?? list, ".stamp", HTMLAnchorElement);
    const time = stamp.textContent ?? "";
    const isCopied = await copyLink(stamp.href);
    announce(
      isCopied
        ? interpolate(gettext("The link to %(time)s was copied."), { time })
        : interpolate(gettext("The address of this page is now the link to %(time)s."), { time }),
    );
    setIcon(button, "check");
  });
}
