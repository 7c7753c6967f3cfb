"""Text as the index and the query both see it: letters, marks and digits in lower case, with single spaces between.

We do this ourselves because PostgreSQL's parser leaves it to the database's locale what a letter is, and how it looks
in lower case; it also takes "beans/peas" for a path, and what stands in angle brackets for a tag.

Chinese, Japanese, Thai and a few others are written without spaces, and PostgreSQL knows none of their words: there
each character stands alone, and a word that is looked for is a phrase of characters. Korean comes along: its words end
in particles, and so they are found without them.
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
RUN = re.compile(f"(?:{CHARACTER.pattern})+")


class _Letters(dict[int, str]):
    """For str.translate: what is no letter, mark or digit becomes a space."""

    def __missing__(self, code: int) -> str:
        self[code] = chr(code) if is_letter(chr(code)) else " "
        return self[code]


def is_letter(character: str) -> bool:
    """Also marks, which are parts of letters, and digits."""
    return unicodedata.category(character)[0] in "LMN"


_letters = _Letters()


def fold(text: str) -> str:
    """Compatible forms are one (NFKC), and so are capital and small letters. Punctuation stays."""
    return unicodedata.normalize("NFKC", text).lower()


def letters(text: str) -> str:
    return text.translate(_letters)


def apart(text: str) -> str:
    """Characters of unspaced writing stand alone."""
    return CHARACTER.sub(lambda found: f" {found[0]} ", text)


def plain(text: str) -> str:
    return apart(letters(fold(letters(text))))  # folding makes letters of ™, and a fraction stroke of ½
