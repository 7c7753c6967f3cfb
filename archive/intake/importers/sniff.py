"""Detect the kind of a file by its first bytes, never by its name.

The detection is bounded and cheap, so that a folder of a hundred thousand files can be sorted. It only decides which
code reads the file next: the decoder gets every file that may have sound, and decides. Sources: the formats'
specifications, as named in the comments.
"""

import re
from enum import StrEnum
from itertools import islice

SNIFFED_BYTES = 16 * 1024  # bytes; three frames of MP3 have at most 4,320


class Kind(StrEnum):
    SOUND = "sound"  # audio or video, including formats that are not accepted
    TEXT = "text"
    PICTURE = "picture"
    DOCUMENT = "document"
    ARCHIVE = "archive"
    PROGRAM = "program"
    EMPTY = "empty"
    UNREADABLE = "unreadable"
    UNKNOWN = "unknown"


# (offset, bytes, kind). The first match counts.
SIGNATURES = (
    (0, b"OggS", Kind.SOUND),
    (0, b"fLaC", Kind.SOUND),
    (0, b"ID3", Kind.SOUND),  # a tag in front of MP3, AAC or FLAC
    (0, b"\x1aE\xdf\xa3", Kind.SOUND),  # EBML: Matroska, WebM
    (0, b"riff\x2e\x91\xcf\x11", Kind.SOUND),  # Sony Wave64
    (0, b"caff", Kind.SOUND),
    (0, b"#!AMR", Kind.SOUND),
    (0, b".snd", Kind.SOUND),
    (0, b"0&\xb2u\x8ef\xcf\x11", Kind.SOUND),  # ASF: WMA, WMV
    (0, b"FLV\x01", Kind.SOUND),
    (0, b"wvpk", Kind.SOUND),
    (0, b"MAC \x96\x0f", Kind.SOUND),
    (0, b"MPCK", Kind.SOUND),
    (0, b"DSD \x1c", Kind.SOUND),
    (0, b"FRM8", Kind.SOUND),
    (0, b"TTA1", Kind.SOUND),
    (0, b"\x00\x00\x01\xba", Kind.SOUND),  # MPEG program stream
    (0, b"\x0bw", Kind.SOUND),  # AC-3
    (0, b"\xff\xd8\xff", Kind.PICTURE),
    (0, b"\x89PNG\r\n", Kind.PICTURE),
    (0, b"GIF8", Kind.PICTURE),
    (0, b"II*\x00", Kind.PICTURE),
    (0, b"MM\x00*", Kind.PICTURE),
    (0, b"8BPS", Kind.PICTURE),
    (0, b"\x00\x00\x01\x00", Kind.PICTURE),  # an icon
    (0, b"\xff\x0a", Kind.PICTURE),  # JPEG XL
    (4, b"JXL ", Kind.PICTURE),
    (4, b"jP  ", Kind.PICTURE),
    (0, b"%PDF", Kind.DOCUMENT),
    (0, b"{\\rtf", Kind.DOCUMENT),
    (0, b"\xd0\xcf\x11\xe0", Kind.DOCUMENT),  # old Office files, Thumbs.db
    (0, b"SQLite format 3\x00", Kind.DOCUMENT),
    (0, b"bplist0", Kind.DOCUMENT),
    (0, b"Rar!\x1a\x07", Kind.ARCHIVE),
    (0, b"7z\xbc\xaf'\x1c", Kind.ARCHIVE),
    (0, b"\x1f\x8b\x08", Kind.ARCHIVE),
    (0, b"BZh", Kind.ARCHIVE),
    (0, b"\xfd7zXZ\x00", Kind.ARCHIVE),
    (0, b"(\xb5/\xfd", Kind.ARCHIVE),  # Zstandard
    (257, b"ustar", Kind.ARCHIVE),
    (0, b"\x7fELF", Kind.PROGRAM),
    (0, b"MZ\x90\x00", Kind.PROGRAM),
    (0, b"\xcf\xfa\xed\xfe", Kind.PROGRAM),
    (0, b"wOF", Kind.PROGRAM),  # a font: useless as an upload, too
    (0, b"\x00\x01\x00\x00\x00", Kind.PROGRAM),
    (0, b"OTTO\x00", Kind.PROGRAM),
)
# A ZIP archive, but not a document in ZIP format: Office Open XML, ODF, EPUB, JAR, by their first member. The upload
# page uses the same pattern, on the same bytes read as Latin-1.
ZIP_ARCHIVE = re.compile(
    r"^PK(?:\x05\x06|\x03\x04(?![\s\S]{26}(?:\[Content_Types\]\.xml|_rels/\.rels|mimetypeapplication/|META-INF/"
    r"|(?:docProps|word|xl|ppt)/\w+\.xml)))"
)
ZIP_BYTES = 100
CHUNKED = {b"RIFF", b"RF64", b"BW64", b"RIFX", b"FORM"}  # files of chunks, with their form at byte 8
FORMS = {b"WAVE": Kind.SOUND, b"AVI ": Kind.SOUND, b"AIFF": Kind.SOUND, b"AIFC": Kind.SOUND, b"WEBP": Kind.PICTURE}
# Brands of ISO base media files with pictures (HEIF, AVIF, Canon's raw files).
PICTURE_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevm", b"hevs", b"mif1", b"msf1", b"avif", b"avis"}
PICTURE_BRANDS |= {b"crx "}
QUICKTIME = {b"moov", b"mdat", b"wide", b"free", b"skip", b"pnot"}  # in files older than ftyp
BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
CONTROLS = bytes((*range(1, 9), *range(14, 27), *range(28, 32)))
HEADER = re.compile(rb"\xff(?=[\xe2-\xe7\xf0-\xff])")  # of a frame, judging by two bytes
# Garbage before the first frame has one in 4 KB; a file with nothing else would take seconds.
MAX_HEADERS = 100
FRAMES = 3  # consecutive frames or packets that identify a stream without a header

# MPEG audio, ISO 11172-3 §2.4.2.3 and ISO 13818-3: kbit/s by (is MPEG-1, layer), and Hz.
BITRATES = {
    (True, 1): (32, 64, 96, 128, 160, 192, 224, 256, 288, 320, 352, 384, 416, 448),
    (True, 2): (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384),
    (True, 3): (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320),
    (False, 1): (32, 48, 56, 64, 80, 96, 112, 128, 144, 160, 176, 192, 224, 256),
    (False, 2): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
    (False, 3): (8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160),
}
RATES = (44_100, 48_000, 32_000)


def detect_kind(head: bytes, *, is_whole: bool) -> Kind:
    """Return the kind of the file. `head` has its first SNIFFED_BYTES; `is_whole`: the file has no more."""
    if not head:
        return Kind.EMPTY
    if head[4:8] == b"ftyp":
        return Kind.PICTURE if head[8:12] in PICTURE_BRANDS else Kind.SOUND
    for offset, signature, kind in SIGNATURES:
        if head.startswith(signature, offset):
            return kind
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return Kind.ARCHIVE if is_zip_archive(head) else Kind.DOCUMENT
    if head[:4] in CHUNKED and head[8:12] in FORMS:
        return FORMS[head[8:12]]
    if head[4:8] in QUICKTIME:
        return Kind.SOUND
    if head[:2] == b"BM" and head[6:10] == bytes(4):
        return Kind.PICTURE
    if _is_transport_stream(head) or _has_frames(head, is_whole):
        return Kind.SOUND
    if _is_text(head):
        return Kind.TEXT
    return Kind.PROGRAM if head[:2] == b"MZ" else Kind.UNKNOWN


def is_zip_archive(head: bytes) -> bool:
    """Return whether a file with these first bytes, at least ZIP_BYTES, is a ZIP archive and not a document."""
    return ZIP_ARCHIVE.match(head[:ZIP_BYTES].decode("latin-1")) is not None


def _is_text(head: bytes) -> bool:
    """Return whether these are characters in any encoding: few control characters, and no NUL outside of UTF-16."""
    if head.startswith(BYTE_ORDER_MARKS):
        return True
    even, odd = head[::2].count(0), head[1::2].count(0)
    if max(even, odd) * 4 > len(head) and min(even, odd) == 0:  # UTF-16 without a byte order mark
        return True
    controls = len(head) - len(head.translate(None, CONTROLS))
    return even + odd == 0 and controls * 50 <= len(head)


def _is_transport_stream(head: bytes) -> bool:
    """Return whether packets of 188 bytes follow each other (ISO 13818-1), in M2TS files each after 4 bytes of time."""
    return any(
        len(head) > start + size * (FRAMES - 1) and all(head[start + size * n] == 0x47 for n in range(FRAMES))
        for start, size in ((0, 188), (4, 192))
    )


def _has_frames(head: bytes, is_whole: bool) -> bool:
    """Return whether frames of MP3 or raw AAC follow each other, perhaps after some garbage."""
    starts = islice(HEADER.finditer(head), MAX_HEADERS)
    return any(_count_frames(head, match.start(), is_whole) >= FRAMES for match in starts)


def _count_frames(head: bytes, start: int, is_whole: bool) -> int:
    """Return the number of similar frames from `start` on, at most FRAMES. A short file may end after fewer."""
    count, first = 0, head[start + 1 : start + 3]
    while count < FRAMES:
        length = _frame_length(head[start : start + 7])
        if not length or (head[start + 1] | 1) != (first[0] | 1):
            return count
        count, start = count + 1, start + length
        if is_whole and count > 1 and start == len(head):
            return FRAMES
    return count


def _frame_length(header: bytes) -> int:
    """Return the bytes of a frame with this header (MPEG audio, or ADTS: ISO 13818-7 §6.2), or 0 if it is invalid."""
    if len(header) < 7 or header[0] != 0xFF or header[1] & 0xE0 != 0xE0:
        return 0
    if header[1] & 0xF6 == 0xF0:
        length = (header[3] & 3) << 11 | header[4] << 3 | header[5] >> 5
        return length if length > 7 and header[2] >> 2 & 15 < 13 else 0
    version, layer = header[1] >> 3 & 3, 4 - (header[1] >> 1 & 3)
    bitrate, rate = header[2] >> 4, header[2] >> 2 & 3
    if version == 1 or layer == 4 or not 0 < bitrate < 15 or rate == 3:
        return 0
    is_first = version == 3
    hertz = RATES[rate] // (1 if is_first else 2 if version == 2 else 4)
    bits, padding = BITRATES[is_first, layer][bitrate - 1] * 1000, header[2] >> 1 & 1
    if layer == 1:
        return (12 * bits // hertz + padding) * 4
    return (72 if layer == 3 and not is_first else 144) * bits // hertz + padding
