// The upload page: choose files, fill the form in from what they contain, then send them.
import { getElement } from "../../archive/core/dom.js";
import { readConfig } from "./config.js";
import { UploadPage } from "./upload-page.js";

const uploader = import("./uppy-plugin.js"); // large, so it loads while the user fills in the form
uploader.catch(() => {}); // reported when it is needed

new UploadPage(getElement(document, "[data-upload-page]"), readConfig(), uploader).mount();
