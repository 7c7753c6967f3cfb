"""Normalize text for the index and for queries: letters, marks and digits in lower case, separated by single spaces.

Accents are folded before words are stemmed, in the index and in queries alike: `cafe` finds `café`. In some languages,
such as French, fewer forms of a word then have the same stem.

PostgreSQL's parser depends on the database's locale for letters and lower case, and it takes "beans/peas" for a path
and angle brackets for tags. So we normalize text before PostgreSQL parses it.

Chinese, Japanese, Thai and a few other scripts have no spaces between words, and PostgreSQL can't segment them: each
character becomes a word, and a search term a phrase of characters. Korean is treated in the same way, so that words are
found without the particles that follow them.
"""

import re
import unicodedata

UNSPACED = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u1000-\u109f\u1780-\u17ff"  # Burmese, Khmer
    "\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff"  # kana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Han
    "\uac00-\ud7a3"  # Hangul
)
MARKS = "".join(chr(code) for code in range(0x0E00, 0x3100) if unicodedata.category(chr(code)).startswith("M"))
CHARACTER = re.compile(f"[{UNSPACED}][{MARKS}]*")
ACCENT = re.compile("[\u0300-\u036f]")
# Letters that Unicode does not decompose, and their spelling on other keyboards.
UNDECOMPOSED = {
    "ß": "ss",
    "æ": "ae",
    "œ": "oe",
    "ø": "o",
    "ł": "l",
    "đ": "d",
    "ð": "d",
    "þ": "th",
    "ħ": "h",
    "\u0131": "i",
}
UNDECOMPOSED["ё"] = "\u0435"  # the usual spelling in Russian
RUN = re.compile(f"(?:{CHARACTER.pattern})+")


class _Letters(dict[int, str]):
    """For str.translate: maps everything but letters, marks and digits to a space."""

    def __missing__(self, code: int) -> str:
        self[code] = chr(code) if is_letter(chr(code)) else " "
        return self[code]


def is_letter(character: str) -> bool:
    """Return whether the character is a letter, a mark (part of a letter) or a digit."""
    return unicodedata.category(character)[0] in "LMN"


_letters = _Letters()


class _Unaccented(dict[int, str]):
    """For str.translate: maps accented Latin and Greek letters to unaccented ones. In other scripts such marks are
    vowels, or make another letter."""

    def __missing__(self, code: int) -> str:
        first, *marks = list(unicodedata.normalize("NFKD", chr(code)))
        accented = bool(marks) and unicodedata.name(first, "").startswith(("LATIN", "GREEK"))
        self[code] = first if accented and all(ACCENT.match(mark) for mark in marks) else chr(code)
        return self[code]


_unaccented = _Unaccented({ord(letter): other for letter, other in UNDECOMPOSED.items()})


def fold(text: str) -> str:
    """Unify compatible forms (NFKC), case and accents. Punctuation stays."""
    lower = unicodedata.normalize("NFKC", text).lower()
    return ACCENT.sub("", lower.translate(_unaccented))


def letters(text: str) -> str:
    return text.translate(_letters)


def apart(text: str) -> str:
    """Put spaces around each character of scripts without spaces."""
    return CHARACTER.sub(lambda match: f" {match[0]} ", text)


def plain(text: str) -> str:
    return apart(letters(fold(letters(text))))  # folding turns ™ into letters, and ½ into digits with a slash
