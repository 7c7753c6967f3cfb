"""A ZIP as a list of segments: other programs read it, and ZIP64 begins exactly at its limits."""

import io
import zipfile
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from archive.bundles.zip64 import Literal, Member, Range, crc32, layout, read
from tests.support.zip_readers import extract_member, reader_commands, reader_errors

NOON = datetime(2026, 10, 23, 12, 34, 56, tzinfo=UTC)
MAX32 = 4_294_967_295


def member(name: str, data: bytes) -> Member:
    return Member(name, Literal(data), crc32(data), "")


def zipped(members: list[Member], modified: datetime = NOON) -> bytes:
    def nothing_to_fetch(wanted: Range) -> bytes:
        raise AssertionError(wanted)

    return b"".join(read(layout(members, modified), nothing_to_fetch))


segment = st.text(st.characters(exclude_characters="/\\\x00", exclude_categories=["Cs"]), min_size=1, max_size=20)
files = st.dictionaries(st.lists(segment, min_size=1, max_size=3).map("/".join), st.binary(max_size=200), max_size=6)


@settings(deadline=None)
@given(files)
def test_zipfile_reads_every_member(contents: dict[str, bytes]) -> None:
    made = zipped([member(name, data) for name, data in contents.items()])

    with zipfile.ZipFile(io.BytesIO(made)) as zip_file:
        assert zip_file.testzip() is None
        assert {info.orig_filename: zip_file.read(info) for info in zip_file.infolist()} == contents


def test_every_reader_accepts_the_zip(tmp_path: Path) -> None:
    made = tmp_path / "made.zip"
    made.write_bytes(zipped([member("a/Gärten 🌱.txt", b"seeds\n"), member("a/empty", b"")]))

    assert reader_errors(made) == {}


def test_members_are_plain_files_with_the_given_time() -> None:
    berlin = timezone(timedelta(hours=2))
    made = zipped([member("a", b"x")], datetime(2026, 10, 23, 14, 34, 57, tzinfo=berlin))

    (info,) = zipfile.ZipFile(io.BytesIO(made)).infolist()

    assert info.date_time == (2026, 10, 23, 12, 34, 56)  # UTC, in steps of two seconds
    assert info.external_attr >> 16 == 0o100644
    assert info.compress_type == zipfile.ZIP_STORED


def test_ranges_are_fetched_in_their_place() -> None:
    big = Member("sound", Range("key", '"etag"', 0, 5), crc32(b"sound"), "")

    made = b"".join(read(layout([member("a", b"1"), big, member("z", b"2")], NOON), lambda wanted: b"sound"))

    with zipfile.ZipFile(io.BytesIO(made)) as zip_file:
        assert [zip_file.read(name) for name in ("a", "sound", "z")] == [b"1", b"sound", b"2"]


def sparse(path: Path, members: list[Member]) -> None:
    """Write the ZIP to disk, with holes for the ranges."""
    with path.open("wb") as file:
        for piece in layout(members, NOON):
            if isinstance(piece, Literal):
                file.write(piece.data)
            else:
                file.seek(piece.length, io.SEEK_CUR)


@pytest.mark.parametrize("size", [MAX32 - 1, MAX32, MAX32 + 1, 6 * 1024**3])
def test_sizes_around_the_32_bit_limit(tmp_path: Path, size: int) -> None:
    path = tmp_path / "big.zip"
    sparse(path, [Member("sound", Range("key", "etag", 0, size), 0x1234, ""), member("after", b"still found")])

    with zipfile.ZipFile(path) as zip_file:
        sizes = [(info.filename, info.file_size, info.CRC) for info in zip_file.infolist()]
        after = zip_file.read("after")

    assert sizes == [("sound", size, 0x1234), ("after", 11, crc32(b"still found"))]
    assert after == b"still found"
    # unzip 6.0 confuses the size of the previous member with the mark for "see the ZIP64 field" when both are the same
    # number. In a bundle this needs two recordings, the first of exactly that size.
    able = reader_commands().keys() - {"zipfile"} - ({"unzip"} if size == MAX32 else set())
    found_by = extract_member(path, "after", able)
    assert found_by == dict.fromkeys(able, b"still found")


@pytest.mark.parametrize(
    ("size", "local", "central", "end64"),
    [(MAX32 - 1, 20, 20, True), (MAX32, 45, 45, True), (MAX32 - 1000, 20, 20, False)],
    ids=["one less", "the limit", "all below"],
)
def test_zip64_only_where_a_number_does_not_fit(size: int, local: int, central: int, end64: bool) -> None:
    segments = layout([Member("sound", Range("key", "etag", 0, size), 0, "")], NOON)

    header, _, directory = segments

    assert isinstance(header, Literal)
    assert isinstance(directory, Literal)
    assert header.data[4:6] == bytes([local, 0])
    assert len(header.data) == 30 + 5 + (20 if local == 45 else 0)
    assert directory.data[6:8] == bytes([central, 0])
    assert (b"PK\x06\x06" in directory.data) is end64


@pytest.mark.parametrize(("start", "is_wide"), [(MAX32 - 1, False), (MAX32, True)])
def test_a_member_that_starts_at_the_limit(tmp_path: Path, start: int, is_wide: bool) -> None:
    path = tmp_path / "big.zip"
    first = Member("sound", Range("key", "etag", 0, start - 35), 0, "")  # 35 is its own header
    sparse(path, [first, member("after", b"still found")])

    with zipfile.ZipFile(path) as zip_file:
        info = zip_file.getinfo("after")
        assert info.header_offset == start
        assert bool(info.extra) is is_wide
        assert zip_file.read("after") == b"still found"
    able = reader_commands().keys() - {"zipfile"}
    assert extract_member(path, "after", able) == dict.fromkeys(able, b"still found")


@pytest.mark.parametrize(("count", "end64"), [(65_534, False), (65_535, True), (65_536, True)])
def test_more_than_65535_members(tmp_path: Path, count: int, end64: bool) -> None:
    made = zipped([Member(f"{n}", Literal(b""), 0, "") for n in range(count)])

    assert len(zipfile.ZipFile(io.BytesIO(made)).namelist()) == count
    assert (b"PK\x06\x06" in made[-98:]) is end64
    if count == 65_535:
        path = tmp_path / "many.zip"
        path.write_bytes(made)
        assert reader_errors(path) == {}
