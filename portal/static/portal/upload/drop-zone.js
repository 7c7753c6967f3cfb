// Files and folders dropped anywhere on the page.
import { listDropped } from "./items.js";

/** @import { Item } from "./items.js" */

/**
 * @param {HTMLElement} zone highlighted while files are dragged over the page
 * @param {(items: Promise<Item[]>) => void} onDrop
 */
export function mountDropZone(zone, onDrop) {
  let depth = 0; // dragenter and dragleave also fire for the elements of the page
  const show = (/** @type {number} */ change) => {
    depth += change;
    zone.classList.toggle("over", depth > 0);
  };
  document.addEventListener("dragenter", () => show(1));
  document.addEventListener("dragleave", () => show(-1));
  document.addEventListener("dragover", (event) => event.preventDefault());
  document.addEventListener("drop", (event) => {
    event.preventDefault(); // a file dropped beside the zone would replace the page
    show(-depth);
    if (event.dataTransfer?.files.length) onDrop(listDropped(event.dataTransfer));
  });
}
