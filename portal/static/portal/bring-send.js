// Uppy carries the files: their states, pausing, retrying, giving up. The plugin that Uppy brings for S3 opens and closes
// uploads at the store itself, and sends one part after the other without a checksum; ours lets /api/v1 open and close
// them, and knows of checksums (bring-parts.js).
import { BasePlugin, Uppy } from "../uppy/uppy.min.mjs";
import { gaveUp } from "./bring-api.js";
import { Sending } from "./bring-parts.js";

class Store extends BasePlugin {
  constructor(uppy, options) {
    super(uppy, options);
    this.id = "Store";
    this.type = "uploader";
    this.sendings = new Map(); // file id -> Sending, which remembers what is there over pauses and retries
    this.controllers = new Map();
  }

  install() {
    const { capabilities } = this.uppy.getState();
    this.uppy.setState({ capabilities: { ...capabilities, resumableUploads: true } });
    this.uppy.addUploader(this.upload);
    this.uppy.on("upload-pause", (file, paused) => paused && this.controllers.get(file.id)?.abort());
    this.uppy.on("cancel-all", () => this.controllers.forEach((controller) => controller.abort()));
  }

  // One file after the other, in the order in which they were added; one that fails does not hold up the next.
  upload = async (ids) => {
    const files = this.uppy.getFilesByIds(ids);
    this.uppy.emit("upload-start", files);
    for (const file of files) await this.one(file);
  };

  sending(file) {
    if (!this.sendings.has(file.id)) {
      this.sendings.set(file.id, new Sending(file.data, file.meta.upload, (there, sent, doing) => {
        const uploadStarted = file.progress.uploadStarted ?? Date.now();
        this.uppy.emit("upload-progress", file, { uploadStarted, bytesUploaded: there, bytesTotal: file.size });
        this.uppy.emit("store:shown", file, { there, sent, doing });
      }));
    }
    return this.sendings.get(file.id);
  }

  async one(file) {
    for (;;) {
      await this.unpaused(file);
      if (!this.uppy.getFile(file.id)) return;
      const controller = new AbortController();
      this.controllers.set(file.id, controller);
      try {
        const body = await this.sending(file).run(controller.signal);
        this.uppy.emit("upload-success", file, { status: 200, body });
        return;
      } catch (error) {
        if (gaveUp(error)) continue; // paused, or given up
        this.uppy.emit("upload-error", file, error);
        return;
      }
    }
  }

  // Resolves when the file is not, or no longer, paused, or was given up.
  unpaused(file) {
    return new Promise((resolve) => {
      const look = () => {
        if (this.uppy.getFile(file.id)?.isPaused) return;
        this.uppy.off("upload-pause", look);
        this.uppy.off("cancel-all", resolve);
        resolve();
      };
      this.uppy.on("upload-pause", look);
      this.uppy.on("cancel-all", resolve);
      look();
    });
  }
}

// `files`: [{file, upload}], `upload` as the API answered when it was opened (with `resumed` where it was open before).
export function carrier(files) {
  const uppy = new Uppy({ id: "bring", allowMultipleUploadBatches: true }).use(Store, {});
  for (const { file, upload } of files) {
    uppy.addFile({ name: file.name, type: file.type, data: file, source: upload.id, meta: { upload } });
  }
  return uppy;
}
