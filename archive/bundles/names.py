"""Make portable file names: NFC, no path traversal, no names that Windows reserves, no characters that hide the order.

Names of a bundle's own files are lower case and numbered, so no two differ only in case.
"""

import re
import unicodedata

LONGEST = 120  # bytes of UTF-8; file systems stop at 255, and a date and an extension follow
FORBIDDEN = set('/\\:*?"<>|')
RESERVED = {"con", "prn", "aux", "nul", "conin$", "conout$"} | {
    f"{port}{n}" for port in ("com", "lpt") for n in "0123456789¹²³"
}
# Cc control, Cf invisible (bidirectional overrides among them), Cs surrogate, Co private, Cn unassigned, Zl/Zp
# separators
DROPPED = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
JOINER = "\u200d"  # holds emoji together; harmless between two visible characters
SKINS = range(0x1F3FB, 0x1F400)  # modify the color of the emoji before them
FLAGS = range(0x1F1E6, 0x1F200)  # a flag has two of them


def safe(title: str, fallback: str = "space") -> str:
    """Return one path segment that shows `title`, or `fallback` if none of it can be shown."""
    text = "".join(" " if c.isspace() else c for c in title)
    text = "".join(c for c in text if c == JOINER or unicodedata.category(c) not in DROPPED)
    text = unicodedata.normalize("NFC", text)  # after dropping characters, which may join a letter and its mark
    text = "".join("-" if c in FORBIDDEN else c for c in text)
    text = " ".join(text.split())
    text = _begun(_cut(text, LONGEST)).rstrip(f" .-{JOINER}")
    if text.split(".")[0].strip().lower() in RESERVED:
        text = f"{text}_" if "." not in text else text.replace(".", "_", 1)
    return text or fallback


def recording(number: int, extension: str) -> str:
    """Return recording.m4a, recording-2.m4a, ..."""
    return f"recording{'' if number == 1 else f'-{number}'}.{_word(extension, 'bin')}"


def access_copy(extension: str) -> str:
    """Return access-copy.m4a: the copy for browsers that can't play the recording."""
    return f"access-copy.{_word(extension, 'bin')}"


def transcript(number: int, language: str, ending: str) -> str:
    """Return transcript.en.vtt, transcript.2.pt-br.vtt, ... `language` is a BCP 47 tag, whose case has no meaning."""
    return f"transcript{'' if number == 1 else f'.{number}'}.{_word(language, 'und')}.{ending}"


def _word(text: str, fallback: str) -> str:
    """Reduce to small ASCII letters, digits and hyphens, so never a dot or a slash."""
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-") or fallback


def _begun(text: str) -> str:
    """Remove characters that must not come first: an option's hyphen, a hidden file's dot, a combining mark."""
    while text and (text[0] in f" .-{JOINER}" or _belongs(text[0])):
        text = text[1:]
    return text


def _cut(text: str, most: int) -> str:
    """Cut to at most `most` bytes of UTF-8, between characters as people see them: not before a combining mark, not
    inside an emoji or a flag."""
    if len(text.encode()) <= most:
        return text
    end = len(text.encode()[:most].decode(errors="ignore"))
    while end and (_belongs(text[end]) or JOINER in text[end - 1 : end + 1] or _halves_a_flag(text, end)):
        end -= 1
    return text[:end]


def _belongs(character: str) -> bool:
    return unicodedata.category(character).startswith("M") or ord(character) in SKINS


def _halves_a_flag(text: str, end: int) -> bool:
    before = text[:end]
    letters = len(before) - len(before.rstrip("".join(map(chr, FLAGS))))
    return letters % 2 == 1 and ord(text[end]) in FLAGS
