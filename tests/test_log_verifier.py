"""verify_log.py reports an export as clean, or names the first entry that was tampered with."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from archive.transparency import verify_log
from archive.transparency.verify_log import HASH, Checkpoint, Export, Invalid, Key, verify_export
from tests.support.log_exports import (
    KEY,
    NEXT_KEY,
    ORIGIN,
    ROTATIONS,
    SIZES,
    TAMPERING,
    Damage,
    entry,
    lines,
    make_files,
    rotated,
    sign,
    write_files,
)


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """A folder with 300 entries, three checkpoints, and tiles."""
    folder = tmp_path / "export"
    write_files(folder, make_files([entry(number) for number in range(300)], SIZES))
    return folder


def verdict(folder: Path, known: list[Checkpoint] | None = None) -> tuple[str, dict[str, object]]:
    try:
        with Export.open(folder) as opened:
            return "log.verified", verify_export(opened, opened.endorsed_keys([KEY]), known or [])
    except Invalid as error:
        return error.code, error.values


def test_a_clean_export_is_verified(export: Path) -> None:
    signer = f"{ORIGIN} ({KEY.id.hex()})"
    values = {"count": 300, "at": "2026-11-01T00:00:59Z", "checkpoints": 3, "keys": signer}
    assert verdict(export) == ("log.verified", values)

    shutil.make_archive(str(export), "zip", export)
    assert verdict(export.with_suffix(".zip")) == ("log.verified", values)


def test_after_a_rotation_the_verdict_says_which_key_signed_what(export: Path) -> None:
    write_files(export, rotated())

    by = f"{ORIGIN} ({KEY.id.hex()}) at 100 entries, {ORIGIN} ({NEXT_KEY.id.hex()}) from 257 to 300 entries"
    assert verdict(export)[1]["keys"] == by


@pytest.mark.parametrize(("damage", "code", "values"), [*TAMPERING, *ROTATIONS])
def test_tampering_is_named(export: Path, damage: Damage, code: str, values: dict[str, object] | None) -> None:
    damage(export)

    assert verdict(export)[0] == code
    if values is not None:
        assert verdict(export)[1] == values


def test_a_checkpoint_of_another_key_or_log_is_not_trusted(export: Path) -> None:
    other = Ed25519PrivateKey.from_private_bytes(b"o" * 32)
    (*_, last) = verify_log.split_notes((export / "checkpoints.txt").read_text())
    root = Checkpoint.parse(last).root

    (export / "checkpoints.txt").write_text(sign(300, root, other) + "\n")
    assert verdict(export) == (
        "checkpoint.unsigned", {"size": 300, "keys": f"{ORIGIN} (cbe1f645)"},
    )  # fmt: skip
    (export / "checkpoints.txt").write_text(last.replace(ORIGIN, "other.example/log", 1) + "\n")
    assert verdict(export) == ("checkpoint.forged", {"size": 300})


def test_entries_without_tiles_are_verified_to_the_checkpoint_before(export: Path) -> None:
    for tile in ("tile/0/000", "tile/0/001.p/44"):
        (export / tile).unlink()
    lines(lambda e: e.__setitem__(120, b"{}\n"))(export)

    assert verdict(export) == ("entries.differ", {"index": 100, "last": 256})


def test_a_kept_checkpoint_shows_a_log_that_was_cut_off_or_rewritten(export: Path, tmp_path: Path) -> None:
    kept = [Checkpoint.parse(note) for note in verify_log.split_notes((export / "checkpoints.txt").read_text())]
    shorter, other = tmp_path / "shorter", tmp_path / "other"
    write_files(shorter, make_files([entry(number) for number in range(257)], SIZES))
    entries = [entry(number) for number in (*range(250), *range(1000, 1050))]
    write_files(other, make_files(entries, SIZES))

    assert verdict(shorter) == verdict(shorter, kept[:2])
    assert verdict(shorter, kept) == ("entries.cut_off", {"index": 257, "size": 300})
    assert verdict(other)[0] == "log.verified"  # signed with the same key, so only another checkpoint reveals the fork
    assert verdict(other, kept[:1])[0] == "log.verified"
    assert verdict(other, kept[1:2]) == ("checkpoint.forked", {"size": 257})


def test_a_checkpoint_that_appears_while_a_pass_is_interrupted_is_compared(
    export: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody with the key adds a forged checkpoint over entries that were already verified."""
    monkeypatch.setattr(verify_log, "SAVED_EACH", 60)
    states: list[dict[str, Any]] = []
    with Export.open(export) as log:
        verify_export(log, [KEY], save=states.append)
    assert [state["size"] for state in states] == [60, 120, 180, 240, 300]
    genuine = (export / "checkpoints.txt").read_bytes()
    (export / "checkpoints.txt").write_bytes(sign(50, b"r" * HASH).encode() + b"\n" + genuine)

    for state in states:
        with Export.open(export) as log, pytest.raises(Invalid) as caught:
            verify_export(log, [KEY], state=state)
        assert (caught.value.code, caught.value.values) == ("entries.differ", {"index": 0, "last": 49})


def test_the_file_runs_alone(export: Path, tmp_path: Path) -> None:
    alone = shutil.copy(verify_log.__file__, tmp_path / "elsewhere.py")
    command = [sys.executable, "-I", str(alone), str(export), "--key", str(KEY)]

    good = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
    lines(lambda e: e.__delitem__(5))(export)
    bad = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)

    assert (good.returncode, good.stderr) == (0, "")
    assert good.stdout.startswith(f"{export}: Verified: 300 entries, up to 1 November 2026, 00:00:59 UTC.")
    assert (bad.returncode, bad.stdout) == (1, "")
    assert bad.stderr == f"{export}: NOT VALID: An entry was removed before entry 7 (place 5 of the tree).\n"


@pytest.mark.parametrize("text", ["", "a+b+c", f"{KEY}x", str(KEY).replace("+", "-", 1), f"x{KEY}"])
def test_a_key_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(Invalid) as error:
        Key.parse(text)
    assert error.value.code == "key.malformed"


def test_a_zip_that_is_damaged_is_no_traceback(export: Path) -> None:
    path = Path(shutil.make_archive(str(export), "zip", export))
    data = bytearray(path.read_bytes())
    with zipfile.ZipFile(path) as package:
        place = package.getinfo("entries.jsonl").header_offset + 60
    data[place] ^= 0xFF
    path.write_bytes(data)

    assert verdict(path)[0] in ("export.malformed", "entry.changed", "entries.cut_off")
