// Times that the server rendered in UTC because it does not know the reader's zone yet (`time_element` in
// archive/templatetags/archive_display.py).
import { getElements } from "../../archive/core/dom.js";
import { formatHour, formatLocalTime, formatShortTime, formatTime } from "../../archive/core/format.js";

/** @type {Record<string, (date: Date) => string>} */
const FORMS = {
  short: (date) => formatShortTime(date, new Date()),
  time: (date) => formatLocalTime(date),
  hour: formatHour,
};

export function mountLocalTimes() {
  for (const element of getElements(document, "time[data-utc]", HTMLTimeElement)) {
    const text = FORMS[element.dataset.utc ?? ""]?.(new Date(element.dateTime));
    if (text && !text.endsWith("UTC")) {
      element.title = formatTime(new Date(element.dateTime));
      element.textContent = text;
    }
    delete element.dataset.utc;
  }
}
