"""Export the whole log as a package that anybody can verify: entries, tiles, checkpoints, keys, and the verifier."""

import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from archive.models import CheckpointTimestamp, LogCheckpoint
from archive.transparency import verify_log
from archive.transparency.database_log import DatabaseLog
from archive.transparency.keys import key_lines
from archive.transparency.tile_store import read_tile
from archive.transparency.tiles import tiles_between
from archive.transparency.timestamps import file_name
from archive.transparency.verify_log import HASH, tile_path

README = """This is the retention log of {origin}, up to its checkpoint of {size} entries.

entries.jsonl     one entry a line: its canonical JSON (RFC 8785), of which the tree has the hash
checkpoints.txt   signed heads of the tree (c2sp.org/tlog-checkpoint), oldest first
timestamps/       checkpoints, and what a time-stamp authority signed about them (RFC 3161), if there is one
tile/             hashes of the tree (c2sp.org/tlog-tiles)
keys.txt          public keys. Compare them with those that you got when you could still trust the archive
verify.html       checks all of this in a browser, without a network: open it from the disk
verify_log.py     the same, with Python 3.11 and the package cryptography:

    python verify_log.py THIS_FILE --key KEY

A time stamp is checked with the certificates of its authority, and OpenSSL:

    openssl ts -verify -data timestamps/NAME.txt -in timestamps/NAME.tsr -CAfile CERTIFICATES
"""
DESCRIPTOR = {
    "profile": "data-package",
    "name": "retention-log",
    "resources": [
        {"name": "entries", "path": "entries.jsonl", "format": "jsonl", "encoding": "utf-8"},
        {"name": "checkpoints", "path": "checkpoints.txt", "format": "txt", "encoding": "utf-8"},
        {"name": "keys", "path": "keys.txt", "format": "txt", "encoding": "utf-8"},
    ],
}


class _Pipe(io.RawIOBase):
    """A file without seek() for zipfile: buffers the written bytes until `take` returns them."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._waiting += data
        return len(data)

    def take(self) -> bytes:
        taken = bytes(self._waiting)
        self._waiting.clear()
        return taken


def stream_export() -> Iterator[bytes]:
    """Yield the package as a ZIP, up to the newest checkpoint, in constant memory. Raises verify_log.Invalid at once if
    there is no checkpoint."""
    log = DatabaseLog()
    notes = list(LogCheckpoint.objects.filter(size__lte=log.size).order_by("id").values_list("note", flat=True))
    if not notes:
        raise verify_log.Invalid("checkpoint.none")
    return _chunks(log, notes)


def _chunks(log: DatabaseLog, notes: Sequence[str]) -> Iterator[bytes]:
    pipe = _Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as package:
        with package.open("entries.jsonl", "w", force_zip64=True) as entries:
            for done, line in enumerate(log.lines(), 1):
                entries.write(line)
                if done % 1000 == 0:
                    yield pipe.take()
        for level, number, width in tiles_between(0, log.size):
            tile = log.tile(level, number, width) or read_tile(level, number)[: width * HASH]
            package.writestr(tile_path(level, number, width), tile)
            yield pipe.take()
        origin = verify_log.Checkpoint.parse(notes[-1]).origin
        for stamp in CheckpointTimestamp.objects.filter(checkpoint__size__lte=log.size).select_related("checkpoint"):
            package.writestr(f"{file_name(stamp.checkpoint)}.txt", stamp.checkpoint.note)
            package.writestr(f"{file_name(stamp.checkpoint)}.tsr", bytes(stamp.response))
        package.writestr("checkpoints.txt", "".join(f"{note}\n" for note in notes))
        package.writestr("keys.txt", key_lines())
        package.writestr("datapackage.json", json.dumps(DESCRIPTOR, indent=2))
        package.writestr("verify_log.py", verifier())
        package.writestr("verify.html", verifier_page())
        package.writestr("README.txt", README.format(origin=origin, size=log.size))
    yield pipe.take()


def verifier() -> bytes:
    """Return the program that checks an export or a receipt on any machine."""
    return Path(verify_log.__file__).read_bytes()


def verifier_page() -> bytes:
    """Return the page that does the same in a browser, from the disk and without a network."""
    words = json.dumps(verify_log.VERDICTS, indent=0).replace("<", "\\u003c")
    page = Path(verify_log.__file__).with_name("verify.html").read_text()
    return page.replace('type="application/json">{}<', f'type="application/json">{words}<').encode()
