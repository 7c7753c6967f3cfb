"""The CRC-32 of a bundle is computed from those of its members before it is assembled, and the store compares it."""

import zlib
from collections.abc import Iterator, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.bundles.build import build, request
from archive.bundles.crc32 import combine, whole_crc32
from archive.bundles.zip64 import Literal, Range, Segment
from archive.log import SYSTEM
from archive.models import Bundle, LogEntry, Recording, User
from archive.storage import store
from tests.support.bundles import build_bundle, clear_failed_bundle, read_bundle
from tests.support.factory import make_noise
from tests.support.object_stores import without

pieces = st.lists(st.tuples(st.booleans(), st.binary(max_size=300)), max_size=12)


def segments_of(pieces: Sequence[tuple[bool, bytes]]) -> list[Segment]:
    return [Range("key", "etag", 0, len(b), zlib.crc32(b)) if stored else Literal(b) for stored, b in pieces]


@given(pieces)
def test_the_whole_follows_from_its_pieces(pieces: list[tuple[bool, bytes]]) -> None:
    assert whole_crc32(segments_of(pieces)) == zlib.crc32(b"".join(data for _, data in pieces))


def test_a_length_beyond_4_gib() -> None:
    """The expected values are from zlib's crc32_combine for zeros; 5 GiB are 5,120 times 1 MiB."""
    mebibyte = zlib.crc32(bytes(1024**2))
    crc = 0
    for number in range(5120):
        crc = combine(crc, mebibyte, 1024**2)
        if number == 0:
            assert crc == mebibyte
    assert crc == combine(combine(0, mebibyte, 1024**2), _zeros(5119), 5119 * 1024**2)


def _zeros(mebibytes: int) -> int:
    crc, block, rest, length = 0, zlib.crc32(bytes(1024**2)), mebibytes, 1024**2
    while rest:  # by doubling the length
        if rest & 1:
            crc = combine(crc, block, length)
        block, length, rest = combine(block, block, length), 2 * length, rest >> 1
    return crc


def test_a_part_of_a_range_has_no_known_crc() -> None:
    whole = Range("key", "etag", 0, 10, 1)

    assert whole_crc32([whole.part(0, 5)]) is None


@pytest.fixture(params=["the whole", "by part"])
def verifying(request: pytest.FixtureRequest) -> Iterator[None]:
    """The two ways in which a store verifies a bundle: it compares the CRC-32 of the whole, or computes that of each
    part."""
    with without(verifies_whole=request.param == "the whole"):
        yield


@pytest.mark.usefixtures("db", "verifying")
def test_the_store_verifies_the_bundle(alice: User) -> None:
    bundle = build_bundle(make_noise(alice, megabytes=7))

    assert (bundle.verified_by, bundle.sha256) == ("store", "")
    assert bundle.crc32 == zlib.crc32(read_bundle(bundle))
    (entry,) = LogEntry.objects.filter(event="bundle.verified")
    assert (entry.detail["crc32"], entry.detail["size"]) == (bundle.crc32, bundle.size)


@pytest.mark.usefixtures("db", "verifying")
def test_a_bundle_of_other_bytes_never_becomes_ready(alice: User) -> None:
    """The recording in the store has one flipped bit, and its row has the ETag of the changed object."""
    space = make_noise(alice, megabytes=7)
    recording = space.recordings.get()
    data = bytearray(store().read(recording.key, 0, recording.size, recording.etag))
    data[5_500_000] ^= 1
    put = store().client.put_object(Bucket=store().bucket, Key=recording.key, Body=bytes(data))
    Recording.objects.filter(pk=recording.pk).update(etag=put["ETag"])
    bundle = request(space.pk, SYSTEM)

    assert not build(bundle.pk)

    assert clear_failed_bundle(Bundle.objects.get()) == "bundle.crc32_differs"
