"""Extract a few frames from an ID3v2 tag, which may begin with a picture of many megabytes.

The format: ID3v2.2 §3, ID3v2.3 §3 and ID3v2.4 §3 to §5 (id3.org). Frames are skipped by size, so only headers are
parsed; the extracted frames become a small tag.
"""

from typing import IO

PICKED = {b"TIT2", b"TPE1", b"TDRC", b"TT2", b"TP1"}
MAX_TAG = 16_000_000  # bytes; the decoder refuses larger ones
MAX_FRAME = 4096  # bytes of an extracted frame; a title has 300 characters
MAX_FRAMES = 5000
UNSYNCHRONISED, EXTENDED = 0x80, 0x40


def pick_frames(file: IO[bytes]) -> bytes:
    """Return a tag with the title, the artist and the date of the tag at the file's position. It may be empty."""
    header = file.read(10)
    version, flags, size = header[3], header[5], min(_seven_bits(header[6:10]), MAX_TAG)
    body = file.read(size)
    if flags & UNSYNCHRONISED and version < 4:  # applies to the whole tag; in ID3v2.4, to each frame
        body = body.replace(b"\xff\x00", b"\xff")
    start = 0
    if flags & EXTENDED and version > 2:
        start = _seven_bits(body[:4]) if version == 4 else int.from_bytes(body[:4], "big") + 4
    picked = _walk(body, start, version)
    length = bytes(len(picked) >> shift & 127 for shift in (21, 14, 7, 0))
    return header[:5] + bytes([flags & UNSYNCHRONISED if version == 4 else 0]) + length + picked


def _walk(body: bytes, start: int, version: int) -> bytes:
    picked, name_size, head_size = b"", *((3, 6) if version == 2 else (4, 10))
    for _ in range(MAX_FRAMES):
        head = body[start : start + head_size]
        if len(head) < head_size or not head[:name_size].strip(b"\x00"):
            break
        size = _frame_size(body, start, version)
        if head[:name_size] in PICKED and size <= MAX_FRAME:
            picked += body[start : start + head_size + size]
        start += head_size + size
    return picked


def _frame_size(body: bytes, start: int, version: int) -> int:
    if version == 2:
        return int.from_bytes(body[start + 3 : start + 6], "big")
    data = body[start + 4 : start + 8]
    plain, seven = int.from_bytes(data, "big"), _seven_bits(data)
    if version < 4 or plain == seven or max(data) > 127:
        return plain
    # iTunes wrote plain sizes into ID3v2.4. The right size is the one that leads to another frame, or to the end.
    return seven if _is_boundary(body, start + 10 + seven) or not _is_boundary(body, start + 10 + plain) else plain


def _is_boundary(body: bytes, at: int) -> bool:
    name = body[at : at + 4]
    return at == len(body) or name == bytes(4) or (len(name) == 4 and name.isalnum() and name.isupper())


def _seven_bits(data: bytes) -> int:
    """Decode a number with seven bits in each byte."""
    number = 0
    for byte in data:
        number = number << 7 | byte & 127
    return number
