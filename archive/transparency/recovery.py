"""Recover the entries that a restored database lacks, byte for byte, from the copy of the log in the store.

Only the signed root is trusted: the entries are read once, hashed and compared with it before anything is written, and
compared again as they are written. They get their original numbers, times and indices, so the log continues as if
nothing had been lost.

The owner of the tables does it (archive/database_roles.py): triggers set the time of each entry and refuse changes, and
only the owner may disable them. Each batch is a transaction; after a crash the recovery continues with the next one.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import islice
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.db.backends.utils import CursorWrapper
from django.db.models.functions import Now

from archive.errors import Conflict, ObjectMissing, Refused
from archive.log.leaf import COLUMNS, leaf_data_of_row
from archive.models import DatabaseRestore, LogCheckpoint, LogCosignature, LogSequencer
from archive.restores import is_known
from archive.storage import keys, store
from archive.transparency import second_bucket, sequence
from archive.transparency.database_log import DatabaseLog
from archive.transparency.keys import public_keys
from archive.transparency.tile_store import stored_tree
from archive.transparency.tiles import Tree, tile_width
from archive.transparency.verify_log import TILE, Checkpoint, leaf_hash, tile_path

BATCH = 2000  # entries in one transaction

READ = f"SELECT {COLUMNS} FROM archive_logentry WHERE id = ANY(%s)"  # noqa: S608
INSERT = f"COPY archive_logentry ({COLUMNS}) FROM STDIN"
# New entries get numbers above the lost ones. A sequence is not rolled back, which is harmless.
NEXT_NUMBER = """
SELECT setval(pg_get_serial_sequence('archive_logentry', 'id'),
    greatest(%s, (SELECT max(id) FROM archive_logentry), nextval(pg_get_serial_sequence('archive_logentry', 'id'))))
"""
RENUMBER = """
UPDATE archive_logentry SET id = nextval(pg_get_serial_sequence('archive_logentry', 'id')) WHERE id = %s RETURNING id
"""
TAKE_BACK = """
WITH taken AS (DELETE FROM archive_logleaf WHERE index >= %s RETURNING entry_id)
INSERT INTO archive_logqueue SELECT entry_id FROM taken
"""


@dataclass(frozen=True)
class LostEntry:
    """An entry in the copy. `actor`: the account that caused it."""

    id: int
    at: datetime
    event: str
    space: UUID | None
    actor: int | None
    detail: dict[str, Any]

    @classmethod
    def of(cls, line: bytes) -> "LostEntry":
        facts = json.loads(line)
        at, space = datetime.fromisoformat(facts["at"]), facts["space"] and UUID(facts["space"])
        return cls(facts["id"], at, facts["event"], space, facts["actor"]["id"], facts["detail"])


class CopiedLog:
    """The log in the store, up to the checkpoint `head`."""

    def __init__(self, head: Checkpoint) -> None:
        self.head = head
        self.read_tile = cache(self._read_tile)

    def root(self, size: int) -> bytes:
        """Return the root of the first `size` entries. Raises ObjectMissing, ValueError without their tiles."""
        return Tree(size, self.read_tile).root()

    def is_complete(self) -> bool:
        """Return whether the store has all hashes that the checkpoint covers."""
        try:
            return self.root(self.head.size) == self.head.root
        except (ObjectMissing, ValueError):
            return False

    def entries(self, start: int) -> Iterator[bytes]:
        """Yield the entries from index `start` on, as canonical JSON. They are not verified yet."""
        for number in range(start // TILE, -(-self.head.size // TILE)):
            bundle = store().get(keys.log_object(tile_path("entries", number, self._width(0, number))))
            yield from islice(_split(bundle), max(0, start - number * TILE), None)

    def verify(self, common: int) -> int:
        """Require that the entries from index `common` on are those that the checkpoint covers, and the ones before
        those of the database. Returns the largest number of an entry. Raises Refused."""
        tree, largest = stored_tree(common).frontier(), 0
        for line in self.entries(common):
            tree.extend([leaf_hash(line)])
            largest = max(largest, json.loads(line)["id"])
        if (tree.size, tree.root()) != (self.head.size, self.head.root):
            raise Refused("restore.copy_differs", count=self.head.size)
        return largest

    def _width(self, level: int, number: int) -> int:
        return tile_width(self.head.size, level, number)

    def _read_tile(self, level: int, number: int) -> bytes:
        return store().get(keys.log_object(tile_path(level, number, self._width(level, number))))


@dataclass(frozen=True)
class Comparison:
    """The result of comparing the database with the copy. `size`: entries with an index in the database; `common`: how
    many of the first ones are the same in the copy."""

    copy: CopiedLog
    size: int
    common: int

    @property
    def lost(self) -> int:
        """How many entries the database lacks, or has at another index."""
        return self.copy.head.size - self.common


def compare() -> Comparison | None:
    """Compare the log with the newest copy whose tiles are all in the store; None if there is no checkpoint. Raises
    Refused, StorageError, Invalid."""
    if (copy := _newest_copy()) is None:
        return None
    row = LogSequencer.objects.filter(pk=1).first()
    size = row.size if row else 0
    return Comparison(copy, size, _common_size(copy, size))


def _newest_copy() -> CopiedLog | None:
    heads = []
    try:
        heads.append(Checkpoint.parse(store().get(keys.log_object("checkpoint")).decode()))
        heads[0].require_signature(public_keys())
    except ObjectMissing:
        pass
    if second_bucket.is_configured():
        heads += second_bucket.newest_checkpoints(heads[0].size if heads else 0)
    copies = [CopiedLog(head) for head in sorted(heads, key=lambda head: head.size, reverse=True)]
    complete = next((copy for copy in copies if copy.is_complete()), None)
    if copies and complete is None:
        raise Refused("restore.copy_incomplete", count=copies[0].head.size)
    return complete


def _common_size(copy: CopiedLog, size: int) -> int:
    """Return how many of the first entries are the same in both. By bisection, since a root covers all before it."""
    low, high = 0, min(size, copy.head.size)
    if stored_tree(high).root() == copy.root(high):
        return high
    while high - low > 1:
        middle = (low + high) // 2
        if stored_tree(middle).root() == copy.root(middle):
            low = middle
        else:
            high = middle
    return low


def lost_entries(copy: CopiedLog, common: int) -> Iterator[LostEntry]:
    """Return the copy's entries from index `common` on, after verifying them. Raises Refused."""
    copy.verify(common)
    return map(LostEntry.of, copy.entries(common))


def present_entries(copy: CopiedLog, common: int) -> Iterator[int]:
    """Yield the numbers of those that the database has, byte for byte: it was backed up before they got their places in
    the tree. Call before `recover`."""
    lines = copy.entries(common)
    while batch := {json.loads(line)["id"]: line for line in islice(lines, BATCH)}:
        with connection.cursor() as cursor:
            present = _read(cursor, list(batch))
        yield from (pk for pk, line in present.items() if batch[pk] == line)


def recovered_entries(common: int) -> Iterator[LostEntry]:
    """Return the same entries from the database once they are there, where nobody can change them."""
    return (LostEntry.of(line) for line in DatabaseLog().lines(common))


def recover(found: Comparison, restore: DatabaseRestore) -> int:
    """Add the entries that the database lacks, and note in `restore` those that it had. Connect as the owner. Returns
    how many. Raises Refused, StorageError; committed batches stay, and the next call continues there."""
    copy, common = found.copy, found.common
    signed = LogCheckpoint.objects.filter(size__gt=common).order_by("-size").first()
    if signed and found.lost:
        raise Refused("restore.forked", count=signed.size, common=common)
    largest = copy.verify(common)
    if found.lost:
        with connection.cursor() as cursor:
            cursor.execute(NEXT_NUMBER, [largest])
        if found.size > common:
            _take_back(common)
        lines, size = copy.entries(common), common
        while batch := list(islice(lines, BATCH)):
            _add(size, batch, restore)
            size += len(batch)
    if stored_tree(copy.head.size).root() != copy.head.root:
        raise Refused("restore.copy_differs", count=copy.head.size)  # it changed after it was verified
    _add_checkpoint(copy)
    return found.lost


def _take_back(common: int) -> None:
    """Remove the indices from `common` on, which no checkpoint covers, and queue their entries for new ones."""
    with transaction.atomic(), connection.cursor() as cursor:
        row = LogSequencer.objects.select_for_update().get(pk=1)
        tree = stored_tree(common).frontier()
        with _without_triggers(cursor, "archive_logleaf", "archive_lognode"):
            cursor.execute(TAKE_BACK, [common])
            cursor.execute("DELETE FROM archive_lognode WHERE index >= %s >> (8 * level)", [common])
        changes = {"size": common, "frontier": b"".join(tree.hashes), "tiled": min(row.tiled, common)}
        LogSequencer.objects.filter(pk=1).update(**changes)


def _add(size: int, lines: Sequence[bytes], restore: DatabaseRestore) -> None:
    """Add these entries after the first `size`."""
    entries = {json.loads(line)["id"]: line for line in lines}
    with transaction.atomic(), connection.cursor() as cursor:
        LogSequencer.objects.get_or_create(pk=1)
        row = LogSequencer.objects.select_for_update().get(pk=1)
        if row.size != size:
            raise Conflict("restore.log_changed")
        with _without_triggers(cursor, "archive_logentry"):
            present = _make_room(cursor, entries)
            _insert(cursor, [line for pk, line in entries.items() if pk not in present])
        restore.unnumbered += present
        restore.save(update_fields=["unnumbered"])
        cursor.execute("DELETE FROM archive_logqueue WHERE entry_id = ANY(%s)", [list(entries)])
        stored = _read(cursor, list(entries))
        if wrong := [pk for pk, line in entries.items() if stored.get(pk) != line]:
            raise Refused("restore.entry_differs", entry=wrong[0])
        sequence.append(cursor, row, [(pk, leaf_hash(line)) for pk, line in entries.items()])


def _make_room(cursor: CursorWrapper, entries: dict[int, bytes]) -> set[int]:
    """Renumber entries of the database whose number belongs to another entry in the copy: they were written since the
    restore, and have no index. Returns the numbers of entries that are the same in both."""
    present = _read(cursor, list(entries))
    for pk in [pk for pk, data in present.items() if data != entries[pk]]:
        cursor.execute(RENUMBER, [pk])
        (new,) = cursor.fetchone()
        cursor.execute("DELETE FROM archive_logqueue WHERE entry_id = %s", [pk])
        cursor.execute("INSERT INTO archive_logqueue VALUES (%s)", [new])
        del present[pk]
    return set(present)


def _read(cursor: CursorWrapper, ids: list[int]) -> dict[int, bytes]:
    cursor.execute(READ, [ids])
    return {row[0]: leaf_data_of_row(row) for row in cursor.fetchall()}


def _insert(cursor: CursorWrapper, lines: Sequence[bytes]) -> None:
    with cursor.copy(INSERT) as copy:
        for line in lines:
            entry = json.loads(line)
            actor, detail = entry["actor"], json.dumps(entry["detail"])
            facts = (entry["id"], entry["at"], entry["event"], entry["premis"], entry["space"])
            copy.write_row((*facts, actor["kind"], actor["id"], detail))


@contextmanager
def _without_triggers(cursor: CursorWrapper, *tables: str) -> Iterator[None]:
    """Disable triggers in the open transaction. Until its end, its locks keep others from writing to these tables."""
    for table in tables:
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
    yield
    for table in tables:
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def _add_checkpoint(copy: CopiedLog) -> None:
    """Add the checkpoint with its cosignatures to the database. Its time is unknown, so use that of its last entry: it
    was signed at most LOG_CHECKPOINT_SECONDS later."""
    head = copy.head
    if is_known(head.text) or LogCheckpoint.objects.filter(size__gt=head.size).exists():
        return  # the newest checkpoint is the last row
    own = {(key.name, key.id) for key in public_keys()}
    lines = head.note.rpartition("\n\n")[2].splitlines(keepends=True)
    signed = [(name, (name, data[:4]) in own, line) for (name, data), line in zip(head.signatures, lines, strict=True)]
    with transaction.atomic():
        note = f"{head.text}\n{''.join(line for _, is_own, line in signed if is_own)}"
        last = [LostEntry.of(line).at for line in copy.entries(max(0, head.size - 1))]
        row = LogCheckpoint.objects.create(size=head.size, note=note, signed_at=last[0] if last else Now())
        LogCosignature.objects.bulk_create(
            LogCosignature(checkpoint=row, witness=name, line=line) for name, is_own, line in signed if not is_own
        )
        LogSequencer.objects.filter(pk=1).update(tiled=head.size)


def _split(bundle: bytes) -> Iterator[bytes]:
    """Yield the entries of a bundle: each has its length before it (2 bytes, big-endian)."""
    place = 0
    while place < len(bundle):
        end = place + 2 + int.from_bytes(bundle[place : place + 2], "big")
        yield bundle[place + 2 : end]
        place = end
