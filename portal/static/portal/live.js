// What a screen reader reads out, wherever the reader is.
export function say(words) {
  const live = document.getElementById("live");
  if (live && words) live.textContent = words;
}
