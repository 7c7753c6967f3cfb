// Convert times that the server rendered in UTC because it does not know the reader's zone yet (`time_element` in
// archive/templatetags/archive_display.py), and tell the server the zone.
import { findElement, getElements } from "../../archive/core/dom.js";
import { formatHour, formatLocalTime, formatShortTime, formatTime } from "../../archive/core/format.js";

/** @type {Record<string, (date: Date) => string>} */
const FORMS = {
  short: (date) => formatShortTime(date, new Date()),
  time: (date) => formatLocalTime(date),
  hour: formatHour,
};

/** Forms that sign in, with a password or by a provider; passkeys.js has the third way. */
const SIGNS_IN = "form:has([type=password]), form[data-signs-in]";

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

/**
 * A button in the footer switches all times to UTC and back. Hovering shows UTC too, but keyboards and touch screens
 * can't hover, and a list has too many times to make each one a Tab stop.
 */
export function mountUtcSwitch() {
  const button = findElement(document, "[data-utc-switch]", HTMLButtonElement);
  if (!button) return;
  const times = () => getElements(document, "time[title]", HTMLTimeElement);
  let isUtc = "showsUtc" in button.dataset;
  const show = () => {
    button.style.visibility = times().length ? "visible" : "";
    for (const time of times()) if ("showsUtc" in time.dataset !== isUtc) swap(time);
  };
  button.addEventListener("click", () => {
    isUtc = !isUtc;
    storeCookie("utc", isUtc ? "1" : ""); // the next page comes as this one is shown (portal/middleware.py)
    // The label says what a click does.
    [button.textContent, button.dataset.other] = [button.dataset.other ?? "", button.textContent];
    show();
  });
  document.addEventListener("htmx:afterSettle", show);
  show();
}

/** @param {HTMLTimeElement} time */
function swap(time) {
  [time.textContent, time.title] = [time.title, time.textContent];
  time.toggleAttribute("data-shows-utc");
}

/**
 * Store the browser's zone in a cookie for portal/middleware.py, so that pages and mail show times in this zone.
 * Visitors get the cookie only when they sign in, so that the first page after that has local times.
 */
export function mountTimeZone() {
  if (!document.body.classList.contains("anonymous")) return storeTimeZone();
  document.addEventListener("submit", ({ target }) => {
    if (target instanceof HTMLFormElement && target.matches(SIGNS_IN)) storeTimeZone();
  });
}

export function storeTimeZone() {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!zone || document.cookie.split("; ").includes(`zone=${zone}`)) return;
  storeCookie("zone", zone);
}

/**
 * @param {string} name
 * @param {string} value "" removes it
 */
function storeCookie(name, value) {
  const secure = location.protocol === "https:" ? "; secure" : "";
  const seconds = value ? 365 * 86400 : 0;
  // biome-ignore lint/suspicious/noDocumentCookie: Safari and Firefox lack the Cookie Store API, or had it only recently
  document.cookie = `${name}=${value}; path=/; max-age=${seconds}; samesite=lax${secure}`;
}
