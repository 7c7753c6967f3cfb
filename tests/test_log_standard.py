"""Our log follows the standards: a third-party library (tlog-scales) reads its tiles, and computes the same roots and
proofs.

tlog-scales implements c2sp.org/tlog-tiles, tlog-checkpoint and tlog-cosignature, and the proofs of RFC 9162. `make
third-party` does the same with the library with which Go verifies its modules.
"""

from collections.abc import Sequence
from pathlib import Path

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.db import transaction
from hypothesis import given
from hypothesis import settings as run
from hypothesis import strategies as st
from pytest_django import Settings
from tlog_scales import tlog
from tlog_scales.reader import TilesReader
from tlog_scales.signing import Vkey
from tlog_scales.tiles import leaf_hash as their_leaf_hash

from archive import log
from archive.errors import ObjectMissing
from archive.log import SYSTEM, events
from archive.log.leaf import leaf_data
from archive.models import LogEntry, LogLeaf
from archive.storage import keys, store
from archive.storage.purge_prefix import purge_listing
from archive.transparency import sequence
from archive.transparency.keys import public_keys
from archive.transparency.receipts import make_receipt
from archive.transparency.tile_store import stored_tree
from archive.transparency.tiles import Tree
from archive.transparency.verify_log import (
    HASH,
    Receipt,
    leaf_hash,
    proves_consistency,
    proves_inclusion,
    tile_path,
)
from archive.transparency.witness import Witness
from tests.support.log_exports import KEY, make_files

LARGEST = 66_000
ENTRIES = [str(number).encode() for number in range(LARGEST)]
FILES: dict[int, dict[str, bytes]] = {}  # of a tree of this size

sizes = st.one_of(st.integers(1, 300), st.sampled_from([511, 512, 513, LARGEST]))


class Files:
    """Gives their reader the tiles of an export."""

    def __init__(self, files: dict[str, bytes]) -> None:
        self.files = files

    def get(self, *path: str) -> bytes | None:
        return self.files.get("/".join(path))


class Published:
    """Gives their reader the tiles in our bucket."""

    def get(self, *path: str) -> bytes | None:
        try:
            return store().get(keys.log_object("/".join(path)))
        except ObjectMissing:
            return None


def files_of(size: int) -> dict[str, bytes]:
    if size not in FILES:
        FILES[size] = make_files(ENTRIES[:size], [size])
    return FILES[size]


def their_reader(size: int) -> TilesReader:
    reader = TilesReader(Files(files_of(size)))
    reader.set_size(size)
    return reader


def our_tree(size: int) -> Tree:
    files = files_of(size)

    def read_tile(level: int, number: int) -> bytes:
        width = min(256, (size >> 8 * level) - number * 256)
        return files[tile_path(level, number, width)]

    return Tree(size, read_tile)


def they_accept_inclusion(index: int, size: int, path: Sequence[bytes], leaf: bytes, root: bytes) -> bool:
    try:
        tlog.InclusionProof(index, size, list(path)).check(leaf, root)
    except tlog.InclusionProofInvalid:
        return False
    return True


def they_accept_consistency(old: int, size: int, path: Sequence[bytes], old_root: bytes, root: bytes) -> bool:
    try:
        tlog.ConsistencyProof(old, size, list(path)).check(old_root, root)
    except tlog.ConsistencyProofInvalid:
        return False
    return True


def flip(data: bytes) -> bytes:
    return bytes([data[0] ^ 1]) + data[1:]


@run(deadline=None)  # the largest tree is built once
@given(sizes, st.data())
def test_roots_and_proofs_of_inclusion_are_the_same(size: int, data: st.DataObject) -> None:
    theirs, ours = their_reader(size), our_tree(size)
    index = data.draw(st.integers(0, size - 1))
    root, path, leaf = ours.root(), ours.inclusion_path(index), leaf_hash(ENTRIES[index])

    assert theirs.calculate_root_hash() == root
    assert theirs.get_inclusion_proof(index, size).node_hashes == path
    assert their_leaf_hash(ENTRIES[index]) == leaf
    assert they_accept_inclusion(index, size, path, leaf, root)
    other = data.draw(st.sampled_from(["leaf", "root", *range(len(path))]))
    if isinstance(other, int):
        path[other] = flip(path[other])
    leaf, root = flip(leaf) if other == "leaf" else leaf, flip(root) if other == "root" else root
    assert not they_accept_inclusion(index, size, path, leaf, root)
    assert not proves_inclusion(leaf, index, size, path, root)


@run(deadline=None)  # the largest tree is built once
@given(sizes, st.data())
def test_proofs_of_consistency_are_the_same(size: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, size))
    theirs, ours = their_reader(size), our_tree(size)
    old_root, root, path = theirs.mth(0, old), ours.root(), ours.consistency_path(old)

    assert theirs.get_consistency_proof(old, size).node_hashes == path
    assert they_accept_consistency(old, size, path, old_root, root)
    assert proves_consistency(old, old_root, size, root, path)
    assert not they_accept_consistency(old, size, path, flip(old_root), root)
    assert not proves_consistency(old, flip(old_root), size, root, path)


@pytest.fixture
def no_log_objects(committed: None, bucket: None) -> None:
    purge_listing(store(), store().listing(keys.LOG))


def write(count: int) -> None:
    with transaction.atomic():
        log.record_all(events.DIGEST_EMPTY, [(None, {"number": i}) for i in range(count)], actor=SYSTEM)
    sequence.run()


@pytest.mark.usefixtures("no_log_objects")
def test_what_we_publish_is_read_and_verified_by_others(settings: Settings) -> None:
    settings.LOG_CHECKPOINT_SECONDS = 0
    key = Vkey.from_string(str(public_keys()[0]))
    write(200)
    before = TilesReader(Published()).get_checkpoint()
    write(400)

    reader = TilesReader(Published())
    checkpoint = reader.get_checkpoint()

    checkpoint.verify(key)
    assert (before.size, checkpoint.size, checkpoint.origin) == (200, 600, "127.0.0.1:8000/log")
    assert reader.calculate_root_hash() == checkpoint.root_hash
    reader.get_consistency_proof(200, 600).check(before.root_hash, checkpoint.root_hash)
    assert they_accept_consistency(
        200, 600, stored_tree(600).consistency_path(200), before.root_hash, checkpoint.root_hash
    )
    places = dict(LogLeaf.objects.values_list("entry_id", "index"))
    for entry in LogEntry.objects.filter(pk__in=list(places)[::97]):
        assert reader.get_entry(places[entry.pk]) == leaf_data(entry)
        receipt = make_receipt(entry)
        assert receipt is not None
        assert_they_accept_receipt(str(receipt), key)
    with pytest.raises(InvalidSignature):
        tlog.Checkpoint(checkpoint.origin, 601, checkpoint.root_hash, checkpoint.signatures).verify(key)


def assert_they_accept_receipt(text: str, key: Vkey) -> None:
    receipt = Receipt.parse(text)
    checkpoint = tlog.Checkpoint.from_text(text.split("\n\n", 1)[1])
    checkpoint.verify(key)
    leaf = their_leaf_hash(receipt.leaf)
    tlog.InclusionProof(receipt.index, checkpoint.size, list(receipt.path)).check(leaf, checkpoint.root_hash)


def test_cosignatures_of_our_witness_are_verified_by_others(tmp_path: Path) -> None:
    note = make_files(ENTRIES[:3], [3])["checkpoints.txt"].decode().removesuffix("\n")
    witness = Witness("witness.example", Ed25519PrivateKey.from_private_bytes(b"w" * HASH), [KEY], tmp_path)

    answer = witness.add_checkpoint(f"old 0\n\n{note}")

    assert answer.status == 200
    cosigned = tlog.Checkpoint.from_text(note + answer.body)
    cosigned.verify(Vkey.from_string(str(witness.key)))
