// What the chosen files contain. Only the head of a recording is read, or the boxes of an MP4 that
// describe it: the recording itself goes to the store, never to the portal.
/** @import { Api } from "./api.js" */

/** @import { UploadConfig } from "./config.js" */
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
 * Facts about the Space, as archive/intake/importers finds them. Throws UserError.
 *
 * @param {Api} api
 * @param {ChosenFiles} chosen
 * @param {UploadConfig} config
 */
export async function inspectFiles(api, { recording, transcript, metadata }, config) {
  /** @type {[string, Blob][]} */
  const files = [];
  if (recording) files.push([recording.name, await readHead(recording, config)]);
  if (metadata && metadata.size <= config.sidecarBytes) files.push([metadata.name, metadata]);
  if (transcript) files.push([transcript.name, transcript.slice(0, config.headBytes)]);
  return api.inspect(files, recording?.name ?? "");
}
