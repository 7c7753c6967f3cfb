// Texts for people, in the language of the page. On a page in another language, Django's JavaScriptCatalog
// (templates/base_minimal.html loads it) defines globalThis.django. Without it, as in a bundle, texts are English.
// `manage.py makemessages -d djangojs` finds the calls, so their texts are string literals.

/**
 * @typedef {object} Catalog
 * @property {(text: string) => string} gettext
 * @property {(singular: string, plural: string, count: number) => string} ngettext
 */

/** @type {Catalog | undefined} */
const catalog = /** @type {any} */ (globalThis).django;

/** The locale for dates and times. */
export const locale = catalog ? document.documentElement.lang : "en-GB";

/** @param {string} text */
export function gettext(text) {
  return catalog ? catalog.gettext(text) : text;
}

/**
 * The form for this number.
 *
 * @param {string} singular
 * @param {string} plural
 * @param {number} count
 */
export function ngettext(singular, plural, count) {
  if (catalog) return catalog.ngettext(singular, plural, count);
  return count === 1 ? singular : plural;
}

/**
 * Replace each %(name)s of a translated text.
 *
 * @param {string} text
 * @param {Record<string, string | number>} values
 */
export function interpolate(text, values) {
  return text.replace(/%\((\w+)\)s/g, (placeholder, name) => String(values[name] ?? placeholder));
}
