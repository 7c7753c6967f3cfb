// Types of vendored modules, which our modules import by the URL that portal/static_files.py serves them at.

declare module "*/wavesurfer/wavesurfer.esm.js" {
  export { default } from "wavesurfer.js";
}

declare module "*/zip/index-native.min.js" {
  export * from "@zip.js/zip.js";
}

// Uppy's own types know no event of a custom plugin, so these are loose.
declare module "*/uppy/uppy.min.mjs" {
  export class BasePlugin {
    id: string;
    type: string;
    uppy: any;
    constructor(uppy: any, options: object);
  }
  export class Uppy {
    constructor(options: object);
    use(plugin: typeof BasePlugin, options: object): this;
    addFile(file: object): string;
  }
}
