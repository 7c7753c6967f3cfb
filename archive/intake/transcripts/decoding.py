"""Decode the bytes of a transcript to text: UTF-8, or UTF-16 and UTF-32 with a byte order mark.

UTF-16 without a mark is recognized by its zero bytes: every second byte of the digits, signs and line ends that all
transcripts have. Other encodings (Windows-1252, Shift JIS, ...) can't be distinguished reliably, so the file is
refused, with the line at which it stops being UTF-8.
"""

import codecs
from pathlib import Path

from archive.errors import Unreadable
from archive.intake.limits import MAX_TRANSCRIPT_BYTES

# The order matters: the byte order mark of UTF-32 LE begins with that of UTF-16 LE.
BYTE_ORDER_MARKS = {
    codecs.BOM_UTF8: "utf-8",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
SAMPLE = 4096  # bytes
SHARE = 0.1  # in UTF-16, at least this share of every second byte is 0


def decode(source: Path | bytes) -> str:
    """Return the text without byte order mark. CR CR LF, made by a repeated conversion, is one line end.

    Raises Unreadable if it is too large, or in an unsupported encoding.
    """
    size = source.stat().st_size if isinstance(source, Path) else len(source)
    if size > MAX_TRANSCRIPT_BYTES:
        raise Unreadable("transcript.too_large", limit=MAX_TRANSCRIPT_BYTES)
    data = source.read_bytes() if isinstance(source, Path) else source
    marked = next((encoding for mark, encoding in BYTE_ORDER_MARKS.items() if data.startswith(mark)), None)
    encoding = marked or _guess_utf16(data) or "utf-8"
    try:
        return data.decode(encoding).removeprefix("\ufeff").replace("\r\r\n", "\n")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Unreadable("transcript.not_utf8", line=line) from error


def _guess_utf16(data: bytes) -> str | None:
    """Return utf-16-le or utf-16-be if every second byte is often 0 and the others never are."""
    sample = data[: min(SAMPLE, len(data)) // 2 * 2]
    low, high = sample[::2].count(0), sample[1::2].count(0)
    if high > SHARE * len(sample) / 2 and not low:
        return "utf-16-le"
    if low > SHARE * len(sample) / 2 and not high:
        return "utf-16-be"
    return None
