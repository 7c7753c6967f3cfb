// The texts of the upload panel.
import { gettext, interpolate, ngettext } from "../../archive/core/translate.js";

/** @import { Activity } from "./multipart-upload.js" */

/** @type {Record<Activity, string>} */
export const ACTIVITIES = {
  "": "",
  comparing: gettext("Comparing with what is uploaded already."),
  sending: "",
  completing: gettext("All bytes are uploaded. Completing the upload."),
  waiting: gettext("The connection was lost. The upload resumes by itself; what is uploaded is kept."),
};

/**
 * @param {number} count recordings
 * @param {string} title of the first, or ""
 */
export function describeStart(count, title) {
  if (count === 1) return title ? interpolate(gettext("Uploading “%(title)s”"), { title }) : gettext("Uploading");
  return interpolate(ngettext("Uploading %(count)s recording", "Uploading %(count)s recordings", count), { count });
}

/**
 * @param {number} count recordings
 * @param {number} failed of these
 */
export function describeEnd(count, failed) {
  const text = failed
    ? ngettext("%(done)s of %(count)s recording is uploaded", "%(done)s of %(count)s recordings are uploaded", count)
    : ngettext("%(count)s recording is uploaded", "All %(count)s recordings are uploaded", count);
  return interpolate(text, { done: count - failed, count });
}

/** @param {number} count recordings that failed */
export function describeFailed(count) {
  if (!count) return "";
  const text = ngettext(
    "%(count)s recording was not uploaded. The others are not affected.",
    "%(count)s recordings were not uploaded. The others are not affected.",
    count,
  );
  return interpolate(text, { count });
}
