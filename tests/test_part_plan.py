"""The parts of a multipart upload contain all bytes in order, in sizes that S3 accepts."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.bundles.part_plan import CopiedPart, Part, RelayedPart, digest, pieces_of, plan
from archive.bundles.zip64 import Literal, Range, Segment
from archive.errors import Refused
from tests.support.errors import raises_error

MIB = 1024**2
LEAST, MOST = 10, 40  # bytes; the shapes are the same as with 5 MiB and 64 MiB


def flat(parts: list[Part]) -> list[Segment]:
    """Return all pieces in order, with adjacent ones of the same object joined."""
    pieces: list[Segment] = []
    for part in parts:
        for piece in pieces_of(part):
            last = pieces[-1] if pieces else None
            if (
                isinstance(piece, Range)
                and isinstance(last, Range)
                and (last.key, last.etag, last.start + last.length) == (piece.key, piece.etag, piece.start)
            ):
                pieces[-1] = Range(last.key, last.etag, last.start, last.length + piece.length)
            else:
                pieces.append(piece)
    return pieces


literals = st.binary(min_size=1, max_size=30).map(Literal)
lengths = st.integers(1, 30) | st.integers(1, 400)


@st.composite
def shapes(draw: st.DrawFn) -> list[Segment]:
    segments: list[Segment] = []
    for n in range(draw(st.integers(1, 12))):
        if draw(st.booleans()):
            segments.append(draw(literals))
        else:
            segments.append(Range(f"key-{n}", f"etag-{n}", draw(st.integers(0, 50)), draw(lengths)))
    return segments


@settings(deadline=None, max_examples=300)
@given(shapes())
def test_parts_cover_the_segments_in_order(segments: list[Segment]) -> None:
    parts = plan(segments, least=LEAST, most=MOST)

    assert flat(parts) == segments


@settings(deadline=None, max_examples=300)
@given(shapes())
def test_parts_have_sizes_that_s3_takes(segments: list[Segment]) -> None:
    parts = plan(segments, least=LEAST, most=MOST)

    assert all(part.length >= LEAST for part in parts[:-1])
    assert all(part.length <= MOST + LEAST for part in parts if isinstance(part, CopiedPart))
    assert all(part.length > 0 for part in parts)


@settings(deadline=None, max_examples=300)
@given(shapes())
def test_as_few_bytes_as_possible_pass_through_the_worker(segments: list[Segment]) -> None:
    parts = plan(segments, least=LEAST, most=MOST)

    through = sum(part.length for part in parts if isinstance(part, RelayedPart))
    small = sum(s.length for s in segments if isinstance(s, Literal) or s.length < 2 * LEAST)
    large = [s for s in segments if isinstance(s, Range) and s.length >= 2 * LEAST]
    assert through <= small + LEAST * len(large)


def test_a_recording_of_200_mib() -> None:
    header, directory = Literal(b"h" * 1000), Literal(b"d" * 500)
    recording = Range("key", "etag", 0, 200 * MIB)

    parts = plan([header, recording, directory])

    head = 5 * MIB - 1000
    assert parts == [
        RelayedPart((header, Range("key", "etag", 0, head))),
        CopiedPart(Range("key", "etag", head, 64 * MIB - head)),
        CopiedPart(Range("key", "etag", 64 * MIB, 64 * MIB)),
        CopiedPart(Range("key", "etag", 128 * MIB, 64 * MIB)),
        CopiedPart(Range("key", "etag", 192 * MIB, 8 * MIB)),
        RelayedPart((directory,)),
    ]


@pytest.mark.parametrize(("length", "count"), [(1, 1), (5 * MIB, 1), (10 * MIB - 7, 1), (10 * MIB - 6, 3)])
def test_a_small_recording_is_one_uploaded_part(length: int, count: int) -> None:
    segments: list[Segment] = [Literal(b"header"), Range("key", "etag", 0, length), Literal(b"directory")]

    parts = plan(segments)

    assert len(parts) == count
    assert flat(parts) == segments


def test_very_many_small_members_are_planned_at_once() -> None:
    """Adding up the pending bytes again for each member would take an hour."""
    (part,) = plan([Literal(b"small")] * 200_000)

    assert part.length == 1_000_000


def test_many_literals_are_not_held_in_memory_together() -> None:
    parts = plan([Literal(bytes(9 * MIB))] * 5)

    assert [part.length for part in parts] == [18 * MIB, 18 * MIB, 9 * MIB]


def test_without_store_copies_the_worker_uploads_in_bounded_pieces() -> None:
    recording = Range("key", "etag", 7, 40 * MIB)

    parts = plan([Literal(b"header"), recording, Literal(b"directory")], copies=False)

    assert all(isinstance(part, RelayedPart) for part in parts)
    assert flat(parts) == [Literal(b"header"), recording, Literal(b"directory")]
    assert [part.length for part in parts] == [16 * MIB + 6, 16 * MIB, 8 * MIB + 9]
    assert max(piece.length for part in parts for piece in pieces_of(part)) == 16 * MIB


def test_more_than_10000_parts_are_refused() -> None:
    large = [Range(f"key-{n}", "etag", 0, 6 * MIB) for n in range(10_001)]

    with raises_error(Refused, "bundle.too_many_parts", count=10_001, limit=10_000):
        plan(large)


def test_different_parts_have_different_digests() -> None:
    whole = plan([Literal(b"header"), Range("key", "etag", 0, 40 * MIB), Literal(b"directory")])

    again = plan([Literal(b"header"), Range("key", "etag", 0, 40 * MIB), Literal(b"directory")])
    assert digest(again) == digest(whole)
    others: list[list[Segment]] = [
        [Literal(b"Header"), Range("key", "etag", 0, 40 * MIB), Literal(b"directory")],
        [Literal(b"header"), Range("key", "other", 0, 40 * MIB), Literal(b"directory")],
        [Literal(b"header"), Range("key", "etag", 1, 40 * MIB), Literal(b"directory")],
    ]
    for other in others:
        assert digest(plan(other)) != digest(whole)
    assert digest(plan([Literal(b"header"), Range("key", "etag", 0, 40 * MIB)], most=10 * MIB)) != digest(whole)
