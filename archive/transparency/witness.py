"""python witness.py --key FILE --log VKEY --state FOLDER [--name NAME] [--listen 127.0.0.1:8100]

A witness of transparency logs (c2sp.org/tlog-witness), to be run by somebody else than the archive. It remembers the
last checkpoint of each log and cosigns the next one only if that extends it. So an archive can't show two histories,
and a restored older database is detected. It needs this file, verify_log.py beside it, Python 3.11 and `cryptography`:
no database, and nothing of the archive.

FILE has the seed of an Ed25519 key, 32 bytes in base64; it is created if it is missing. VKEY is the public key of a
log; give --log several times for several logs. FOLDER keeps one checkpoint for each log. The witness prints its own
public key, which the archive's operator puts into LOG_WITNESSES, and which auditors need.
"""

import argparse
import base64
import hashlib
import os
import secrets
import sys
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

try:
    from archive.transparency.verify_log import (
        COSIGNATURE,
        EMPTY_ROOT,
        HASH,
        Checkpoint,
        Invalid,
        Key,
        proves_consistency,
    )
except ImportError:  # beside verify_log.py, on a machine without Spacekeep
    from verify_log import (  # type: ignore[import-not-found,no-redef]
        COSIGNATURE,
        EMPTY_ROOT,
        HASH,
        Checkpoint,
        Invalid,
        Key,
        proves_consistency,
    )

MAX_BODY = 64 * 1024  # bytes
MAX_PROOF = 63  # hashes
PATIENCE = 20  # seconds that a client may take for its request


@dataclass
class Answer:
    """A response: status, body, and its content type."""

    status: int
    body: str = ""
    content_type: str = "text/plain; charset=utf-8"


@dataclass
class Witness:
    """The last checkpoint of each log, in one file each, and the key that cosigns."""

    name: str
    private: Ed25519PrivateKey
    logs: Sequence[Key]
    folder: Path
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def key(self) -> Key:
        return Key(self.name, self.private.public_key().public_bytes_raw(), COSIGNATURE)

    def add_checkpoint(self, body: str) -> Answer:
        """Cosign the checkpoint in this request if it extends the last one. The statuses follow the protocol."""
        try:
            old, proof, checkpoint = parse_request(body)
        except (ValueError, Invalid):
            return Answer(400, "This is not an add-checkpoint request.\n")
        keys = [key for key in self.logs if key.name == checkpoint.origin]
        if not keys:
            return Answer(404, "This witness does not know the log.\n")
        try:
            checkpoint.require_signature(keys)
        except Invalid as error:
            return Answer(403, f"{error}\n")
        if old > checkpoint.size:
            return Answer(400, "The old size is larger than the checkpoint.\n")
        with self._lock:
            return self._cosign(old, proof, checkpoint)

    def latest(self, origin_hash: str) -> Answer:
        """Return the last cosigned checkpoint of a log."""
        for key in self.logs:
            path = self._path(key.name)
            if path.name == f"{origin_hash}.checkpoint" and path.exists():
                return Answer(200, path.read_text())
        return Answer(404, "No checkpoint of this log was cosigned yet.\n")

    def _cosign(self, old: int, proof: Sequence[bytes], checkpoint: Checkpoint) -> Answer:
        path = self._path(checkpoint.origin)
        last = Checkpoint.parse(path.read_text()) if path.exists() else None
        size, root = (last.size, last.root) if last else (0, EMPTY_ROOT)
        if old != size:
            return Answer(409, f"{size}\n", "text/x.tlog.size")
        if not proves_consistency(size, root, checkpoint.size, checkpoint.root, proof):
            return Answer(422, "The checkpoint does not extend the one of this size that was cosigned.\n")
        line = self._signature(checkpoint)
        write_durably(path, f"{checkpoint.note}{line}")
        return Answer(200, line)

    def _signature(self, checkpoint: Checkpoint) -> str:
        moment = int(time.time())
        message = f"cosignature/v1\ntime {moment}\n{checkpoint.text}".encode()
        signature = self.key.id + moment.to_bytes(8, "big") + self.private.sign(message)
        return f"\u2014 {self.name} {base64.b64encode(signature).decode()}\n"

    def _path(self, origin: str) -> Path:
        return self.folder / f"{hashlib.sha256(origin.encode()).hexdigest()}.checkpoint"


def parse_request(body: str) -> tuple[int, list[bytes], Checkpoint]:
    """Parse an add-checkpoint request into (old size, proof, checkpoint). Raises ValueError or Invalid."""
    head, blank, note = body.partition("\n\n")
    first, *lines = head.split("\n")
    word, number = first.split(" ")
    proof = [base64.b64decode(line, validate=True) for line in lines]
    if not blank or word != "old" or str(int(number)) != number or len(proof) > MAX_PROOF:
        raise ValueError(first)
    if any(len(sibling) != HASH for sibling in proof):
        raise ValueError("not a hash")
    return int(number), proof, Checkpoint.parse(note)


def write_durably(path: Path, text: str) -> None:
    """Replace the file atomically. After a crash it has the old or the new text, and an answered one is on the disk."""
    part = path.with_suffix(".part")
    with part.open("w") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    part.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def make_server(witness: Witness, address: tuple[str, int]) -> ThreadingHTTPServer:
    class Handler(BaseHTTPRequestHandler):
        timeout = PATIENCE

        def do_POST(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            if self.path != "/add-checkpoint":
                self._answer(Answer(404))
            elif not 0 < length <= MAX_BODY:
                self._answer(Answer(413))
            else:
                body = self.rfile.read(length).decode(errors="replace")
                self._answer(witness.add_checkpoint(body))

        def do_GET(self) -> None:
            origin_hash, _, name = self.path.strip("/").partition("/")
            self._answer(witness.latest(origin_hash) if name == "checkpoint" else Answer(404))

        def _answer(self, answer: Answer) -> None:
            data = answer.body.encode()
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.content_type)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *args: object) -> None:
            sys.stderr.write(f"{format % args}\n")

    return ThreadingHTTPServer(address, Handler)


def read_key(path: Path) -> Ed25519PrivateKey:
    """Return the key in the file; create it if there is no file."""
    if not path.exists():
        path.touch(mode=0o600)
        path.write_text(base64.b64encode(secrets.token_bytes(32)).decode() + "\n")
    return Ed25519PrivateKey.from_private_bytes(base64.b64decode(path.read_text()))


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(description="A witness of transparency logs.")
    parser.add_argument("--key", type=Path, required=True, metavar="FILE")
    parser.add_argument("--log", action="append", required=True, metavar="VKEY")
    parser.add_argument("--state", type=Path, required=True, metavar="FOLDER")
    parser.add_argument("--name", default="witness", help="of the witness: by custom an address without its scheme")
    parser.add_argument("--listen", default="127.0.0.1:8100", metavar="HOST:PORT")
    options = parser.parse_args(arguments)
    try:
        logs = [Key.parse(text) for text in options.log]
        options.state.mkdir(parents=True, exist_ok=True)
        witness = Witness(options.name, read_key(options.key), logs, options.state)
    except (Invalid, OSError, ValueError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    host, _, port = options.listen.rpartition(":")
    server = make_server(witness, (host, int(port)))
    sys.stdout.write(f"{witness.key}\n")
    sys.stdout.flush()
    server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
