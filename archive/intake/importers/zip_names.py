"""Decode the names in a ZIP archive.

An archive marks a name as UTF-8, or not at all (APPNOTE.TXT §4.4.4, bit 11, and appendix D). Unmarked names from macOS
are UTF-8 nevertheless, Info-ZIP puts the UTF-8 name into an extra field (0x7075), and Windows writes the code page of
its country, which nothing states.
"""

import struct
import zipfile
import zlib

from archive.intake.importers.encodings import is_plausible_latin

UTF8_FLAG = 0x800
UNICODE_PATH = 0x7075


def decode_name(info: zipfile.ZipInfo) -> tuple[str, bool]:
    """Return (name, whether its encoding is certain enough to show it as a title).

    `zipfile` has decoded a name without the flag as cp437, which loses nothing.
    """
    if info.flag_bits & UTF8_FLAG or info.filename.isascii():
        return info.filename, True
    try:
        raw = info.filename.encode("cp437")
    except UnicodeEncodeError:  # zipfile used the extra field itself
        return info.filename, True
    if name := _unicode_path(info.extra, raw):
        return name, True
    try:
        return raw.decode(), True
    except UnicodeDecodeError:
        # cp850 has the letters of Western Europe at the same places as cp437, and others where cp437 has none.
        is_known = raw.decode("cp850", "replace") == info.filename and is_plausible_latin(info.filename)
        return info.filename, is_known


def _unicode_path(extra: bytes, raw: bytes) -> str:
    """Return the UTF-8 name in the extra field, if it belongs to this name."""
    while len(extra) >= 4:
        tag, size = struct.unpack_from("<HH", extra)
        data, extra = extra[4 : 4 + size], extra[4 + size :]
        if tag == UNICODE_PATH and len(data) == size > 5 and data[1:5] == zlib.crc32(raw).to_bytes(4, "little"):
            try:
                return data[5:].decode()
            except UnicodeDecodeError:
                return ""
    return ""
