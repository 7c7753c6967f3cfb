"""Find words of a page or a mail that are not translated, in a language that puts ⟦ ⟧ around each marked text."""

import re
from collections.abc import Collection

from tests.test_template_texts import WORD, Texts

TRANSLATED = re.compile(r"⟦[^⟦⟧]*⟧")
UNTRANSLATABLE = re.compile(
    r"https?://\S+"  # addresses
    r"|\b[0-9a-f]{8}(?:[0-9a-f-]*)\b"  # ids and checksums
    r"|\S+/\S+"  # keys of objects, media types
    r"|\d{4}-\d\d-\d\dT\S+"  # times as the log stores them
)
NAMES = {
    *("Spacekeep", "JavaScript", "en"),
    *("alice", "Alice", "ada", "Ada", "otto", "Otto", "sven", "Sven"),  # users of the tests
    *("UTC", "SHA", "kB", "MB", "GB"),  # units
    *("m4a", "vtt", "VTT", "SRT", "TXT", "JSON", "wav"),  # file formats
    *("K", "J", "L", "X", "x", "N", "F"),  # keys of a keyboard, and "1.5x"
    *("okapi", "Okapi", "quagga"),  # words of a transcript: search results mark each
    "spam",  # the code of a rule
}


def unmarked_words(text: str, codes: Collection[str] = ()) -> list[str]:
    text = UNTRANSLATABLE.sub(" ", TRANSLATED.sub(" ", text))
    words = re.findall(r"\w+", text)
    return [word for word in words if WORD.search(word) and word not in NAMES and word not in codes]


def unmarked_in_page(html: str, codes: Collection[str] = ()) -> list[str]:
    parser = Texts()
    parser.feed(html)
    parser.close()
    return [word for text in parser.texts for word in unmarked_words(text, codes)]
