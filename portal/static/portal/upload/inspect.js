// Inspect the chosen files. Only the head of a recording is read, or the boxes of an MP4 that describe it: the
// recording itself goes to the store, never to the portal.
import { baseName } from "./config.js";

/** @import { Api } from "./api.js" */
/** @import { UploadConfig } from "./config.js" */
/** @import { Item } from "./items.js" */
/** @typedef {"recording" | "transcript" | "metadata"} FileKind */
/** @typedef {Partial<Record<FileKind, File>>} ChosenFiles */

/**
 * The boxes on the first level of an MP4; none for other files.
 *
 * @param {File} file
 */
async function readBoxes(file) {
  /** @type {{type: string, start: number, length: number}[]} */
  const boxes = [];
  for (let start = 0; start + 8 <= file.size && boxes.length < 64; ) {
    const header = new DataView(await file.slice(start, start + 16).arrayBuffer());
    const type = String.fromCharCode(...new Uint8Array(header.buffer, 4, 4));
    let length = header.getUint32(0);
    if (length === 1 && header.byteLength === 16) length = Number(header.getBigUint64(8));
    else if (length === 0) length = file.size - start;
    if (length < 8 || (!boxes.length && type !== "ftyp")) break;
    boxes.push({ type, start, length });
    start += length;
  }
  return boxes;
}

/**
 * @param {File} file
 * @param {UploadConfig} config
 */
async function readHead(file, config) {
  const boxes = (await readBoxes(file)).filter(
    ({ type, length }) =>
      type === "ftyp" || (type === "moov" && length <= config.inspectedHeadBytes - config.headBytes),
  );
  if (!boxes.some(({ type }) => type === "moov")) return file.slice(0, await tagBytes(file, config));
  return new Blob(boxes.map(({ start, length }) => file.slice(start, start + length)));
}

/**
 * How much of a file to send: all of an ID3 tag, whose title may come after a picture (id3.org, ID3v2.4 §3.1).
 *
 * @param {File} file
 * @param {UploadConfig} config
 */
async function tagBytes(file, { headBytes, inspectedHeadBytes }) {
  const header = new Uint8Array(await file.slice(0, 10).arrayBuffer());
  if (String.fromCharCode(...header.slice(0, 3)) !== "ID3") return headBytes;
  const size = header.slice(6).reduce((sum, byte) => sum * 128 + (byte & 127), 10);
  return Math.max(headBytes, Math.min(size, inspectedHeadBytes));
}

/**
 * Facts about the Space, as archive/intake/importers finds them, and the speakers in the transcript. Throws UserError.
 *
 * @param {Api} api
 * @param {ChosenFiles} chosen
 * @param {UploadConfig} config
 */
export async function inspectFiles(api, { recording, transcript, metadata }, config) {
  const head = recording && (await readHead(recording, config));
  return inspect(api, { recording, transcript, metadata, head }, config);
}

/**
 * The same for a recording that may be in an archive, and is not unpacked for this. Throws UserError.
 *
 * @param {Api} api
 * @param {Item} recording
 * @param {{transcript?: Item, metadata?: Item}} companions
 * @param {UploadConfig} config
 */
export async function inspectItems(api, recording, companions, config) {
  const [transcript, metadata] = await Promise.all([companions.transcript?.open(), companions.metadata?.open()]);
  const head = recording.isPacked
    ? await recording.readHead(config.headBytes)
    : await readHead(await recording.open(), config);
  return inspect(api, { recording: { name: baseName(recording.path) }, transcript, metadata, head }, config);
}

/**
 * @param {Api} api
 * @param {{recording?: {name: string}, transcript?: File, metadata?: File, head?: Blob}} files
 * @param {UploadConfig} config
 */
function inspect(api, { recording, transcript, metadata, head }, config) {
  /** @type {[string, Blob][]} */
  const files = [];
  if (recording && head) files.push([recording.name, head]);
  if (metadata && metadata.size <= config.sidecarBytes) files.push([metadata.name, metadata]);
  if (transcript) files.push([transcript.name, transcript.slice(0, config.headBytes)]);
  return api.inspect(files, recording?.name ?? "", transcript?.slice(0, config.transcriptBytes));
}
