// The page that brings a Space in: files are chosen, what they hold is filled in, then they are sent.
import { call, Trouble } from "./bring-api.js";
import { unpacked } from "./bring-archive.js";
import { fill, readLanguage, readSpace, showWrong } from "./bring-form.js";
import { kind, lookInto } from "./bring-look.js";
import { follow } from "./bring-panel.js";
import { say, size } from "./bring-words.js";

const page = document.querySelector("[data-bring]");
const form = page.querySelector("[data-form]");
const drop = form.querySelector("[data-drop]");
const unfinished = page.querySelector("[data-unfinished]");
const engine = import("./bring-send.js"); // large: it comes while the form is being read
engine.catch(() => {}); // said when it is needed
const wantsRecording = "wantsRecording" in page.dataset;
const NAMES = { recording: "Recording", transcript: "Transcript", metadata: "Metadata" };
const chosen = {};
let made = null; // the Space that was announced: {key: what was sent, name: of that request, id, title}

const opened = new Map(); // file -> {file, upload}
const hex = (bytes) => Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
const ahead = Number(document.documentElement.dataset.now) * 1000 - Date.now();
const now = () => Date.now() + (Math.abs(ahead) > 30e3 ? ahead : 0);

const tooLarge = (name, bytes) => (bytes > Number(page.dataset.max) ? `${name} has ${size(bytes)}; at most ${size(Number(page.dataset.max))} can be taken in.` : "");

function wrongFile(file, role) {
  if (!file.size) return `${file.name} is empty.`;
  if (role === "recording" && tooLarge(file.name, file.size)) return tooLarge(file.name, file.size);
  if (role !== "transcript" && !wantsRecording) return `${file.name} does not look like a transcript. VTT, SRT, JSON and text are read.`;
  return "";
}

// Choosing files, by dropping, by the zone's own field or by a row of what is not finished
async function take(given, row = null) {
  const begun = (name, bytes) => [...(unfinished?.querySelectorAll("[data-open]") ?? [])].find(
    ({ dataset }) => dataset.name === name && Number(dataset.size) === bytes && (!row || row.dataset.open === dataset.open),
  );
  const inside = wantsRecording ? await unpacked(given, { known: begun, wrong: tooLarge }) : { files: given, words: [] };
  if (!inside) return; // something else was chosen since
  const wrong = inside.words;
  const files = row && inside.files.some((file) => begun(file.name, file.size)) ? inside.files.filter((file) => begun(file.name, file.size)) : inside.files;
  const going = [];
  const fresh = new Set();
  for (const file of files) {
    const open = begun(file.name, file.size);
    const role = open ? open.dataset.kind : await kind(file);
    if (open) going.push({ file, row: open });
    else if (row) return (row.querySelector("[data-row-wrong]").textContent = `That is ${file.name} (${size(file.size)}), not ${row.dataset.name} (${size(Number(row.dataset.size))}). Choose that one to go on.`);
    else if (role === "chat") wrong.push(`${file.name}: the chat is not taken in.`);
    else if (wrongFile(file, role)) wrong.push(wrongFile(file, role));
    else if (fresh.has(role)) wrong.push(`One file at a time for the ${role}: ${file.name} was left out.`);
    else {
      fresh.add(role);
      chosen[role] = file;
    }
  }
  form.querySelector("[data-drop-error]").textContent = wrong.join(" ");
  if (going.length) return goOn(going);
  showChosen();
  await find();
}

function showChosen() {
  const rows = Object.entries(NAMES).filter(([role]) => chosen[role]).map(([role, name]) => {
    const item = document.querySelector("[data-file-row]").content.firstElementChild.cloneNode(true);
    item.querySelector("[data-kind]").textContent = name;
    item.querySelector("[data-name]").textContent = chosen[role].name;
    item.querySelector("[data-size]").textContent = size(chosen[role].size);
    const remove = item.querySelector("[data-remove]");
    remove.setAttribute("aria-label", `Remove ${chosen[role].name}`);
    remove.addEventListener("click", () => {
      delete chosen[role];
      showChosen();
      drop.querySelector("input").focus();
    });
    return item;
  });
  form.querySelector("[data-chosen]").replaceChildren(...rows);
  drop.classList.toggle("has", rows.length > 0);
  form.querySelector("[data-asked]").hidden = !(chosen.recording || chosen.transcript);
  form.querySelector("[data-language]").hidden = !chosen.transcript && !page.dataset.space;
}

async function find() {
  if (!chosen.recording && !chosen.transcript && !chosen.metadata) return;
  const notice = form.querySelector("[data-found-notice]");
  let words;
  try {
    const facts = await lookInto(chosen);
    const filled = fill(facts);
    words = [filled.length ? `Filled in from what the files hold: ${filled.join(", ")}. Have a look, and change what is not right.` : "", ...(facts.notes ?? [])].filter(Boolean).join(" ");
  } catch (error) {
    words = error instanceof Trouble && error.status ? `${error.message} The form can be filled in by hand.` : "";
  }
  notice.hidden = !words;
  form.querySelector("[data-found-words]").textContent = words;
  say(words);
}

// Sending
function sayTrouble(error) {
  const place = form.querySelector("[data-trouble-form]");
  place.hidden = !error;
  if (!error) return;
  const wrongs = {};
  for (const { loc, msg } of error.errors ?? []) {
    for (const name of loc) wrongs[{ cohosts: "people", speakers: "people" }[name] ?? name] = msg;
  }
  place.querySelector("p").textContent = `${error.message} Nothing that you wrote is lost.`;
  if (showWrong(wrongs)) place.focus();
}

async function announced() {
  if (page.dataset.space) return page.dataset.space;
  const body = readSpace(now());
  if (!body) return null;
  const key = JSON.stringify(body);
  if (made?.key !== key) made = { key, name: hex(crypto.getRandomValues(new Uint8Array(16))), title: body.title };
  made.id ??= (await call("POST", "/spaces", body, { key: made.name })).id;
  return made.id;
}

async function open(space, role) {
  const file = chosen[role];
  const before = opened.get(file);
  if (before?.upload.space === space && before.upload.kind === role) return before; // the other file failed
  const language = role === "transcript" ? readLanguage() : undefined;
  const upload = await call("POST", `/spaces/${space}/uploads`, { kind: role, name: file.name, size: file.size, ...(language && { language }) });
  opened.set(file, { file, upload });
  return { file, upload };
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("[data-send]");
  if (button.getAttribute("aria-busy") === "true") return;
  if (wantsRecording && !page.dataset.space && !chosen.recording) {
    form.querySelector("[data-drop-error]").textContent = "There is no recording yet: drop it here, or choose it.";
    drop.querySelector("input").focus();
    return;
  }
  button.setAttribute("aria-busy", "true");
  sayTrouble(null);
  try {
    const space = await announced();
    if (!space) return;
    const files = [];
    for (const role of ["transcript", "recording"]) if (chosen[role]) files.push(await open(space, role)); // the small one first
    await send(space, files, made?.title || page.dataset.title);
  } catch (error) {
    sayTrouble(error instanceof Trouble ? error : new Trouble("This could not be begun. Reload the page and try again."));
  } finally {
    button.removeAttribute("aria-busy");
  }
});

async function goOn(going) {
  const files = going.map(({ file, row: { dataset } }) => {
    const [bytes, step] = [Number(dataset.size), Number(dataset.partSize)];
    return { file, upload: { id: dataset.open, kind: dataset.kind, size: bytes, part_size: step, part_count: Math.ceil(bytes / step), resumed: true } };
  });
  const [{ row }] = going;
  await send(row.dataset.space, files, row.dataset.title);
}

async function send(space, files, title) {
  const { carrier } = await engine;
  form.hidden = true;
  if (unfinished) unfinished.hidden = true;
  const here = page.dataset.page.replace(/[0-9a-f-]{36}/, space);
  follow(carrier(files), files, title, {
    done: () => location.assign(here),
    ended: () => location.assign(location.pathname + location.search),
  });
}

// Events
for (const input of page.querySelectorAll('input[type="file"]')) {
  const row = input.closest("[data-open]");
  input.addEventListener("change", () => {
    const files = [...input.files];
    input.value = ""; // so that the same file can be chosen again
    take(files, row);
  });
}
if (drop.querySelector("input").files.length) take([...drop.querySelector("input").files]);
unfinished?.addEventListener("click", async ({ target }) => {
  const button = target.closest("[data-give-up]");
  if (!button) return;
  const row = button.closest("[data-open]");
  button.setAttribute("aria-busy", "true");
  try {
    await call("DELETE", `/uploads/${row.dataset.open}`);
    row.remove();
    say(`${row.dataset.name} was given up.`);
    if (!unfinished.querySelector("[data-open]")) unfinished.remove();
  } catch (error) {
    row.querySelector("[data-row-wrong]").textContent = error.message;
    button.removeAttribute("aria-busy");
  }
});
let over = 0;
document.addEventListener("dragenter", () => drop.classList.toggle("over", ++over > 0));
document.addEventListener("dragleave", () => drop.classList.toggle("over", --over > 0));
document.addEventListener("dragover", (event) => event.preventDefault());
document.addEventListener("drop", (event) => {
  event.preventDefault(); // a file beside the zone would replace the page
  over = 0;
  drop.classList.remove("over");
  if (!form.hidden && event.dataTransfer.files.length) take([...event.dataTransfer.files]);
});
