"""Bundles of more than 4 GiB, and of more than 65,535 members, are composed in the store and readable everywhere.

They run only with LIMITS=1 (`make limits`), because they take minutes and 14 GB of disk. tests/test_zip64_layout.py
always tests small archives at exactly the numbers where ZIP64 begins.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from archive import leases
from archive.bundles.bag import bag, member
from archive.bundles.build import request
from archive.bundles.compose import compose
from archive.bundles.zip64 import Member, Range, layout
from archive.log import SYSTEM
from archive.models import Bundle, User
from archive.storage import ObjectInfo, keys, store
from tests.support.bundles import build_bundle, make_long_space
from tests.support.zip_readers import reader_errors, seven_zip

pytestmark = [
    pytest.mark.usefixtures("committed"),  # the database ends a transaction that waits for minutes
    pytest.mark.timeout(1800),
    pytest.mark.skipif(os.environ.get("LIMITS") != "1", reason="`make limits` has it: it takes minutes"),
]


def test_more_than_4_gib(alice: User, tmp_path: Path) -> None:
    space = make_long_space(alice, mebibytes=4160)
    recording = space.recordings.get()

    bundle = build_bundle(space)

    assert bundle.size is not None
    assert recording.size == 4_362_076_160
    assert recording.size < bundle.size < recording.size + 1_000_000  # its offline page contains the scripts
    path = saved(ObjectInfo(bundle.key, bundle.size, bundle.etag), tmp_path)
    assert reader_errors(path) == {}
    valid(path, tmp_path / "bag")


def test_more_than_65535_members(alice: User, tmp_path: Path) -> None:
    """70,000 different small files, followed by a recording."""
    space = make_long_space(alice, mebibytes=64)
    sound = space.recordings.get()
    files = [member(f"data/{n // 1000}/{n}.txt", f"{n}\n".encode()) for n in range(70_000)]
    files.append(Member("data/recording.wav", Range(sound.key, sound.etag, 0, sound.size), sound.crc32, sound.sha256))
    members = bag("many", files, identifier=str(space.pk), title="Many", date=space.ended_at)
    bundle = request(space.pk, SYSTEM)
    claim = leases.claim(Bundle, bundle.pk, Bundle.AT_WORK)
    assert claim is not None

    stored = compose(claim, keys.bundle(space.pk, bundle.pk), layout(members, space.ended_at))

    assert stored is not None
    path = saved(stored.info, tmp_path)
    assert reader_errors(path) == {}
    folder = valid(path, tmp_path / "bag")
    assert (folder / "data" / "69" / "69999.txt").read_text() == "69999\n"


def saved(stored: ObjectInfo, folder: Path) -> Path:
    path = folder / "bundle.zip"
    with path.open("wb") as file:
        for data in store().stream(stored.key, stored.size, stored.etag):
            file.write(data)
    return path


def valid(path: Path, into: Path) -> Path:
    """Unpack the ZIP, delete it to save disk space, and assert that `bagit.py --validate` accepts its folder."""
    subprocess.run([seven_zip(), "x", "-bd", f"-o{into}", str(path)], capture_output=True, check=True)
    path.unlink()
    (folder,) = into.iterdir()
    command = [sys.executable, "-m", "bagit", "--validate", "--quiet", str(folder)]
    validated = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (validated.returncode, validated.stderr) == (0, "")
    return folder
