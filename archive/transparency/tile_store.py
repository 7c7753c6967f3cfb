"""Read the tiles of the log's tree from the database, and write them to the store (c2sp.org/tlog-tiles).

The database has every hash of a tile, so the store's tiles can be written again at any time. They are for others: with
a checkpoint and the tiles anybody can check the log without us. A restored database is also repaired from them and the
certificates (recovery.py).
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from uuid import UUID

from django.db import connection

from archive.leases import Budget, Claim
from archive.log.leaf import COLUMNS, leaf_data_of_row
from archive.models import LogLeaf, LogNode, LogSequencer
from archive.storage import Store, keys
from archive.transparency.tiles import Tree, tiles_between
from archive.transparency.verify_log import HASH, TILE, Checkpoint, Frontier, tile_path

CONTENT_TYPE = "application/octet-stream"
STEP = 16_384  # leaves between two updates of the progress
AT_ONCE = 8  # writes to the store
TILES_READ = 8  # tiles whose entries one statement reads
READ_LEAVES = f"""
SELECT hash, {COLUMNS} FROM archive_logleaf LEFT JOIN archive_logentry ON id = entry_id
WHERE index >= %s AND index < %s ORDER BY index
"""  # noqa: S608
# Certificates of the deletions that these leaves record.
READ_CERTIFICATES = """
SELECT c.space_id, c.document FROM archive_logleaf JOIN archive_logentry e ON e.id = entry_id
JOIN archive_deletioncertificate c ON c.space_id = e.space_id
WHERE index >= %s AND index < %s AND e.event = 'space.deleted'
"""


def frontier(row: LogSequencer) -> Frontier:
    """Return the tree as the sequencer left it."""
    data = bytes(row.frontier)
    return Frontier(row.size, [data[start : start + HASH] for start in range(0, len(data), HASH)])


def write_tiles(bucket: Store, row: LogSequencer, claim: Claim[LogSequencer], budget: Budget) -> bool:
    """Write the tiles of the tree of `row` that the store lacks, the oldest first, and record the progress. Idempotent.
    Returns False if the time ran out. Raises LeaseLost, or an error of the store."""
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
    """Write several tiles at a time, since a remote store answers slowly."""
    tiles = tiles_between(old, size)
    with ThreadPoolExecutor(AT_ONCE) as threads:
        writes = []
        for level, number, width in tiles:
            if level:
                data = read_tile(level, number)[: width * HASH]
                writes.append(threads.submit(_put, bucket, _key(level, number, width), data))
        for space_id, document in _read_certificates(old, size):
            writes.append(threads.submit(_put, bucket, keys.certificate_copy(space_id), document.encode()))
        for number, width, hashes, bundle in _read_bundles([(n, width) for level, n, width in tiles if not level]):
            writes.append(threads.submit(_put, bucket, _key(0, number, width), hashes))
            writes.append(threads.submit(_put, bucket, _key("entries", number, width), bundle))
        for write in writes:
            write.result()


def _read_bundles(tiles: list[tuple[int, int]]) -> Iterator[tuple[int, int, bytes, bytes]]:
    """Yield (number, width, hashes, bundle of entries) of each of these consecutive tiles. A bundle has each entry with
    its length before it (2 bytes, big-endian)."""
    for start in range(0, len(tiles), TILES_READ):
        some = tiles[start : start + TILES_READ]
        first, (last, width) = some[0][0] * TILE, some[-1]
        with connection.cursor() as cursor:
            cursor.execute(READ_LEAVES, [first, last * TILE + width])
            leaves = iter(cursor.fetchall())
        for number, width in some:
            hashes, entries = [], []
            for known, *entry in islice(leaves, width):
                if entry[0] is None:
                    raise LookupError(f"an entry of tile {number} is not in the database any more")
                data = leaf_data_of_row(entry)
                hashes.append(bytes(known))
                entries += [len(data).to_bytes(2, "big"), data]
            yield number, width, b"".join(hashes), b"".join(entries)


def _read_certificates(old: int, size: int) -> list[tuple[UUID, str]]:
    """Return (Space, certificate) of the deletions that the leaves from `old` to `size` record. A database restored
    from a backup gets newer certificates from these copies (recovery.py)."""
    with connection.cursor() as cursor:
        cursor.execute(READ_CERTIFICATES, [old, size])
        return [(space_id, document) for space_id, document in cursor.fetchall()]


def _key(level: int | str, number: int, width: int) -> str:
    return keys.log_object(tile_path(level, number, width))


def _put(bucket: Store, key: str, data: bytes) -> None:
    bucket.put(key, data, CONTENT_TYPE)


def stored_size(bucket: Store, known: int) -> int:
    """Return how many leaves the tiles in the store cover, or 0 if they are not more than `known`."""
    folder = keys.log_object("tile/0/")
    before = keys.log_object(tile_path(0, known // TILE))[:-1]  # sorts before that tile, and its shorter versions
    sizes = (_size_of(key.removeprefix(folder)) for key in bucket.keys_after(folder, before))
    return max((size for size in sizes if size > known), default=0)


def _size_of(path: str) -> int:
    """Return the number of leaves in the tile with this path below its level, and in all tiles before it."""
    number, _, width = path.partition(".p/")
    whole = int("".join(part.lstrip("x") for part in number.split("/")))
    return whole * TILE + int(width or TILE)


def stored_tree(size: int) -> Tree:
    """Return the tree of the first `size` leaves in the database."""
    return Tree(size, read_tile)


def is_extended(size: int, head: Checkpoint) -> bool:
    """Return whether the tree of the first `size` leaves in the database extends the tree of this checkpoint."""
    return head.size <= size and stored_tree(head.size).root() == head.root


def read_tile(level: int, number: int) -> bytes:
    """Return the hashes of a tile, joined: all that the database has so far."""
    places = {"index__gte": number * TILE, "index__lt": (number + 1) * TILE}
    rows = LogLeaf.objects.filter(**places) if level == 0 else LogNode.objects.filter(level=level, **places)
    return b"".join(bytes(known) for known in rows.order_by("index").values_list("hash", flat=True))
