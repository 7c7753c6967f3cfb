// Positions in a recording as `?t=` writes them.

/**
 * Seconds, of "754", "754.5", "12m34s" or "1h02m"; null for anything else.
 *
 * @param {string} text
 * @returns {number | null}
 */
export function parseTimecode(text) {
  if (/^\d+(\.\d+)?s?$/.test(text)) return Number.parseFloat(text);
  const [, hours, minutes, seconds] = /^(?:(\d+)h)?(?:(\d+)m)?(?:(\d+(?:\.\d+)?)s)?$/.exec(text) ?? [];
  if (!hours && !minutes && !seconds) return null;
  return Number(hours ?? 0) * 3600 + Number(minutes ?? 0) * 60 + Number(seconds ?? 0);
}

/**
 * Copy a URL of this page. Browsers that do not allow copying show it in the address bar.
 *
 * @param {string} url
 * @returns {Promise<boolean>} whether it was copied
 */
export async function copyLink(url) {
  history.replaceState(history.state, "", url);
  try {
    await navigator.clipboard.writeText(url);
    return true;
  } catch {
    return false;
  }
}

/**
 * The URL of this page at a position, in whole seconds.
 *
 * @param {number} seconds
 */
export function linkTo(seconds) {
  const url = new URL(location.pathname, location.origin);
  url.searchParams.set("t", String(Math.floor(seconds)));
  return url.href;
}
