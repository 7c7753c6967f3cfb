// Messages for screen readers.

/**
 * Let screen readers announce `message`, wherever the focus is.
 *
 * @param {string | undefined} message
 */
export function announce(message) {
  const live = document.getElementById("live");
  if (live && message) live.textContent = message;
}
