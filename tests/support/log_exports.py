"""Make exports of a log without Spacekeep: entries, tiles, and checkpoints signed by a key of the tests."""

import base64
import json
from collections.abc import Callable, Collection, Sequence
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from archive.transparency.verify_log import HASH, TILE, Frontier, Key, leaf_hash, tile_path

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
    """Return {path: content} of an export with a checkpoint at each of `sizes`."""
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


SIZES = (100, 257, 300)  # of the checkpoints of an export with 300 entries
Damage = Callable[[Path], object]  # a change to the folder of such an export


def lines(change: Callable[[list[bytes]], None]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        path = folder / "entries.jsonl"
        entries = path.read_bytes().splitlines(keepends=True)
        change(entries)
        path.write_bytes(b"".join(entries))

    return damage


def swap(a: int, b: int) -> Callable[[list[bytes]], None]:
    def change(entries: list[bytes]) -> None:
        entries[a], entries[b] = entries[b], entries[a]

    return change


def edit(path: str, change: Callable[[bytes], bytes]) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        (folder / path).write_bytes(change((folder / path).read_bytes()))

    return damage


NEXT = Ed25519PrivateKey.from_private_bytes(b"n" * 32)
NEXT_KEY = Key(ORIGIN, NEXT.public_key().public_bytes_raw())


def endorse(key: Key, by: Ed25519PrivateKey) -> str:
    """Return the line of keys.txt for a key that another key endorsed."""
    text = f"spacekeep\nnext key\n{key.name}\n{base64.b64encode(key.public).decode()}\n"
    return f"{key} from=2026-11-01T00:00:00Z endorsed={base64.b64encode(by.sign(text.encode())).decode()}\n"


def retirement(key: Key, number: int) -> bytes:
    """Return entry `number` + 1, which retires a key of the log."""
    detail = {"key": key.id.hex(), "kind": "log", "public": base64.b64encode(key.public).decode()}
    return json.dumps(
        {"at": "2026-11-01T00:00:00Z", "detail": detail, "event": "log.key_retired", "id": number + 1},
        separators=(",", ":"),
    ).encode()


def rotated(retired_at: int | None = None) -> dict[str, bytes]:
    """Make an export of 300 entries: the checkpoint of 100 is signed by KEY, those of 257 and 300 by NEXT_KEY.

    KEY endorsed NEXT_KEY. Entry `retired_at` retires NEXT_KEY.
    """
    entries = [entry(number) for number in range(300)]
    if retired_at is not None:
        entries[retired_at] = retirement(NEXT_KEY, retired_at)
    files, later = make_files(entries, SIZES), make_files(entries, SIZES[1:], NEXT)
    first = files["checkpoints.txt"].decode().split("\n\n")[:2]
    files["checkpoints.txt"] = ("\n\n".join(first) + "\n\n").encode() + later["checkpoints.txt"]
    files["keys.txt"] = f"{endorse(NEXT_KEY, PRIVATE)}{KEY} until=2026-11-01T00:00:00Z\n".encode()
    return files


def replace(files: Callable[[], dict[str, bytes]]) -> Damage:
    return lambda folder: write_files(folder, files())


BY_NEXT = f"{ORIGIN} ({NEXT_KEY.id.hex()})"
# Exports that were signed with several keys: the change, the verdict, and its values (None: any).
ROTATIONS: list[tuple[Damage, str, dict[str, object] | None]] = [
    (replace(rotated), "log.verified", None),
    (replace(lambda: rotated() | {"keys.txt": f"{NEXT_KEY}\n{KEY}\n".encode()}), "checkpoint.unsigned",
     {"size": 257, "keys": BY_NEXT}),
    (replace(lambda: rotated() | {"keys.txt": endorse(NEXT_KEY, NEXT).encode()}), "checkpoint.unsigned",
     {"size": 257, "keys": BY_NEXT}),
    (replace(lambda: rotated() | {"keys.txt": b"no key\n"}), "key.malformed", {"text": "no key"}),
    (replace(lambda: rotated() | {"keys.txt": b"\xff\n"}), "export.malformed", None),
    (replace(lambda: rotated(270)), "checkpoint.retired_key", {"size": 300, "keys": BY_NEXT, "entry": 271}),
    (replace(lambda: rotated(299)), "checkpoint.retired_key", {"size": 300, "keys": BY_NEXT, "entry": 300}),
]  # fmt: skip

FIRST_NOTE = sign(100, b"r" * 32).encode()

# (the change to the export, the verdict, its values (None: any))
TAMPERING: list[tuple[Damage, str, dict[str, object] | None]] = [
    (lines(lambda e: e.__setitem__(0, b"{}\n")), "entry.changed", {"entry": None, "index": 0}),
    (lines(lambda e: e.__setitem__(299, b"{}\n")), "entry.changed", {"entry": None, "index": 299}),
    (lines(lambda e: e.__setitem__(99, e[99].replace(b"Z", b"z"))), "entry.changed", {"entry": 100, "index": 99}),
    (lines(lambda e: e.__delitem__(0)), "entry.removed", {"entry": 2, "index": 0}),
    (lines(lambda e: e.__delitem__(256)), "entry.removed", {"entry": 258, "index": 256}),
    (lines(lambda e: e.__delitem__(slice(150, 160))), "entry.removed", {"entry": 161, "index": 150}),
    (lines(lambda e: e.insert(0, b"{}\n")), "entry.inserted", {"entry": None, "index": 0}),
    (lines(lambda e: e.insert(257, entry(999) + b"\n")), "entry.inserted", {"entry": 1000, "index": 257}),
    (lines(lambda e: e.insert(7, e[6])), "entry.inserted", {"entry": 7, "index": 7}),
    (lines(swap(10, 11)), "entry.swapped", {"entry": 12, "other_entry": 11, "index": 10, "other": 11}),
    (lines(swap(101, 250)), "entry.swapped", {"entry": 251, "other_entry": 102, "index": 101, "other": 250}),
    (
        lines(swap(3, 280)),
        "entry.swapped",
        {"entry": 281, "other_entry": 4, "index": 3, "other": 280},
    ),  # with checkpoints in between
    (lines(lambda e: e.__delitem__(slice(299, 300))), "entries.cut_off", {"index": 299, "size": 300}),
    (lines(lambda e: e.__delitem__(slice(20, 300))), "entries.cut_off", {"index": 20, "size": 100}),
    (edit("entries.jsonl", lambda data: data[:-1]), "entries.cut_off", {"index": 299, "size": 300}),
    (lines(lambda e: e.append(b"{}\n")), "entries.unproven", {"index": 300}),
    (lines(lambda e: e.append(b"\n")), "entries.unproven", {"index": 300}),
    (edit("tile/0/000", lambda data: data[:-1] + b"x"), "tile.changed", {"name": "tile/0/000"}),
    (edit("tile/0/001.p/44", lambda data: data + b"x"), "tile.changed", {"name": "tile/0/001.p/44"}),
    (edit("tile/1/000.p/1", lambda data: b"x" * HASH), "tile.changed", {"name": "tile/1/000.p/1"}),
    (lambda folder: (folder / "tile/0/000").unlink(), "tile.missing", {"name": "tile/0/000"}),
    (edit("checkpoints.txt", lambda data: b""), "checkpoint.none", {}),
    (edit("checkpoints.txt", lambda data: data[:-1]), "note.malformed", {"name": "checkpoints.txt"}),
    (
        edit("checkpoints.txt", lambda data: data.replace(b"\n100\n", b"\n101\n")),
        "checkpoint.forged",
        {"size": 101},
    ),
    (edit("checkpoints.txt", lambda data: FIRST_NOTE + b"\n" + data), "checkpoint.forked", {"size": 100}),
    (edit("checkpoints.txt", lambda data: data + data), "checkpoint.order", {"size": 100, "before": 300}),
    (lambda folder: (folder / "entries.jsonl").unlink(), "export.malformed", None),
]
