// New names for the speakers of a transcript, chosen as the server does (archive/intake/transcripts/renaming.py).
import { normalizeName } from "./speaker-chips.js";

/**
 * Those of `renames` after which no two speakers share a name.
 *
 * @param {string[]} spoken the names in the transcript
 * @param {Map<string, string>} renames new names by those in the transcript
 * @returns {Map<string, string>}
 */
export function findApart(spoken, renames) {
  /** @type {Map<string, number>} */
  const counts = new Map();
  for (const name of spoken) {
    const key = normalizeName(renames.get(name) ?? name);
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const apart = new Map([...renames].filter(([, name]) => counts.get(normalizeName(name)) === 1));
  return apart.size === renames.size ? apart : findApart(spoken, apart);
}
