"""Read the log from the database and the store, for the verification that auditors run on an export."""

from collections.abc import Callable, Generator, Sequence

from archive.errors import ObjectMissing
from archive.log.leaf import leaf_data
from archive.models import LogCheckpoint, LogEntry, LogLeaf
from archive.storage import keys, store
from archive.transparency.verify_log import Checkpoint, Key, tile_path

BATCH = 2000


def covered() -> int:
    """Return the number of entries that the newest checkpoint covers."""
    return LogCheckpoint.objects.order_by("-size").values_list("size", flat=True).first() or 0


class DatabaseLog:
    """The input of verify_log.verify_export. Entries and checkpoints are from the database, but hashes from the tiles
    in the store, which a change to the database does not affect."""

    def __init__(self, step: Callable[[], None] = lambda: None) -> None:
        """`step` is called regularly; it may raise to stop."""
        self.size = covered()
        self._store = store()
        self._step = step

    def lines(self, first: int = 0) -> Generator[bytes, None, None]:
        """Yield the entries from index `first` up to the newest checkpoint: canonical JSON and a newline."""
        for start in range(first, self.size, BATCH):
            self._step()
            places = LogLeaf.objects.filter(index__gte=start, index__lt=min(start + BATCH, self.size))
            ids = list(places.order_by("index").values_list("entry_id", flat=True))
            entries = LogEntry.objects.in_bulk(ids)
            yield from (leaf_data(entries[pk]) + b"\n" for pk in ids if pk in entries)

    def tile(self, level: int, number: int, width: int) -> bytes | None:
        """Return the hashes of a tile in the store; None if it is missing. Raises StoreDenied, StoreUnavailable."""
        try:
            return self._store.get(keys.log_object(tile_path(level, number, width)))
        except ObjectMissing:
            return None

    def checkpoints(self, trusted: Sequence[Key]) -> list[Checkpoint]:
        """Return all checkpoints, oldest first, with verified signatures. Raises Invalid."""
        notes = LogCheckpoint.objects.order_by("id").values_list("note", flat=True)
        checkpoints = [Checkpoint.parse(note) for note in notes]
        for checkpoint in checkpoints:
            checkpoint.require_signature(trusted)
        return checkpoints
