"""Ordinary and hostile ZIP archives: the same Spaces as from a folder, no file outside of it, no leftovers."""

import json
import os
import random
import stat
import struct
import subprocess
import sys
import zipfile
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from archive.errors import Refused, Unreadable
from archive.intake.importers import ImportCandidate, find, survey
from tests.support.errors import raises_error

SPACE = [{"id": "1ab", "endedAt": "2026-11-22T20:05:10Z"}]
SCRIPT = f"window.YTD.spaces_metadata.part0 = {json.dumps(SPACE)}"
RECORDING = "twitter-2026/data/spaces_media/space-1ab.ts"


@pytest.fixture(autouse=True)
def work(tmp_path: Path, settings: Any) -> Path:
    """The folder into which members are unpacked."""
    (tmp_path / "work").mkdir()
    settings.SPOOL_DIR = str(tmp_path / "work")
    return tmp_path / "work"


def pack(tmp_path: Path, members: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> Path:
    path = tmp_path / "archive.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


def only(path: Path) -> ImportCandidate:
    (candidate,) = find(path)
    return candidate


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_an_x_archive_is_read(tmp_path: Path, work: Path, method: int) -> None:
    sound = random.Random(1).randbytes(2 * 1024**2)
    members = {RECORDING: sound, "twitter-2026/data/spaces-metadata.js": SCRIPT.encode(), "__MACOSX/._a.m4a": b"x"}
    candidate = only(pack(tmp_path, members, method))

    with candidate.on_disk() as (recording, transcript):
        assert (recording.name, recording.read_bytes(), transcript) == ("space-1ab.ts", sound, None)
        assert work in recording.parents

    assert candidate.facts.ended_at is not None
    assert candidate.facts.ended_at.isoformat() == "2026-11-22T20:05:10+00:00"
    assert list(work.iterdir()) == []


def test_extracted_files_are_removed_after_a_failure(tmp_path: Path, work: Path) -> None:
    candidate = only(pack(tmp_path, {"talk.m4a": b"sound", "talk.vtt": b"WEBVTT"}))

    with suppress(ZeroDivisionError), candidate.on_disk() as (recording, transcript):
        assert transcript is not None
        assert (recording.read_bytes(), transcript.read_bytes()) == (b"sound", b"WEBVTT")
        raise ZeroDivisionError

    assert list(work.iterdir()) == []


def test_what_a_killed_process_left_is_removed_and_what_another_uses_is_not(tmp_path: Path, work: Path) -> None:
    path = pack(tmp_path, {"talk.m4a": b"sound"})
    program = """
import sys; from pathlib import Path; import django; django.setup()
from archive.intake.importers import find; from django.conf import settings
settings.SPOOL_DIR = sys.argv[2]
with find(Path(sys.argv[1]))[0].on_disk():
    print("unpacked", flush=True)
    sys.stdin.read()
"""
    command = [sys.executable, "-c", program, str(path), str(work)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"unpacked\n"
        (left,) = work.iterdir()
        os.utime(left, (0, 0))  # long ago

        unpack(only(path))
        assert list(work.iterdir()) == [left]

        other.kill()
    unpack(only(path))
    assert list(work.iterdir()) == []


@pytest.mark.parametrize("name", ["/escaped.m4a", "C:\\escaped.m4a", "a//escaped.m4a", "a/b\\..\\..\\..\\escaped.m4a"])
def test_a_path_traversal_writes_nothing_outside(tmp_path: Path, work: Path, name: str) -> None:
    path = pack(tmp_path, {name: b"sound"})
    before = set(tmp_path.parent.rglob("*escaped*"))

    with only(path).on_disk() as (recording, _):
        assert work in recording.resolve().parents

    assert set(tmp_path.parent.rglob("*escaped*")) == before
    assert not Path("/escaped.m4a").exists()


@pytest.mark.parametrize("name", ["../../escaped.m4a", "a/../../escaped.m4a"])
def test_a_member_with_parent_folders_is_no_recording(tmp_path: Path, name: str) -> None:
    with raises_error(Unreadable, "import.no_recording"):
        find(pack(tmp_path, {name: b"sound"}))


def test_links_are_not_followed(tmp_path: Path) -> None:
    path = tmp_path / "archive.zip"
    link = zipfile.ZipInfo("talk.m4a")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(link, "/etc/passwd")

    with raises_error(Unreadable, "import.no_recording"):
        find(path)


def unpack(candidate: ImportCandidate) -> None:
    with candidate.on_disk():
        pass


def test_a_zip_bomb_is_refused_before_it_is_extracted(tmp_path: Path, work: Path) -> None:
    candidate = only(pack(tmp_path, {"talk.wav": bytes(50 * 1024**2)}))

    with raises_error(Unreadable, "import.member_bomb", file="talk.wav", ratio=200):
        unpack(candidate)
    assert list(work.iterdir()) == []


def test_a_member_over_the_upload_limit_is_refused(tmp_path: Path, settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = 1000
    candidate = only(pack(tmp_path, {"talk.m4a": bytes(1001)}))

    with raises_error(Unreadable, "import.member_too_large", file="talk.m4a"):
        unpack(candidate)


def test_a_metadata_bomb_is_not_read(tmp_path: Path) -> None:
    (left_out,) = survey(pack(tmp_path, {"talk.json": b"[" * (17 * 1024**2), "talk.m4a": b"sound"})).left_out

    assert (left_out.file, left_out.problem["code"]) == ("talk.json", "import.member_bomb")


def test_a_false_size_yields_no_more_bytes_than_declared(tmp_path: Path) -> None:
    path = pack(tmp_path, {"talk.m4a": b"0123456789" * 1000})
    data = bytearray(path.read_bytes())
    struct.pack_into("<I", data, data.index(b"PK\x01\x02") + 24, 100)
    path.write_bytes(data)

    with raises_error(Unreadable, "import.member_damaged", file="talk.m4a"):
        unpack(only(path))


def test_a_damaged_recording_is_reported(tmp_path: Path) -> None:
    path = pack(tmp_path, {"talk.m4a": bytes(range(256)) * 100}, zipfile.ZIP_STORED)
    data = bytearray(path.read_bytes())
    data[1000] ^= 255
    path.write_bytes(data)

    with raises_error(Unreadable, "import.member_damaged", file="talk.m4a"):
        unpack(only(path))


def test_an_encrypted_member_is_reported(tmp_path: Path) -> None:
    path = pack(tmp_path, {"talk.m4a": b"sound"})
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)

    with raises_error(Unreadable, "import.member_encrypted", file="talk.m4a"):
        unpack(only(path))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_other_compression_methods_are_not_read(tmp_path: Path, method: int) -> None:
    with raises_error(Unreadable, "import.member_compression", file="talk.m4a"):
        unpack(only(pack(tmp_path, {"talk.m4a": b"sound"}, method)))


@pytest.mark.parametrize("keep", [4, 60, -10])
def test_a_truncated_archive_is_reported(tmp_path: Path, keep: int) -> None:
    path = pack(tmp_path, {"talk.m4a": bytes(100)})
    path.write_bytes(path.read_bytes()[:keep])

    with raises_error(Unreadable, "import.zip_damaged", file="archive.zip"):
        find(path)


def test_a_full_disk_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    candidate = only(pack(tmp_path, {"talk.m4a": bytes(2000)}))
    usage: Any = type("Usage", (), {"free": 1999})
    monkeypatch.setattr("archive.intake.importers.zip_tree.shutil.disk_usage", lambda place: usage)

    with raises_error(Refused, "import.no_disk_space", file="talk.m4a"):
        unpack(candidate)
