"""Tiles of the log's tree: read from the database, written to the store (c2sp.org/tlog-tiles).

The database has every hash that a tile has, so the store's tiles can be written again at any time. They are there for
others: whoever has a checkpoint can check the log by them without us.
"""

from archive.leases import Claim
from archive.log.leaf import leaf_data
from archive.models import LogEntry, LogLeaf, LogNode, LogSequencer
from archive.storage import Store, keys
from archive.transparency.tiles import Tree, tiles_between
from archive.transparency.verify_log import HASH, TILE, Frontier, tile_path

CONTENT_TYPE = "application/octet-stream"


def frontier(row: LogSequencer) -> Frontier:
    """The tree as the sequencer left it."""
    data = bytes(row.frontier)
    return Frontier(row.size, [data[start : start + HASH] for start in range(0, len(data), HASH)])


def write_tiles(bucket: Store, old: int, size: int, claim: Claim[LogSequencer]) -> None:
    """Write what a tree of `size` leaves has besides one of `old` leaves. Idempotent. Raises LeaseLost, or an error of
    the store."""
    budget = claim.budget()
    for level, number, width in tiles_between(old, size):
        data = read_tile(level, number)[: width * HASH]
        bucket.put(keys.log_object(tile_path(level, number, width)), data, CONTENT_TYPE)
        if level == 0:
            bucket.put(keys.log_object(tile_path("entries", number, width)), entry_bundle(number, width), CONTENT_TYPE)
        budget.heartbeat()


def stored_tree(size: int) -> Tree:
    """The tree of the first `size` leaves in the database."""
    return Tree(size, read_tile)


def read_tile(level: int, number: int) -> bytes:
    """The hashes of a tile, one after the other: all that the database has by now."""
    places = {"index__gte": number * TILE, "index__lt": (number + 1) * TILE}
    rows = LogLeaf.objects.filter(**places) if level == 0 else LogNode.objects.filter(level=level, **places)
    return b"".join(bytes(known) for known in rows.order_by("index").values_list("hash", flat=True))


def entry_bundle(number: int, width: int) -> bytes:
    """The entries of tile `number` of level 0, each with its length before it (2 bytes, big-endian)."""
    first = number * TILE
    ids = LogLeaf.objects.filter(index__gte=first, index__lt=first + width).order_by("index")
    order = list(ids.values_list("entry_id", flat=True))
    entries = LogEntry.objects.in_bulk(order)
    data = [leaf_data(entries[pk]) for pk in order]
    return b"".join(len(one).to_bytes(2, "big") + one for one in data)
