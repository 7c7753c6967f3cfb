"""File names that every system takes: NFC, no path tricks, nothing that Windows reserves, nothing that hides its
order."""

import unicodedata

LONGEST = 120  # bytes of UTF-8; file systems stop at 255, and a date and an ending follow
FORBIDDEN = set('/\\:*?"<>|')
RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in "0123456789¹²³")}
# Cc control, Cf invisible (bidirectional overrides among them), Cs surrogate, Co private, Cn unassigned, Zl/Zp
# separators
DROPPED = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
JOINER = "\u200d"  # holds emoji together; harmless between two visible characters


def safe(title: str, fallback: str = "space") -> str:
    """One path segment that shows `title`, or `fallback` when nothing of it can be shown."""
    text = "".join(" " if c.isspace() else c for c in title)
    text = "".join(c for c in text if c == JOINER or unicodedata.category(c) not in DROPPED)
    text = unicodedata.normalize("NFC", text)  # after the dropping, which may bring a letter and its mark together
    text = "".join("-" if c in FORBIDDEN else c for c in text)
    text = " ".join(text.split())
    text = _cut(text, LONGEST).strip(f" .-{JOINER}")
    if text.split(".")[0].strip().lower() in RESERVED:
        text = f"{text}_" if "." not in text else text.replace(".", "_", 1)
    return text or fallback


def _cut(text: str, most: int) -> str:
    """At most `most` bytes of UTF-8, ending between characters and never before a mark that belongs to the last one."""
    if len(text.encode()) <= most:
        return text
    end = len(text.encode()[:most].decode(errors="ignore"))
    while end and (unicodedata.combining(text[end]) or JOINER in text[end - 1 : end + 1]):
        end -= 1
    return text[:end]
