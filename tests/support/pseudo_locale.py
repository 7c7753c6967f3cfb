"""A language that puts ⟦ ⟧ around every translated sentence, so that tests see which texts are not translated."""

import gettext
import re
import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from django.test import override_settings
from django.utils import translation
from django.utils.translation import trans_real

from archive import formatting

PSEUDO = "xx"
CONTEXT_SEPARATOR = "\x04"
# The parts of a text that are not words: placeholders, tags, entities, names between backticks.
NO_WORDS = re.compile(r"(`[^`]+`|%\(\w+\)[sd]|%[sd%]|{\w*(?::\w+)?}|<[^>]*>|&\w+;)")
LETTER = re.compile(r"[^\W\d_]")


@cache
def _mark_words(text: str) -> str:
    pieces = NO_WORDS.split(text)
    words = [f"⟦{piece}⟧" if LETTER.search(piece) else piece for piece in pieces[::2]]
    return "".join(word + rest for word, rest in zip(words, [*pieces[1::2], ""], strict=True))


class TranslatesEverything(gettext.NullTranslations):
    """Put ⟦ ⟧ around the words of every marked text. Placeholders stay outside, so a value that is not marked is
    visible even in a sentence that is."""

    def gettext(self, message: str) -> str:
        return _mark_words(message.rpartition(CONTEXT_SEPARATOR)[2])

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        return self.gettext(msgid1 if n == 1 else msgid2)

    def to_language(self) -> str:
        return PSEUDO


@contextmanager
def everything_translated() -> Iterator[None]:
    """Activate a language for this thread that translates every marked text."""
    _forget_dates()
    trans_real._translations[PSEUDO] = TranslatesEverything()  # type: ignore[attr-defined]
    try:
        with translation.override(PSEUDO):
            yield
    finally:
        del trans_real._translations[PSEUDO]  # type: ignore[attr-defined]


@contextmanager
def pseudo_locale(folder: Path, sentences: Iterable[str]) -> Iterator[None]:
    """Activate the language for this thread. Its catalog is written to `folder`."""
    write_catalog(folder, sentences)
    _forget_dates()
    with override_settings(LOCALE_PATHS=[folder], LANGUAGES=[(PSEUDO, "Pseudo")]), translation.override(PSEUDO):
        yield


def _forget_dates() -> None:
    """Clear the texts for dates, which are cached per language. This language has different texts each time."""
    formatting._texts_in.cache_clear()


def write_catalog(folder: Path, sentences: Iterable[str]) -> None:
    """Write compiled gettext catalogs (GNU gettext manual, "The Format of GNU MO Files") with ⟦ ⟧ around each sentence:
    one for Python and templates, and one for scripts."""
    pairs = {"": "Content-Type: text/plain; charset=UTF-8\n"} | {text: f"⟦{text}⟧" for text in sentences}
    entries = sorted((text.encode(), translated.encode()) for text, translated in pairs.items())
    start = 28 + 16 * len(entries)
    tables, strings = [b"", b""], b""
    for column in (0, 1):
        for entry in entries:
            tables[column] += struct.pack("<II", len(entry[column]), start + len(strings))
            strings += entry[column] + b"\0"
    head = struct.pack("<7I", 0x950412DE, 0, len(entries), 28, 28 + 8 * len(entries), 0, 0)
    place = folder / PSEUDO / "LC_MESSAGES"
    place.mkdir(parents=True)
    for domain in ("django", "djangojs"):
        (place / f"{domain}.mo").write_bytes(head + tables[0] + tables[1] + strings)
