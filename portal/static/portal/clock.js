// Keeps each clock true while the page is open: words, bar, tone, and the time in the reader's own zone.
const DAY = 864e5;
const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "long", year: "numeric" });
const time = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZoneName: "short" });

// The server's clock counts, not this machine's; a page taken from the history carries an old one.
const restored = performance.getEntriesByType("navigation")[0]?.type === "back_forward";
const ahead = restored ? 0 : Number(document.documentElement.dataset.now) * 1000 - Date.now();
const offset = Math.abs(ahead) > 30e3 ? ahead : 0;
const now = () => Date.now() + offset;

// Whole units, rounded down: never more than there is (portal/presenters/clock.py says it in the same words).
export function left(milliseconds) {
  for (const [unit, length, least] of [["day", DAY, 2], ["hour", 36e5, 2], ["minute", 6e4, 1]]) {
    const count = Math.floor(milliseconds / length);
    if (count >= least) return `${count} ${unit}${count > 1 ? "s" : ""} left`;
  }
  return "less than a minute left";
}

export function tone(milliseconds, drawn) {
  if (milliseconds <= 0) return "gone";
  if (milliseconds <= DAY) return "urgent";
  if (milliseconds <= 7 * DAY) return "soon";
  return drawn === "kept" ? "kept" : "calm";
}

function turn(clock) {
  const until = Date.parse(clock.dataset.until);
  const rest = until - now();
  const next = tone(rest, clock.dataset.clock);
  const words = clock.querySelector(".clock-words");
  const said = rest > 0 ? left(rest) : (clock.dataset.over ?? "Deleted");
  if (words.textContent !== said) words.textContent = said;
  clock.classList.remove("calm", "soon", "urgent", "kept", "gone");
  clock.classList.add(next);
  const ended = Date.parse(clock.dataset.ended);
  const passed = Math.min(100, Math.max(0, (100 * (now() - ended)) / (until - ended))).toFixed(2);
  clock.querySelector(".bar .past").setAttribute("width", `${passed}%`);
  clock.querySelector(".bar .now").setAttribute("cx", `${passed}%`);
  clock.querySelector(".dial .past").setAttribute("stroke-dasharray", `${passed} 100`);
  const over = clock.parentElement.querySelector("[data-clock-over]");
  if (over && rest <= 0 && over.hidden) {
    over.hidden = false;
    document.querySelector("audio")?.pause();
    for (const part of document.querySelectorAll("[data-content]")) part.inert = true;
  }
}

export function startClocks() {
  const clocks = [...document.querySelectorAll("[data-clock][data-until]")];
  for (const clock of clocks) {
    const until = new Date(clock.dataset.until);
    clock.querySelector(".clock-zone").textContent = `in your time: ${day.format(until)}, ${time.format(until)}`;
  }
  const all = () => clocks.forEach(turn);
  all();
  setInterval(all, 15e3);
  document.addEventListener("visibilitychange", all);
  // Not up to 15 seconds late at the moment itself.
  for (const clock of clocks) {
    const rest = Date.parse(clock.dataset.until) - now();
    if (rest > 0 && rest < DAY) setTimeout(all, rest + 250);
  }
}
