// What chosen files are, and what they hold. Of a recording only its head is read, and of an MP4 the boxes that describe
// it: the recording itself goes to the store, never to the portal.
import { look } from "./bring-api.js";

const HEAD = 256 * 1024;
const MOOV = 4 * 1024 ** 2 - HEAD; // more is not looked into
const SIDECAR = 4 * 1024 ** 2;
const CHAT = /^(chat|meeting_saved_(new_)?chat|GMT\d{8}-\d{6}_.*chat)\.txt$/i; // as Zoom names it
const WORDS = /\.(vtt|srt|txt|jsonl)$/i;

// recording, transcript, metadata or chat
export async function kind(file) {
  if (CHAT.test(file.name)) return "chat";
  if (WORDS.test(file.name)) return "transcript";
  if (/\.js$/i.test(file.name)) return "metadata"; // as X's data archive has it
  if (!/\.json$/i.test(file.name)) return "recording";
  if (file.size > SIDECAR) return "transcript";
  try {
    return Array.isArray(JSON.parse(await file.text()).segments) ? "transcript" : "metadata"; // Podcasting 2.0 has segments
  } catch {
    return "metadata";
  }
}

// [type, where it starts, its length] of each box on the first level of an MP4; none for what is no MP4.
async function boxes(file) {
  const found = [];
  for (let at = 0; at + 8 <= file.size && found.length < 64;) {
    const header = new DataView(await file.slice(at, at + 16).arrayBuffer());
    const type = String.fromCharCode(...new Uint8Array(header.buffer, 4, 4));
    let length = header.getUint32(0);
    if (length === 1 && header.byteLength === 16) length = Number(header.getBigUint64(8));
    else if (length === 0) length = file.size - at;
    if (length < 8 || (!found.length && type !== "ftyp")) break;
    found.push([type, at, length]);
    at += length;
  }
  return found;
}

async function head(file) {
  const all = await boxes(file);
  const wanted = all.filter(([type, , length]) => type === "ftyp" || (type === "moov" && length <= MOOV));
  if (!wanted.some(([type]) => type === "moov")) return file.slice(0, HEAD);
  return new Blob(wanted.map(([, at, length]) => file.slice(at, at + length)));
}

// Facts as archive/intake/importers finds them. Raises Trouble.
export async function lookInto({ recording, transcript, metadata }) {
  const parts = [];
  if (recording) parts.push([recording.name, await head(recording)]);
  if (metadata && metadata.size <= SIDECAR) parts.push([metadata.name, metadata]);
  if (transcript) parts.push([transcript.name, transcript.slice(0, HEAD)]);
  return look(parts, recording?.name ?? "");
}
