"""Judge texts whose encoding is not stated. A wrong title is worse than none, so a doubtful text is not used."""

import re

RUN = re.compile(r"[^\W\d_a-zA-Z]+")  # consecutive letters beyond ASCII
SIGNS = frozenset("\u00a0«»¿¡–—‘’“”„…·•°€£§©®™")  # noqa: RUF001  beyond ASCII, in titles
LONGEST_RUN = 2  # Latin languages seldom have more: "créée", "æðru"; misread Cyrillic has whole words of them


def is_plausible_latin(text: str) -> bool:
    """Return whether the text reads like a Western European language, not like another script decoded wrongly."""
    letters = [character for character in text if character.isalpha()]
    foreign = sum(not letter.isascii() for letter in letters)
    odd = any(not (character.isascii() or character.isalpha() or character in SIGNS) for character in text)
    return not odd and foreign * 2 <= len(letters) and all(len(run) <= LONGEST_RUN for run in RUN.findall(text))


def decode_unstated(raw: bytes) -> str | None:
    """Decode bytes whose encoding is not stated, or stated wrongly. Returns None if no encoding is certain enough.

    UTF-8 proves itself. cp1252 is Latin-1 with quotation marks and dashes, which Windows programs label as Latin-1.
    """
    try:
        return raw.decode()
    except UnicodeDecodeError:
        pass
    try:
        text = raw.decode("cp1252")
    except UnicodeDecodeError:
        return None
    return text if is_plausible_latin(text) else None
