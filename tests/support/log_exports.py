"""Exports of a log, made without Spacekeep: entries, checkpoints signed by a key of the tests, tiles."""

import base64
import json
from collections.abc import Collection, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from archive.transparency.verify_log import TILE, Frontier, Key, leaf_hash, tile_path

ORIGIN = "archive.example.org/log"
PRIVATE = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
KEY = Key(ORIGIN, PRIVATE.public_key().public_bytes_raw())


def entry(number: int) -> bytes:
    return json.dumps({"at": f"2026-11-01T00:00:{number % 60:02}Z", "id": number + 1}, separators=(",", ":")).encode()


def sign(size: int, root: bytes, private: Ed25519PrivateKey = PRIVATE, origin: str = ORIGIN) -> str:
    text = f"{origin}\n{size}\n{base64.b64encode(root).decode()}\n"
    key = Key(origin, private.public_key().public_bytes_raw())
    return f"{text}\n\u2014 {origin} {base64.b64encode(key.id + private.sign(text.encode())).decode()}\n"


def make_files(
    entries: Sequence[bytes], sizes: Collection[int], private: Ed25519PrivateKey = PRIVATE
) -> dict[str, bytes]:
    """{path: content} of an export with a checkpoint at each of `sizes`."""
    tree, tiles, notes = Frontier(), dict[int, list[bytes]](), []
    for data in entries:
        for level, known in tree.append(leaf_hash(data)):
            tiles.setdefault(level, []).append(known)
        if tree.size in sizes:
            notes.append(sign(tree.size, tree.root(), private))
    files = {
        "entries.jsonl": b"".join(data + b"\n" for data in entries),
        "checkpoints.txt": "".join(f"{note}\n" for note in notes).encode(),
    }
    for level, hashes in tiles.items():
        for number, start in enumerate(range(0, len(hashes), TILE)):
            tile = hashes[start : start + TILE]
            files[tile_path(level, number, len(tile))] = b"".join(tile)
    return files


def write_files(folder: Path, files: dict[str, bytes]) -> None:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
