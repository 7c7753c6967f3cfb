"""Sort the certificates of a time stamp as DER requires.

DER sorts a SET OF (X.690 §11.6), and rfc3161-client refuses any other order. OpenSSL, which many authorities use, does
not sort the certificates. No signature covers them (RFC 5652 §5.4), so sorting them changes nothing.
"""

from collections.abc import Iterator

SEQUENCE, CERTIFICATES, EXPLICIT = 0x30, 0xA0, 0xA0


def sort_certificates(response: bytes) -> bytes:
    """Return a TimeStampResp (RFC 3161 §2.4.2) with sorted certificates. Returns other data unchanged."""
    try:
        start, end = _certificates(response)
        sorted_ones = sorted(response[first:last] for _, first, _, last in _elements(response, start, end))
    except (ValueError, IndexError):
        return response
    return response[:start] + b"".join(sorted_ones) + response[end:]


def _certificates(data: bytes) -> tuple[int, int]:
    """Return where the elements of SignedData.certificates begin and end. Raises ValueError, IndexError."""
    start, end = _content(data, 0, len(data), SEQUENCE, 0)  # TimeStampResp
    start, end = _content(data, start, end, SEQUENCE, 1)  # its token, a ContentInfo
    start, end = _content(data, start, end, EXPLICIT, 1)
    start, end = _content(data, start, end, SEQUENCE, 0)  # SignedData
    return _content(data, start, end, CERTIFICATES, 3)


def _content(data: bytes, start: int, end: int, tag: int, index: int) -> tuple[int, int]:
    found, _, begin, last = list(_elements(data, start, end))[index]
    if found != tag:
        raise ValueError("another element")
    return begin, last


def _elements(data: bytes, start: int, end: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield (tag, start of the element, start of its content, end) of each element."""
    while start < end:
        tag, length, content = data[start], data[start + 1], start + 2
        if length & 0x80:
            size = length & 0x7F
            if not 1 <= size <= 4:
                raise ValueError("no length of DER")
            length = int.from_bytes(data[content : content + size], "big")
            content += size
        if content + length > end:
            raise ValueError("it ends too early")
        yield tag, start, content, content + length
        start = content + length
