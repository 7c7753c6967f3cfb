"""Tiles of the log's tree: read from the database, written to the store (c2sp.org/tlog-tiles).

The database has every hash that a tile has, so the store's tiles can be written again at any time. They are there for
others: whoever has a checkpoint can check the log by them without us.
"""

from concurrent.futures import ThreadPoolExecutor

from archive.leases import Budget, Claim
from archive.log.leaf import leaf_data
from archive.models import LogEntry, LogLeaf, LogNode, LogSequencer
from archive.storage import Store, keys
from archive.transparency.tiles import Tree, tiles_between
from archive.transparency.verify_log import HASH, TILE, Frontier, tile_path

CONTENT_TYPE = "application/octet-stream"
STEP = 16_384  # leaves between two notes of how far the tiles are written
AT_ONCE = 8  # writes to the store


def frontier(row: LogSequencer) -> Frontier:
    """The tree as the sequencer left it."""
    data = bytes(row.frontier)
    return Frontier(row.size, [data[start : start + HASH] for start in range(0, len(data), HASH)])


def write_tiles(bucket: Store, row: LogSequencer, claim: Claim[LogSequencer], budget: Budget) -> bool:
    """Write the tiles of the tree of `row` that the store does not have yet, the oldest first, and note how far that
    went. Idempotent. Returns False if the time was over before. Raises LeaseLost, or an error of the store."""
    done = row.tiled
    while done < row.size:
        if budget.is_used_up():
            return False
        size = min(row.size, (done // STEP + 1) * STEP)
        _write_step(bucket, done, size)
        claim.renew(tiled=size)
        done = size
    return True


def _write_step(bucket: Store, old: int, size: int) -> None:
    """Several at a time: a store that is far away answers late."""
    with ThreadPoolExecutor(AT_ONCE) as threads:
        writes = []
        for level, number, width in tiles_between(old, size):
            data = read_tile(level, number)[: width * HASH]
            writes.append(threads.submit(_put, bucket, tile_path(level, number, width), data))
            if level == 0:
                bundle = entry_bundle(number, width)
                writes.append(threads.submit(_put, bucket, tile_path("entries", number, width), bundle))
        for write in writes:
            write.result()


def _put(bucket: Store, path: str, data: bytes) -> None:
    bucket.put(keys.log_object(path), data, CONTENT_TYPE)


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
