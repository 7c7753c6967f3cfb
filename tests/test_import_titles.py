"""Titles from tags and from file names in archives are right, or missing with a note. They are never wrong."""

import struct
import zipfile
import zlib
from pathlib import Path

import pytest

from archive.intake.importers import find
from archive.management.ingest_plan import Given, Plan
from archive.models import User

UNKNOWN = "talk.mp3: Its title is in an encoding that the file does not state, so it is not used."


def seven_bits(number: int) -> bytes:
    return bytes(number >> shift & 127 for shift in (21, 14, 7, 0))


def frame(name: bytes, data: bytes, version: int = 3) -> bytes:
    if version == 2:
        return name + len(data).to_bytes(3, "big") + data
    return name + (seven_bits(len(data)) if version == 4 else len(data).to_bytes(4, "big")) + bytes(2) + data


def tag(*frames: bytes, version: int = 3, flags: int = 0) -> bytes:
    body = b"".join(frames)
    return b"ID3" + bytes([version, 0, flags]) + seven_bits(len(body)) + body + b"\xff\xfb\x90\x00"


def title(tmp_path: Path, data: bytes, name: str = "talk.mp3") -> tuple[str, tuple[str, ...]]:
    (tmp_path / name).write_bytes(data)
    (candidate,) = find(tmp_path / name)
    return candidate.facts.title, candidate.facts.notes


PICTURE = bytes([0]) + b"image/jpeg\x00\x03\x00" + b"\xff\xd8\xff\x00" * 300_000  # 1.2 MB


@pytest.mark.parametrize("version", [3, 4])
def test_a_title_behind_a_picture(tmp_path: Path, version: int) -> None:
    data = tag(frame(b"APIC", PICTURE, version), frame(b"TIT2", b"\x00Seeds", version), version=version)

    assert title(tmp_path, data) == ("Seeds", ())


def test_a_title_behind_a_picture_in_other_tags(tmp_path: Path) -> None:
    old = tag(frame(b"PIC", b"\x00JPG\x03\x00" + bytes(70_000), 2), frame(b"TT2", b"\x00Seeds", 2), version=2)
    whole = frame(b"APIC", PICTURE) + frame(b"TIT2", b"\x00Seeds")
    safe = whole.replace(b"\xff\x00", b"\xff\x00\x00")
    unsynchronised = b"ID3\x03\x00\x80" + seven_bits(len(safe)) + safe
    extended = tag((6).to_bytes(4, "big") + bytes(6), frame(b"TIT2", b"\x00Seeds"), flags=0x40)
    plain_size = b"APIC" + len(PICTURE).to_bytes(4, "big") + bytes(2) + PICTURE
    of_itunes = tag(plain_size, frame(b"TIT2", b"\x00Seeds", 4), version=4)

    for data in (old, unsynchronised, extended, of_itunes):
        assert title(tmp_path, data) == ("Seeds", ())


def box(kind: bytes, *content: bytes) -> bytes:
    data = b"".join(content)
    return (len(data) + 8).to_bytes(4, "big") + kind + data


def test_a_title_behind_a_cover_in_other_formats(tmp_path: Path) -> None:
    value = box(b"data", (1).to_bytes(4, "big"), bytes(4), b"Seeds")
    items = box(b"ilst", box(b"covr", bytes(400_000)), box(b"\xa9nam", value))
    m4a = box(b"ftyp", b"M4A \x00\x00\x00\x00") + box(
        b"moov", box(b"mvhd", bytes(100)), box(b"udta", box(b"meta", bytes(4), box(b"hdlr", bytes(25)), items))
    )
    comment = b"title=Seeds"
    comments = struct.pack("<I", 0) + struct.pack("<II", 1, len(comment)) + comment
    info = struct.pack(">HH", 4096, 4096) + bytes(6) + ((44_100 << 44) | (15 << 36)).to_bytes(8, "big") + bytes(16)
    flac = b"fLaC\x00" + len(info).to_bytes(3, "big") + info
    flac += b"\x06" + (400_000).to_bytes(3, "big") + bytes(400_000)
    flac += b"\x84" + len(comments).to_bytes(3, "big") + comments

    assert title(tmp_path, m4a, "talk.m4a") == ("Seeds", ())
    assert title(tmp_path, flac, "talk.flac") == ("Seeds", ())


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"Seeds", "Seeds"),
        ("Café crème, señor".encode("latin-1"), "Café crème, señor"),
        ("Über Öl".encode("latin-1"), "Über Öl"),
        (b"Don\x92t \x96 really", "Don’t – really"),  # noqa: RUF001  cp1252, which programs call Latin-1
        ("Семена 豆".encode(), "Семена 豆"),  # text that decodes as UTF-8 is UTF-8
    ],
)
def test_a_plausible_latin_title_is_taken(tmp_path: Path, raw: bytes, expected: str) -> None:
    assert title(tmp_path, tag(frame(b"TIT2", b"\x00" + raw))) == (expected, ())


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("Семена", "cp1251"),
        ("Семена и бобы", "cp1251"),
        ("Я и ты", "cp1251"),
        ("Σπόροι", "cp1253"),
        ("זרעים", "cp1255"),
        ("Семена", "koi8-r"),
        ("豆の話", "shift_jis"),
        ("豆子的故事", "gb18030"),
    ],
)
def test_a_title_in_another_encoding_is_none_with_a_note(tmp_path: Path, text: str, encoding: str) -> None:
    assert title(tmp_path, tag(frame(b"TIT2", b"\x00" + text.encode(encoding)))) == ("", (UNKNOWN,))


def test_a_stated_encoding_is_believed(tmp_path: Path) -> None:
    assert title(tmp_path, tag(frame(b"TIT2", b"\x01" + "Семена".encode("utf-16")))) == ("Семена", ())


class OldZipInfo(zipfile.ZipInfo):
    """A member whose name is in another encoding, without the flag for UTF-8."""

    raw = b""

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:  # noqa: N802  (zipfile calls it)
        return self.raw, self.flag_bits & ~0x800


def plan_of(tmp_path: Path, raw: bytes, alice: User, extra: bytes = b"") -> Plan:
    info = OldZipInfo("talk.mp3")
    info.raw, info.extra = raw, extra
    with zipfile.ZipFile(tmp_path / "talks.zip", "w") as archive:
        archive.writestr(info, b"\xff\xfb\x90\x00" + bytes(100))
    (candidate,) = find(tmp_path / "talks.zip")
    return Plan(candidate, Given(alice, candidate.facts.__class__()))


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"Seeds.mp3", "Seeds"),
        ("Семена.mp3".encode(), "Семена"),  # macOS: UTF-8 without the flag
        ("Café.mp3".encode("cp437"), "Café"),  # the same in cp850
    ],
)
def test_a_name_whose_encoding_is_certain_is_the_title(
    tmp_path: Path, db: None, alice: User, raw: bytes, expected: str
) -> None:
    plan = plan_of(tmp_path, raw, alice)

    assert (plan.facts.title, plan.facts.notes) == (expected, ())


@pytest.mark.parametrize("encoding", ["cp866", "cp852", "shift_jis", "gb18030"])
def test_a_name_in_an_unknown_code_page_is_no_title(tmp_path: Path, db: None, alice: User, encoding: str) -> None:
    raw = {"cp866": "Семена", "cp852": "źdźbło", "shift_jis": "豆の話", "gb18030": "豆子"}[encoding].encode(encoding)

    plan = plan_of(tmp_path, raw + b".mp3", alice)

    assert plan.facts.title == ""
    assert len(plan.facts.notes) == 1
    assert plan.facts.notes[0].endswith("so the name is not used as the title.")


def test_the_extra_field_of_info_zip_has_the_name(tmp_path: Path, db: None, alice: User) -> None:
    raw, name = "Семена.mp3".encode("cp866"), "Семена.mp3".encode()
    field = b"\x01" + zlib.crc32(raw).to_bytes(4, "little") + name
    extra = struct.pack("<HH", 0x7075, len(field)) + field

    assert plan_of(tmp_path, raw, alice, extra).facts.title == "Семена"
    assert plan_of(tmp_path, b"\x9f" + raw, alice, extra).facts.title == ""  # the field is of another name
