"""The measure of the offline verifier: an export as users download it, and the program that they run on it."""

import os
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

from archive.transparency import verify_log
from archive.transparency.verify_log import TILE, Frontier, leaf_hash, tile_path
from tests.bench import Figure, at_most
from tests.support.log_exports import KEY, sign

BETWEEN = 10_000  # entries between two checkpoints
LINE = (
    '{{"actor":{{"id":{actor},"kind":"user"}},"at":"2026-11-{day:02}T12:00:00.123456Z","detail":{{"certificate":"{digest}",'
    '"deadline":"2026-12-22T20:00:00Z"}},"event":"space.deleted","id":{number},"premis":"deletion","space":'
    '"5e0b6f8e-8b1b-4a63-9df0-{number:012}"}}'
)


def verification(entries: int) -> Iterator[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "log.zip"
        write_export(path, entries)
        seconds, peak = verify(path, entries)
        yield at_most("log_verify_time", round(seconds, 1), "s", 60 * entries / 1_000_000)
        yield at_most("log_verify_memory", round(peak, 1), "MiB", 200)


def write_export(path: Path, entries: int) -> None:
    tree, notes = Frontier(), []
    tiles: dict[int, list[bytes]] = {}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as package:
        with package.open("entries.jsonl", "w", force_zip64=True) as lines:
            for number in range(1, entries + 1):
                line = LINE.format(
                    actor=number % 97, day=number % 30 + 1, digest=f"{number:064x}", number=number
                ).encode()
                lines.write(line + b"\n")
                for level, known in tree.append(leaf_hash(line)):
                    tiles.setdefault(level, []).append(known)
                if number % BETWEEN == 0 or number == entries:
                    notes.append(sign(number, tree.root()))
        for level, hashes in tiles.items():
            for number in range(-(-len(hashes) // TILE)):
                tile = hashes[number * TILE : (number + 1) * TILE]
                package.writestr(tile_path(level, number, len(tile)), b"".join(tile))
        package.writestr("checkpoints.txt", "".join(f"{note}\n" for note in notes))


def verify(path: Path, entries: int) -> tuple[float, float]:
    """Return (seconds, peak MiB) of the process."""
    command = [sys.executable, "-I", str(verify_log.__file__), str(path), "--key", str(KEY)]
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout
    output = process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    process.stdout.close()
    assert process.returncode == 0, output
    assert f"Verified: {entries} entries" in output, output
    return time.monotonic() - start, usage.ru_maxrss / 1024
