// A common type for chosen and dropped files, files in dropped folders, and members of ZIP archives.

/**
 * @typedef {object} Item
 * @property {string} path as the user sees it, with the folders in it
 * @property {number} size in bytes
 * @property {boolean} isPacked whether it is in an archive
 * @property {string} fault why it can't be read ("encrypted", "packed"), or ""
 * @property {(bytes: number) => Promise<Blob>} readHead its first bytes
 * @property {() => Promise<File>} open the whole file, named by the last part of its path. Throws UserError
 */

/**
 * @param {File} file
 * @param {string} [path]
 * @returns {Item}
 */
export function fileItem(file, path = file.name) {
  return {
    path,
    size: file.size,
    isPacked: false,
    fault: "",
    readHead: async (bytes) => file.slice(0, bytes),
    open: async () => file,
  };
}

/**
 * Return the dropped files, including those in folders. Call this while the event is handled; later the browser
 * provides none.
 *
 * @param {DataTransfer} transfer
 * @returns {Promise<Item[]>}
 */
export async function listDropped(transfer) {
  const dropped = [...transfer.items].filter(({ kind }) => kind === "file");
  const entries = dropped.map((item) => ({ entry: item.webkitGetAsEntry?.() ?? null, file: item.getAsFile() }));
  const lists = entries.map(({ entry, file }) => {
    if (entry?.isDirectory) return listFolder(/** @type {FileSystemDirectoryEntry} */ (entry));
    return Promise.resolve(file ? [fileItem(file)] : []);
  });
  return (await Promise.all(lists)).flat();
}

/**
 * @param {FileSystemDirectoryEntry} folder
 * @returns {Promise<Item[]>}
 */
async function listFolder(folder) {
  const items = [];
  const reader = folder.createReader();
  for (;;) {
    /** @type {FileSystemEntry[]} */
    const entries = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!entries.length) return items; // readEntries gives up to 100 at a time
    for (const entry of entries) {
      if (entry.isDirectory) {
        items.push(...(await listFolder(/** @type {FileSystemDirectoryEntry} */ (entry))));
      } else {
        /** @type {File} */
        const file = await new Promise((resolve, reject) => {
          /** @type {FileSystemFileEntry} */ (entry).file(resolve, reject);
        });
        items.push(fileItem(file, entry.fullPath.slice(1)));
      }
    }
  }
}
