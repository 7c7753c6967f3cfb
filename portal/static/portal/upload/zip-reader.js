// Read ZIP archives with zip.js, without unpacking more than needed. Archives are untrusted: names never become paths,
// and a member never grows beyond the size in the index.
import { gettext, interpolate } from "../../archive/core/translate.js";
import { UserError } from "./api.js";
import { baseName } from "./config.js";

/** @import { FileEntry } from "@zip.js/zip.js" */
/** @import { UploadConfig } from "./config.js" */
/** @import { Item } from "./items.js" */

const READABLE_METHODS = [0, 8]; // stored, deflated

/**
 * @param {Item} item
 * @param {UploadConfig} config
 */
export async function isArchive(item, config) {
  const head = new Uint8Array(await (await item.readHead(config.zipBytes)).arrayBuffer());
  return config.zipArchive.test(String.fromCharCode(...head));
}

/**
 * The files in the archive, from its index. Throws UserError.
 *
 * @param {File} file
 * @returns {Promise<Item[]>}
 */
export async function listMembers(file) {
  const zip = await import("../../zip/index-native.min.js");
  zip.configure({ useWebWorkers: false }); // the Content-Security-Policy allows none
  try {
    const entries = await new zip.ZipReader(new zip.BlobReader(file)).getEntries();
    return entries.flatMap((entry) => (entry.directory ? [] : [memberItem(entry)]));
  } catch {
    const text = gettext("%(file)s: the archive is damaged, or its end is missing.");
    throw new UserError(interpolate(text, { file: file.name }));
  }
}

/**
 * @param {FileEntry} entry
 * @returns {Item}
 */
function memberItem(entry) {
  const isKnown = READABLE_METHODS.includes(entry.compressionMethod);
  const fault = entry.encrypted ? "encrypted" : isKnown ? "" : "packed";
  return {
    path: entry.filename,
    size: entry.uncompressedSize,
    isPacked: true,
    fault,
    readHead: (bytes) => (fault ? Promise.resolve(new Blob()) : unpackHead(entry, bytes)),
    open: () => unpackMember(entry),
  };
}

/**
 * The first bytes of a member, without unpacking more of it. If it is damaged, the bytes before the damage.
 *
 * @param {FileEntry} entry
 * @param {number} bytes
 */
async function unpackHead(entry, bytes) {
  /** @type {Uint8Array<ArrayBuffer>[]} */
  const chunks = [];
  let count = 0;
  const writable = new WritableStream({
    write(chunk) {
      chunks.push(chunk);
      count += chunk.byteLength;
      if (count >= bytes) throw new RangeError("enough");
    },
  });
  await entry.getData(writable).catch(() => {});
  return new Blob(chunks).slice(0, bytes);
}

/**
 * One member as a file, named by the last part of its path. Browsers keep large blobs on the disk. Throws UserError.
 *
 * @param {FileEntry} entry
 */
async function unpackMember(entry) {
  const [name, size] = [baseName(entry.filename), entry.uncompressedSize];
  if (entry.encrypted) {
    const text = gettext("%(file)s: it is encrypted. Unpack the archive, and choose the recording.");
    throw new UserError(interpolate(text, { file: name }));
  }
  if (!READABLE_METHODS.includes(entry.compressionMethod)) {
    const text = gettext(
      "%(file)s: it is compressed in a way that is not supported here. Unpack the archive, and choose the recording.",
    );
    throw new UserError(interpolate(text, { file: name }));
  }
  const { readable, writable } = limitSize(size);
  try {
    const [blob] = await Promise.all([
      new Response(readable).blob(),
      entry.getData(writable, { checkSignature: true }),
    ]);
    if (blob.size !== size) throw new RangeError("smaller than its index says");
    return new File([blob], name);
  } catch {
    throw new UserError(interpolate(gettext("%(file)s: it is damaged in the archive."), { file: name }));
  }
}

/**
 * A stream that fails after `size` bytes, however large the member would grow.
 *
 * @param {number} size
 * @returns {TransformStream<Uint8Array, Uint8Array>}
 */
function limitSize(size) {
  let count = 0;
  return new TransformStream({
    transform(chunk, controller) {
      count += chunk.byteLength;
      if (count > size) throw new RangeError("larger than its index says");
      controller.enqueue(chunk);
    },
  });
}
