// Times that the server rendered in UTC because it does not know the reader's zone yet (portal/presenters/times.py).
import { getElements } from "../../archive/core/dom.js";
import { formatShortTime } from "../../archive/core/format.js";

export function mountLocalTimes() {
  for (const element of getElements(document, "time[data-utc]", HTMLTimeElement)) {
    element.textContent = formatShortTime(new Date(element.dateTime), new Date());
    delete element.dataset.utc;
  }
}
