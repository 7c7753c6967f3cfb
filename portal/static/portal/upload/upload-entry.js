// One upload of the queue: a Space, and the files that are sent for it.

/** @import { Api, UserError } from "./api.js" */
/** @import { Item } from "./items.js" */
/** @import { UploadSession } from "./multipart-upload.js" */

/**
 * @typedef {object} QueueFile
 * @property {"transcript" | "recording"} kind
 * @property {string} path
 * @property {number} size bytes
 * @property {string} language of a transcript, or ""
 * @property {Record<string, string>} speakerNames of a transcript: new names by those in it
 * @property {Item | null} item to open; null if `file` is open
 * @property {File | null} file
 * @property {UploadSession | null} session once it was opened
 */
/**
 * @typedef {"waiting" | "opening" | "sending" | "uploaded" | "failed"} EntryState
 * @typedef {object} QueueEntry
 * @property {string} title
 * @property {string} space id; "" until it is created
 * @property {object} body of the request that creates it
 * @property {string} key of this request, so that it is created once
 * @property {QueueFile[]} files the small one first
 * @property {EntryState} state
 * @property {UserError | null} error why it failed
 * @property {any} uppy that sends its files
 */

/** A random key for one request. */
export const makeKey = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, "0")).join("");

/**
 * @param {Partial<QueueEntry>} fields
 * @returns {QueueEntry}
 */
export const entryOf = (fields) => ({
  title: "",
  space: "",
  body: {},
  key: makeKey(),
  files: [],
  state: "waiting",
  error: null,
  uppy: null,
  ...fields,
});

/**
 * A recording, its transcript if there is one, and the Space that is created for them.
 *
 * @param {{title: string} & object} body
 * @param {Item} recording
 * @param {Item | undefined} transcript
 * @param {string} language of the transcript, or ""
 */
export function makeEntry(body, recording, transcript, language) {
  const files = [fileOf("recording", recording, "")];
  if (transcript) files.unshift(fileOf("transcript", transcript, language));
  return entryOf({ title: body.title, body, files });
}

/**
 * @param {"transcript" | "recording"} kind
 * @param {Item} item
 * @param {string} language
 * @returns {QueueFile}
 */
const fileOf = (kind, item, language) => ({
  kind,
  path: item.path,
  size: item.size,
  language,
  speakerNames: {},
  item,
  file: null,
  session: null,
});

/**
 * Create the Space, and open an upload for each file, as far as that was not done before.
 *
 * @param {Api} api
 * @param {QueueEntry} entry
 */
export async function openEntry(api, entry) {
  entry.space ||= (await api.call("POST", "/spaces", entry.body, { key: entry.key })).id;
  for (const file of entry.files) {
    file.file ??= (await file.item?.open()) ?? null;
    if (file.session || !file.file) continue;
    const language = file.language && file.language !== "und" ? { language: file.language } : {};
    const names = Object.keys(file.speakerNames ?? {}).length ? { speaker_names: file.speakerNames } : {};
    const body = { kind: file.kind, name: file.file.name, size: file.file.size, ...language, ...names };
    file.session = await api.call("POST", `/spaces/${entry.space}/uploads`, body);
  }
}
