// An archive that was dropped: the recording in it, and what lies beside that and tells of it, as if they had been
// dropped themselves. Of several recordings a person chooses one. archive/intake/importers knows the same shapes.
import { Trouble } from "./bring-api.js";
import { moment, say, size } from "./bring-words.js";
import { isArchive, members, unpack } from "./bring-zip.js";

const SOUND = /\.(m4a|mp4|mp3|ogg|oga|opus|wav|flac|aac|ts)$/i;
const HIDDEN = /(^|\/)(\.|__MACOSX\/)/;
const SPACE = /(^|\/)spaces_media\/space-([A-Za-z0-9]+)(_\d+)?\.ts$/; // of an X data archive, whose other sounds are no Spaces
const METADATA = /(^|\/)spaces-metadata(-part\d+)?\.js$/;
const OWN_TRACK = /(^|\/)Audio Record\//; // Zoom's, of each person
const SIDECAR = 4 * 1024 ** 2; // bytes; what is larger tells of nothing that is asked here

const form = document.querySelector("[data-bring] [data-form]");
const several = form.querySelector("[data-several]");
const opening = form.querySelector("[data-opening]");
let latest = 0;

const folder = (name) => name.slice(0, name.lastIndexOf("/") + 1);
const base = (name) => name.slice(name.lastIndexOf("/") + 1);
const stem = (name) => base(name).replace(/\.[^.]*$/, "").toLowerCase();

// {files, words}: `files` with what is in the archives among them in their place, and what is wrong with the rest; null
// when something else was dropped since. `known(name, size)`: whether that recording is one that was begun here.
// `wrong(name, size)`: why it can't be taken in, or "".
export async function unpacked(files, { known, wrong }) {
  const turn = (latest += 1);
  several.hidden = true;
  const found = [];
  const words = [];
  for (const file of files) {
    try {
      found.push(...((await isArchive(file)) ? await fromArchive(file, { known, wrong }, turn) : [file]));
    } catch (error) {
      words.push(error instanceof Trouble ? error.message : `${file.name} can't be read: it was changed or moved, or it is a folder. Choose the files in it.`);
    }
  }
  if (turn !== latest) return null;
  opening.textContent = "";
  return { files: found, words };
}

async function fromArchive(file, { known, wrong }, turn) {
  tell(`Looking into ${file.name}`);
  const all = (await members(file)).filter(({ name }) => !HIDDEN.test(name));
  const sounds = recordings(all);
  if (!sounds.length) throw new Trouble(`${file.name}: there is no recording in it (m4a, mp3, ogg, opus, wav, flac, aac, ts, mp4).`);
  const begun = sounds.filter((each) => known(base(each.name), each.size));
  const one = begun.length === 1 ? begun[0] : sounds.length === 1 ? sounds[0] : await choice(file, sounds, await ends(file, all));
  if (turn !== latest) return [];
  const why = wrong(base(one.name), one.size);
  if (why) throw new Trouble(why);
  tell(`Unpacking ${base(one.name)}`);
  const recording = await unpack(file, one);
  return [recording, ...(await Promise.all(beside(all, sounds, one).map((each) => unpack(file, each))))];
}

function tell(words) {
  opening.textContent = `${words} …`;
  say(words);
}

function recordings(all) {
  const spaces = all.filter(({ name }) => SPACE.test(name));
  if (spaces.length || all.some(({ name }) => METADATA.test(name))) return spaces;
  return all.filter(({ name }) => SOUND.test(name) && !OWN_TRACK.test(name));
}

// What tells of a recording: a transcript and facts of its own name, or those that lie alone beside it.
function beside(all, sounds, { name }) {
  const here = all.filter((each) => folder(each.name) === folder(name) && each.size <= SIDECAR);
  const alone = sounds.filter((each) => folder(each.name) === folder(name)).length === 1;
  const pick = (pattern) => {
    const fits = here.filter((each) => pattern.test(each.name));
    return fits.find((each) => stem(each.name).startsWith(stem(name))) ?? (alone && fits.length === 1 ? fits[0] : null);
  };
  const facts = SPACE.test(name) ? all.find((each) => METADATA.test(each.name) && each.size <= SIDECAR) : pick(/\.json$/i);
  return [facts, pick(/\.vtt$/i) ?? pick(/\.(srt|jsonl)$/i)].filter(Boolean);
}

// {id of a Space: when it ended, in words}, as X's metadata has it: its recordings have no other names than their ids.
async function ends(file, all) {
  const found = {};
  for (const each of all.filter(({ name, size }) => METADATA.test(name) && size <= SIDECAR)) {
    try {
      const text = await (await unpack(file, each)).text();
      for (const entry of JSON.parse(text.slice(text.indexOf("=") + 1))) {
        const { id, endedAt } = entry.id ? entry : Object.values(entry)[0];
        found[id] = moment(new Date(endedAt));
      }
    } catch {
      // Then they have only their names here.
    }
  }
  return found;
}

// Resolves with the recording that a person chose. What is dropped in the meantime takes the list's place.
function choice(file, sounds, ended) {
  several.querySelector("[data-several-words]").textContent = `${file.name} has ${sounds.length} recordings. Each is a Space of its own: choose the one to bring in now.`;
  opening.textContent = "";
  return new Promise((resolve) => {
    const rows = [...sounds].sort((a, b) => a.name.localeCompare(b.name)).map((each) => {
      const row = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.className = "button";
      const end = ended[SPACE.exec(each.name)?.[2]];
      button.textContent = `${base(each.name)}, ${size(each.size)}${end ? `, ended on ${end}` : ""}`;
      button.addEventListener("click", () => {
        several.hidden = true;
        resolve(each);
      });
      row.append(button);
      return row;
    });
    several.querySelector("ul").replaceChildren(...rows);
    several.hidden = false;
    several.querySelector("button").focus();
  });
}
