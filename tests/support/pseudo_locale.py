"""A language that puts ⟦ ⟧ around every sentence it knows, so tests see what is translated and what is not."""

import struct
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from django.test import override_settings
from django.utils import translation

PSEUDO = "xx"


@contextmanager
def pseudo_locale(folder: Path, sentences: Iterable[str]) -> Iterator[None]:
    """Activate the language for this thread. Its catalog is written to `folder`."""
    write_catalog(folder, sentences)
    with override_settings(LOCALE_PATHS=[folder], LANGUAGES=[(PSEUDO, "Pseudo")]), translation.override(PSEUDO):
        yield


def write_catalog(folder: Path, sentences: Iterable[str]) -> None:
    """A compiled gettext catalog (GNU gettext manual, "The Format of GNU MO Files") that puts ⟦ ⟧ around each."""
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
    (place / "django.mo").write_bytes(head + tables[0] + tables[1] + strings)
