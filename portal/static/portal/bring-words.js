// How sizes, speeds and times read, in the same words as archive/formatting.py.

export function size(count) {
  if (count < 1000) return count === 1 ? "1 byte" : `${count} bytes`;
  const units = ["kB", "MB", "GB", "TB"];
  let number = count / 1000;
  while (number >= 999.5 && units.length > 1) {
    number /= 1000;
    units.shift();
  }
  return `${number < 99.95 ? number.toFixed(1).replace(/\.0$/, "") : number.toFixed(0)} ${units[0]}`;
}

// Seconds that are left, roughly: nobody believes "2 minutes 13 seconds".
export function left(seconds) {
  if (seconds < 50) return "less than a minute left";
  const minutes = Math.ceil(seconds / 60);
  if (minutes < 60) return `about ${minutes} ${minutes === 1 ? "minute" : "minutes"} left`;
  const hours = Math.round(minutes / 30) / 2;
  return `about ${String(hours).replace(".5", "½").replace(/^0½/, "½")} ${hours <= 1 ? "hour" : "hours"} left`;
}

const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric", timeZone: "UTC" });
const time = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: "UTC" });

// 22 December 2026, 14:05 UTC
export const moment = (date) => `${day.format(date)}, ${time.format(date)} UTC`;

// One line for those who listen to the page instead of looking at it.
export function say(words) {
  const live = document.getElementById("live");
  if (live && live.textContent !== words) live.textContent = words;
}
