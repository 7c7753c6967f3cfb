"""Third-party ZIP programs really read our bundles, and each of them detects errors."""

import zipfile
from pathlib import Path

import pytest

from tests.support.zip_readers import extract_member, has_unzip, reader_commands, reader_errors

EVERY = {"zipfile", "7z"} | ({"unzip"} if has_unzip() else set())


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A valid ZIP."""
    with zipfile.ZipFile(tmp_path / "made.zip", "w") as made:
        made.writestr("a", b"first")
        made.writestr("b", b"second")
    return tmp_path / "made.zip"


def test_every_reader_accepts_a_valid_zip(path: Path) -> None:
    assert set(reader_commands()) == EVERY
    assert reader_errors(path) == {}
    assert extract_member(path, "b", EVERY - {"zipfile"}) == dict.fromkeys(EVERY - {"zipfile"}, b"second")


def test_every_reader_finds_a_flipped_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[data.index(b"second")] ^= 1
    path.write_bytes(data)

    assert set(reader_errors(path)) == EVERY


def test_every_reader_finds_a_truncated_zip(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])

    assert set(reader_errors(path)) == EVERY
