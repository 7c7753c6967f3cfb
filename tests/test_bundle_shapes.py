"""Bundles of random Spaces: stored bytes match the plan, and every reader accepts them.

SHAPES: how many (10; `make limits` takes 200).
"""

import os
import subprocess
import sys
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from archive.bundles.contents import contents
from archive.bundles.zip64 import Range, read
from archive.models import Space, User
from archive.storage import store
from tests.support.bundles import build_bundle, read_bundle
from tests.support.random_spaces import SpaceShape, make_random_space, shapes
from tests.support.zip_readers import reader_errors

SHAPES = int(os.environ.get("SHAPES", "6"))

pytestmark = pytest.mark.timeout(600 + 12 * SHAPES)


def planned(space: Space, recordings: dict[str, bytes]) -> bytes:
    """Build the expected bytes from the plan and the bytes of the recordings."""

    def fetch(wanted: Range) -> bytes:
        return recordings[wanted.key][wanted.start : wanted.start + wanted.length]

    return b"".join(read(contents(space).segments, fetch))


def unpacked(path: Path, into: Path) -> Path:
    """Unpack a ZIP and return its one folder."""
    with zipfile.ZipFile(path) as zip_file:
        zip_file.extractall(into)
    (folder,) = into.iterdir()
    return folder


def recordings_in(folder: Path) -> list[bytes]:
    return [path.read_bytes() for path in (folder / "data").iterdir() if path.name.startswith("recording")]


def of_every_shape(check: Callable[[SpaceShape], None]) -> None:
    """Run the check with random Spaces. Hypothesis shrinks a failing one, and stores nothing between runs."""
    few = settings(
        max_examples=SHAPES,
        deadline=None,
        database=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.large_base_example],
    )
    few(given(shapes)(check))()


def test_the_stored_bytes_match_the_plan(db: None, alice: User, tmp_path: Path) -> None:
    """The command `bagit.py` starts slowly, so it validates all bags together at the end. Every other reader checks
    each bundle."""
    bags: list[Path] = []
    assert store().capabilities.copies_parts

    def check(shape: SpaceShape) -> None:
        space, recordings = make_random_space(alice, shape)
        bundle = build_bundle(space)
        expected = planned(space, recordings)

        assert read_bundle(bundle) == expected
        assert bundle.crc32 == zlib.crc32(expected)
        path = tmp_path / "bundle.zip"
        path.write_bytes(expected)
        assert reader_errors(path) == {}
        folder = unpacked(path, tmp_path / str(space.pk))
        assert sorted(recordings_in(folder)) == sorted(recordings.values())
        bags.append(folder)

    of_every_shape(check)

    assert len(bags) >= SHAPES
    command = [sys.executable, "-m", "bagit", "--validate", "--quiet", *map(str, bags)]
    validated = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (validated.returncode, validated.stderr) == (0, "")
