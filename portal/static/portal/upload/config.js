// File patterns and limits of archive/intake/importers, sent by the server so that both agree.

/**
 * @typedef {object} UploadConfig
 * @property {number} headBytes of a recording, which are inspected
 * @property {number} inspectedHeadBytes at most of a recording, where its index or its tags are longer
 * @property {number} sidecarBytes the largest transcript or metadata file that is inspected
 * @property {number} transcriptBytes of a transcript, in which speakers are looked for
 * @property {number} sniffedBytes of each file, by which the server tells what it is
 * @property {number} sortedFiles at most in one folder or archive
 * @property {number} zipBytes first bytes of a file that tell whether it is a ZIP archive
 * @property {RegExp} zipArchive these bytes, as Latin-1, of a ZIP archive that is no document
 * @property {RegExp} hidden path of a file that operating systems leave behind
 * @property {RegExp} spaceArchive path of a file about Spaces in an X data archive
 * @property {RegExp} spaceRecording path of a recording in an X data archive; group `id`
 * @property {RegExp} spaceMetadata path of the metadata in an X data archive
 * @property {RegExp} language tag (BCP 47)
 */

/** @returns {UploadConfig} */
export function readConfig() {
  const text = document.getElementById("upload-config")?.textContent;
  if (!text) throw new Error("the page has no #upload-config");
  return JSON.parse(text, (_key, value) =>
    typeof value?.pattern === "string" ? new RegExp(value.pattern, value.flags) : value,
  );
}

/** @param {string} path */
export const folderOf = (path) => path.slice(0, path.lastIndexOf("/") + 1);

/** @param {string} path */
export const baseName = (path) => path.slice(path.lastIndexOf("/") + 1);
