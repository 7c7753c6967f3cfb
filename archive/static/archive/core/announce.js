// Messages for screen readers.

/**
 * Read `message` out, wherever the reader is.
 *
 * @param {string | undefined} message
 */
export function announce(message) {
  const live = document.getElementById("live");
  if (live && message) live.textContent = message;
}
