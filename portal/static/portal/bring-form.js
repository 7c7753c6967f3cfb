// What is asked of a Space: filling it in, reading it out, saying what is wrong where it is wrong.
import { moment } from "./bring-words.js";

const page = document.querySelector("[data-bring]");
const form = page.querySelector("[data-form]");
const field = (name) => form.elements[name];
const DAY = 864e5;
const ROLES = { cohosts: "Co-host", speakers: "Speaker" };

// Co-hosts and speakers: rows that are added and taken away
function renumber(box) {
  const rows = [...box.querySelectorAll("li")];
  rows.forEach((row, index) => {
    const words = `${ROLES[box.dataset.people]} ${index + 1}`;
    row.querySelector("[data-role]").textContent = words;
    row.querySelector("[data-remove]").setAttribute("aria-label", `Remove ${words.toLowerCase()}`);
    row.querySelectorAll("input").forEach((input, place) => {
      input.id = `b-${box.dataset.people}-${index}-${place}`;
      row.querySelectorAll("label")[place].htmlFor = input.id;
    });
  });
  box.querySelector("[data-add]").hidden = rows.length >= Number(box.dataset.most);
}

function addPerson(box, { name = "", account = "" } = {}) {
  if (box.querySelectorAll("li").length >= Number(box.dataset.most)) return null;
  const row = document.querySelector("[data-person-row]").content.firstElementChild.cloneNode(true);
  row.querySelector("[data-name]").value = name;
  row.querySelector("[data-account]").value = account;
  box.querySelector("ul").append(row);
  renumber(box);
  return row;
}

for (const box of form.querySelectorAll("[data-people]")) {
  box.querySelector("[data-add]").addEventListener("click", () => addPerson(box)?.querySelector("input").focus());
  box.addEventListener("click", ({ target }) => {
    const row = target.closest("[data-remove]")?.closest("li");
    if (!row) return;
    row.remove();
    renumber(box);
    (box.querySelector("[data-add]:not([hidden])") ?? box.querySelector("input")).focus();
  });
}

// The end: asked in the reader's zone, said in UTC
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (field("ended_at")) {
  form.querySelector("[data-zone]").textContent = `in your time (${zone.replaceAll("_", " ")})`;
  field("ended_at").addEventListener("input", showEnd);
}

function endedAt() {
  const value = field("ended_at")?.value;
  const date = value ? new Date(value) : null;
  return date && !Number.isNaN(date.getTime()) ? date : null;
}

function showEnd() {
  const date = endedAt();
  const until = date && new Date(date.getTime() + Number(page.dataset.days) * DAY);
  form.querySelector("[data-utc]").textContent = date
    ? `That is ${moment(date)}. Its clock starts then, not now: it is kept until ${moment(until)}.`
    : "Its clock starts then, not now.";
}

const local = (date) => {
  const two = (number) => String(number).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}T${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
};

// Filling in. What a person typed is never written over. Returns the names of what was filled in.
const typed = new Set();
form.addEventListener("input", ({ target }) => typed.add(target.closest("[data-people]")?.dataset.people ?? target.name));

export function fill(facts) {
  const filled = [];
  const set = (name, value, words) => {
    const input = field(name);
    if (!input || typed.has(name) || value === null || value === undefined || value === "") return;
    input.value = String(value);
    filled.push(words);
  };
  set("title", facts.title, "title");
  set("ended_at", facts.ended_at ? local(new Date(facts.ended_at)) : "", "end");
  set("audience", facts.audience, "who could talk");
  set("listeners_peak", facts.listeners_peak, "listeners");
  set("listeners_total", facts.listeners_total, "listeners in all");
  set("language", facts.language === "und" ? "" : facts.language, "language");
  for (const [role, words] of [["cohosts", "co-hosts"], ["speakers", "speakers"]]) {
    const box = form.querySelector(`[data-people="${role}"]`);
    const names = facts[role] ?? [];
    if (!box || typed.has(role) || !names.length) continue;
    box.querySelector("ul").replaceChildren();
    for (const name of names) addPerson(box, typeof name === "string" ? { name } : name);
    renumber(box);
    filled.push(words);
  }
  showEnd();
  return filled;
}

// Saying what is wrong. `wrongs`: {field: words}. The first wrong field gets the focus.
export function showWrong(wrongs) {
  for (const place of form.querySelectorAll("[data-wrong]")) {
    const name = place.dataset.wrong;
    const input = field(name);
    place.textContent = wrongs[name] ?? "";
    place.id ||= `b-${name}-error`;
    if (!(input instanceof HTMLInputElement)) continue;
    input.setAttribute("aria-invalid", String(Boolean(wrongs[name])));
    if (!input.hasAttribute("aria-describedby")) input.setAttribute("aria-describedby", place.id);
  }
  const first = [...form.querySelectorAll("[data-wrong]")].find((place) => place.textContent);
  const wrong = first && (field(first.dataset.wrong) ?? first.closest("section").querySelector("[data-people] input"));
  wrong?.focus();
  return !first;
}

function people(role, wrongs) {
  const rows = [...form.querySelectorAll(`[data-people="${role}"] li`)];
  const values = rows.map((row) => ["name", "account"].map((name) => row.querySelector(`[data-${name}]`).value.trim()));
  if (values.some(([name, account]) => account && !name)) wrongs.people = "Somebody has an account here but no name: write the name, as it was shown.";
  return values.filter(([name]) => name).map(([name, account]) => (account ? { name, account } : name));
}

function count(name, wrongs) {
  const text = field(name).value.replace(/[\s.,]/g, "");
  if (text && !/^\d{1,15}$/.test(text)) wrongs[name] = "A whole number, or nothing.";
  return text ? Number(text) : undefined;
}

// The body for POST /spaces, or null when something is wrong (which is then shown).
export function readSpace(now) {
  const wrongs = {};
  const ended = endedAt();
  const oldest = now - Number(page.dataset.days) * DAY;
  if (!ended) wrongs.ended_at = "When did the live Space end? The day and the time are needed: the clock starts there.";
  else if (ended > now) wrongs.ended_at = "That is in the future. When did the live Space end?";
  else if (ended <= oldest) wrongs.ended_at = `That is more than ${page.dataset.days} days ago: its time has passed, so it can't be taken in any more.`;
  const body = {
    title: field("title").value.trim(),
    ended_at: ended?.toISOString(),
    audience: field("audience").value,
    cohosts: people("cohosts", wrongs),
    speakers: people("speakers", wrongs),
    listeners_peak: count("listeners_peak", wrongs),
    listeners_total: count("listeners_total", wrongs),
    transcribe: field("transcribe")?.checked ?? false,
  };
  const host = field("host")?.value.trim();
  if (host) body.host = host;
  readLanguage(wrongs);
  return showWrong(wrongs) ? body : null;
}

export function readLanguage(wrongs = {}) {
  const tag = field("language").value.trim();
  if (tag && !/^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$/.test(tag)) wrongs.language = "A language tag such as en or pt-BR, or nothing.";
  return tag || undefined;
}
