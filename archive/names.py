"""Check user names and display names, so that no name can be mistaken for another.

The rules follow Unicode TR39 ("highly restrictive", section 5.2): a name has letters of one script, or Latin letters
with those that Japanese, Korean and Chinese mix in; digits of one system; no invisible characters and none that change
the direction of text. Names are in normal form NFKC, so that two spellings of the same characters are one name.

User names identify accounts, so they also exclude scripts with letters that look Latin, and phonetic Latin letters.
Display names identify no account: they may be wholly Cyrillic, for example.
"""

import re
import unicodedata
from collections.abc import Callable

from django.core.exceptions import ValidationError

from archive.errors import Refused

MAX_LENGTH = 150
MAX_MARKS = 3  # in a row; more would cover other lines of the page

MIXES = (
    frozenset({"LATIN", "CJK", "HIRAGANA", "KATAKANA"}),
    frozenset({"LATIN", "CJK", "HANGUL"}),
    frozenset({"LATIN", "CJK", "BOPOMOFO"}),
)
SAME_SCRIPT = {"KATAKANA-HIRAGANA": "KATAKANA", "IDEOGRAPHIC": "CJK"}  # length and repetition marks
NO_SCRIPT = ("COMBINING", "MODIFIER")  # accents and apostrophes of any script
# The recommended scripts of Unicode TR31, table 5, without Armenian, Cyrillic and Greek, which have Latin look-alikes.
# fmt: off
USERNAME_SCRIPTS = frozenset({
    "ARABIC", "BENGALI", "BOPOMOFO", "CJK", "DEVANAGARI", "ETHIOPIC", "GEORGIAN", "GUJARATI", "GURMUKHI",
    "HANGUL", "HEBREW", "HIRAGANA", "KANNADA", "KATAKANA", "KHMER", "LAO", "LATIN", "MALAYALAM", "MYANMAR",
    "ORIYA", "SINHALA", "TAMIL", "TELUGU", "THAANA", "THAI", "TIBETAN",
})
# fmt: on
INVISIBLE = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})  # categories
# Letters, marks and symbols that look like nothing: fillers, joiners, variation selectors, an empty Braille cell.
BLANK = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
EMOJI_STYLE = "\ufe0f"  # keyboards add it to some emoji
PHONETIC_LATIN = re.compile("[\u0250-\u1dff\u2c60-\u2c7f\ua720-\uab6f]")  # ranges; not all of their letters are Latin


def clean_display_name(typed: str) -> str:
    """Return the name in normal form, without superfluous blanks; may be empty. Raises Refused."""
    name = unicodedata.normalize("NFKC", typed.replace("\x00", "").replace(EMOJI_STYLE, ""))
    name = " ".join(name.split())
    if len(name) > MAX_LENGTH:
        raise Refused("account.name_too_long", limit=MAX_LENGTH)
    _check(name)
    return name


def clean_username(typed: str) -> str:
    """Return the user name in normal form. Raises Refused. Django's own validator refuses blanks and symbols."""
    name = unicodedata.normalize("NFKC", typed.strip())
    _check(name)
    if not _scripts(name) <= USERNAME_SCRIPTS or any(_is_phonetic(letter) for letter in name):
        raise Refused("account.username_script")
    return name


def validate_username(name: str) -> None:
    """Raise ValidationError for a user name that may not be stored. For Django's forms and commands."""
    _validate(clean_username, name)


def validate_display_name(name: str) -> None:
    """Raise ValidationError for a first or last name that may not be stored."""
    _validate(clean_display_name, name)


def _validate(clean: Callable[[str], str], name: str) -> None:
    try:
        cleaned = clean(name)
    except Refused as error:
        raise ValidationError(str(error), code=error.code) from error
    if cleaned != name:
        raise ValidationError(str(Refused("account.name_not_normal", name=cleaned)), code="account.name_not_normal")


def _check(name: str) -> None:
    if any(unicodedata.category(character) in INVISIBLE for character in name) or BLANK.search(name):
        raise Refused("account.name_invisible")
    scripts = _scripts(name)
    if len(scripts) > 1 and not any(scripts <= mix for mix in MIXES):
        raise Refused("account.name_mixes_scripts")
    zeros = {ord(digit) - unicodedata.decimal(digit) for digit in name if digit.isdecimal()}
    if len(zeros) > 1:
        raise Refused("account.name_mixes_scripts")
    kinds = "".join("m" if unicodedata.category(character) == "Mn" else "-" for character in name)
    if "m" * (MAX_MARKS + 1) in kinds:
        raise Refused("account.name_has_marks", limit=MAX_MARKS)


def _scripts(name: str) -> set[str]:
    """Return the scripts of letters and marks. The standard library has no table of scripts, but the name of a letter
    begins with its script."""
    words = {
        unicodedata.name(character, "?").split()[0] for character in name if unicodedata.category(character)[0] in "LM"
    }
    return {SAME_SCRIPT.get(word, word) for word in words if word not in NO_SCRIPT}


def _is_phonetic(letter: str) -> bool:
    return bool(PHONETIC_LATIN.match(letter)) and unicodedata.name(letter, "").startswith(("LATIN", "MODIFIER"))
