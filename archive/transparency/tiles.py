"""Merkle trees in tiles (c2sp.org/tlog-tiles): make proofs from the hashes in tiles. Pure: no Django.

A tile of level 0 has 256 leaf hashes; each hash of a tile of level L is the root of a full tile of level L - 1. So a
proof in a tree of ten million leaves needs three tiles.
"""

from collections.abc import Callable

from archive.transparency.verify_log import EMPTY_ROOT, HASH, TILE, TILE_HEIGHT, Frontier, node_hash

# Returns the hashes of tile (level, number), joined: at least as many as the tree has.
ReadTile = Callable[[int, int], bytes]


class Tree:
    """A tree of `size` leaves, read from tiles. Each tile is read once."""

    def __init__(self, size: int, read_tile: ReadTile) -> None:
        self.size = size
        self._read_tile = read_tile
        self._tiles: dict[tuple[int, int], bytes] = {}

    def root(self) -> bytes:
        return self._root(0, self.size) if self.size else EMPTY_ROOT

    def frontier(self) -> Frontier:
        """Return the part of the tree that is needed to append to it."""
        hashes, start = [], 0
        for height in reversed(range(self.size.bit_length())):
            if self.size >> height & 1:
                hashes.append(self._complete(height, start >> height))
                start += 1 << height
        return Frontier(self.size, hashes)

    def inclusion_path(self, index: int) -> list[bytes]:
        """Return the hashes that prove leaf `index`, from its sibling up: RFC 6962, section 2.1.1."""
        if not 0 <= index < self.size:
            raise IndexError(f"a tree of {self.size} leaves has no leaf {index}")
        path, start, end = [], 0, self.size
        while end - start > 1:
            middle = start + _split(end - start)
            if index < middle:
                path.append(self._root(middle, end))
                end = middle
            else:
                path.append(self._root(start, middle))
                start = middle
        return path[::-1]

    def consistency_path(self, old: int) -> list[bytes]:
        """Return the hashes that prove that this tree extends its own first `old` leaves: RFC 6962, section 2.1.2."""
        if not 0 <= old <= self.size:
            raise IndexError(f"a tree of {self.size} leaves does not extend one of {old}")
        if old in (0, self.size):
            return []
        path, start, end, complete = [], 0, self.size, True
        while old != end:
            middle = start + _split(end - start)
            if old <= middle:
                path.append(self._root(middle, end))
                end = middle
            else:
                path.append(self._root(start, middle))
                start, complete = middle, False
        return [*([] if complete else [self._root(start, end)]), *path[::-1]]

    def _root(self, start: int, end: int) -> bytes:
        """Return the root of the leaves from `start` to `end`, which form a subtree."""
        count = end - start
        if count & (count - 1) == 0:
            return self._complete(count.bit_length() - 1, start // count)
        middle = start + _split(count)
        return node_hash(self._root(start, middle), self._root(middle, end))

    def _complete(self, height: int, number: int) -> bytes:
        """Return the root of the complete subtree `number` among those with 2**height leaves."""
        level, rest = divmod(height, TILE_HEIGHT)
        tile, first = divmod(number << rest, TILE)
        data = self._tile(level, tile)
        hashes = [data[i * HASH : (i + 1) * HASH] for i in range(first, first + (1 << rest))]
        while len(hashes) > 1:
            hashes = [node_hash(hashes[i], hashes[i + 1]) for i in range(0, len(hashes), 2)]
        return hashes[0]

    def _tile(self, level: int, number: int) -> bytes:
        if (level, number) not in self._tiles:
            data = self._read_tile(level, number)
            if len(data) < HASH * tile_width(self.size, level, number):
                raise ValueError(f"tile {level}/{number} lacks hashes: it has {len(data)} bytes")
            self._tiles[level, number] = data
        return self._tiles[level, number]


def tile_width(size: int, level: int, number: int) -> int:
    """Return the number of hashes of a tile in a tree of `size` leaves: 256 if it is full, 0 if there is none."""
    return max(0, min(TILE, (size >> TILE_HEIGHT * level) - number * TILE))


def tiles_between(old: int, size: int) -> list[tuple[int, int, int]]:
    """Return (level, number, width) of the tiles that a tree has new or wider after growing from `old` to `size`."""
    tiles = []
    level = 0
    while count := size >> TILE_HEIGHT * level:
        first = (old >> TILE_HEIGHT * level) // TILE
        if count > old >> TILE_HEIGHT * level:
            numbers = range(first, -(-count // TILE))
            tiles += [(level, number, tile_width(size, level, number)) for number in numbers]
        level += 1
    return tiles


def _split(count: int) -> int:
    """Return the largest power of two below `count`."""
    return 1 << (count - 1).bit_length() - 1
