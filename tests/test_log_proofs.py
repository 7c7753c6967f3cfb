"""Proofs computed from tiles are checked against the recursive definitions of RFC 6962 and its known hashes."""

import base64
import hashlib
from collections.abc import Sequence
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from archive.transparency.tiles import Tree, tile_width, tiles_between
from archive.transparency.verify_log import (
    EMPTY_ROOT,
    HASH,
    TILE,
    Frontier,
    Key,
    leaf_hash,
    node_hash,
    proves_consistency,
    proves_inclusion,
    tile_path,
)

SIZE = 66_000
# Leaves and roots from the tests of Certificate Transparency's implementations.
LEAVES = [bytes.fromhex(text) for text in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f",
)]  # fmt: skip
ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]
# Proofs from the same tests: (index, size, path), and (old size, size, path). Letters stand for the hashes below.
PATHS = {
    "6e34": "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "96a2": "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
    "bc1a": "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    "fac5": "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "5f08": "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
    "0ebc": "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
    "ca85": "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
    "d37e": "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "6b47": "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
}
INCLUSION = [
    (0, 1, ""), (0, 8, "96a2 5f08 6b47"), (5, 8, "bc1a ca85 d37e"), (2, 3, "fac5"), (1, 5, "6e34 5f08 bc1a"),
]  # fmt: skip
CONSISTENCY = [(1, 1, ""), (1, 8, "96a2 5f08 6b47"), (6, 8, "0ebc ca85 d37e"), (2, 5, "5f08 bc1a")]


@cache
def levels() -> list[list[bytes]]:
    """Return the hashes of all tiles of a tree of SIZE leaves, by level, as a frontier returns them."""
    found: list[list[bytes]] = [[], [], []]
    tree = Frontier()
    for number in range(SIZE):
        for level, known in tree.append(leaf_hash(str(number).encode())):
            found[level].append(known)
    return found


def read_tile(level: int, number: int) -> bytes:
    return b"".join(levels()[level][number * TILE : (number + 1) * TILE])


def merkle_tree_hash(leaves: Sequence[bytes]) -> bytes:
    """RFC 6962, section 2.1, literally, over hashes of leaves."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return node_hash(merkle_tree_hash(leaves[:split]), merkle_tree_hash(leaves[split:]))


@cache
def root(size: int) -> bytes:
    return merkle_tree_hash(levels()[0][:size])


@pytest.mark.parametrize("size", range(1, 9))
def test_known_roots(size: int) -> None:
    tree = Frontier()
    tree.extend([leaf_hash(data) for data in LEAVES[:size]])

    assert tree.root().hex() == ROOTS[size - 1]


def known_tree(size: int) -> Tree:
    leaves = b"".join(leaf_hash(data) for data in LEAVES[:size])
    return Tree(size, lambda level, number: leaves)


@pytest.mark.parametrize(("index", "size", "path"), INCLUSION)
def test_known_proofs_of_inclusion(index: int, size: int, path: str) -> None:
    hashes = [bytes.fromhex(PATHS[short]) for short in path.split()]

    assert known_tree(size).inclusion_path(index) == hashes
    assert proves_inclusion(leaf_hash(LEAVES[index]), index, size, hashes, bytes.fromhex(ROOTS[size - 1]))


@pytest.mark.parametrize(("old", "size", "path"), CONSISTENCY)
def test_known_proofs_of_consistency(old: int, size: int, path: str) -> None:
    hashes = [bytes.fromhex(PATHS[short]) for short in path.split()]

    assert known_tree(size).consistency_path(old) == hashes
    assert proves_consistency(old, bytes.fromhex(ROOTS[old - 1]), size, bytes.fromhex(ROOTS[size - 1]), hashes)


def test_the_empty_tree_has_the_hash_of_nothing() -> None:
    assert Frontier().root() == Tree(0, read_tile).root() == EMPTY_ROOT == hashlib.sha256(b"").digest()


@pytest.mark.parametrize("size", [1, 2, 3, 255, 256, 257, 511, 512, 513, 65_535, 65_536, 65_537, SIZE])
def test_a_tree_from_tiles_has_the_root_of_the_definition(size: int) -> None:
    assert Tree(size, read_tile).root() == root(size)


sizes = st.one_of(st.integers(1, 700), st.sampled_from([65_535, 65_536, 65_537, SIZE]))


@given(sizes, st.data())
def test_inclusion_is_proven_and_nothing_else(size: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, size - 1))
    leaf, path = levels()[0][index], Tree(size, read_tile).inclusion_path(index)

    assert proves_inclusion(leaf, index, size, path, root(size))
    assert len(path) <= size.bit_length()
    assert not proves_inclusion(node_hash(leaf, leaf), index, size, path, root(size))
    assert not proves_inclusion(leaf, index, size, [*path, leaf], root(size))
    assert not proves_inclusion(leaf, index, size, path, EMPTY_ROOT)
    assert not proves_inclusion(leaf, size, size, path, root(size))
    if path:
        place = data.draw(st.integers(0, len(path) - 1))
        assert not proves_inclusion(leaf, index, size, path[:place] + path[place + 1 :], root(size))
        assert not proves_inclusion(leaf, index, size, [*path[:place], leaf_hash(b"x"), *path[place + 1 :]], root(size))
        other = data.draw(st.integers(0, size - 1).filter(lambda number: number != index))
        assert not proves_inclusion(leaf, other, size, path, root(size))


@given(sizes, st.data())
def test_consistency_is_proven_and_nothing_else(size: int, data: st.DataObject) -> None:
    old = data.draw(st.integers(1, size))
    path = Tree(size, read_tile).consistency_path(old)

    assert proves_consistency(old, root(old), size, root(size), path)
    assert not proves_consistency(old, leaf_hash(b"x"), size, root(size), path)
    assert not proves_consistency(old, root(old), size, leaf_hash(b"x"), path)
    assert not proves_consistency(old, root(old), size, root(size), [*path, root(old)])
    assert not proves_consistency(size + 1, root(old), size, root(size), path)
    if path:
        assert not proves_consistency(old, root(old), size, root(size), path[:-1])


def test_every_tree_extends_the_empty_one() -> None:
    assert proves_consistency(0, EMPTY_ROOT, 7, root(7), [])
    assert not proves_consistency(0, root(1), 7, root(7), [])


def test_paths_of_tiles_are_those_of_the_specification() -> None:
    assert tile_path(0, 0) == "tile/0/000"
    assert tile_path(2, 1_234_067) == "tile/2/x001/x234/067"
    assert tile_path("entries", 273, 112) == "tile/entries/273.p/112"
    assert tile_path(1, 1000) == "tile/1/x001/000"


def test_a_tree_of_70000_leaves_has_the_tiles_of_the_specification() -> None:
    widths = [(level, width) for level, _, width in tiles_between(0, 70_000)]

    assert widths == [(0, 256)] * 273 + [(0, 112)] + [(1, 256)] + [(1, 17)] + [(2, 1)]
    assert tiles_between(255, 256) == [(0, 0, 256), (1, 0, 1)]
    assert tiles_between(70_000, 70_000) == []
    assert tile_width(70_000, 3, 0) == 0


def test_a_tile_that_lacks_hashes_is_no_proof() -> None:
    with pytest.raises(ValueError, match="lacks hashes"):
        Tree(300, lambda level, number: read_tile(level, number)[: 20 * HASH]).inclusion_path(7)


def test_the_key_of_the_specification_verifies_its_note() -> None:
    key = Key.parse("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")
    signed = base64.b64decode(
        "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM="
    )

    assert str(key) == "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
    assert key.id == signed[:4]
    assert key.has_signed("This is an example message.\n", signed[4:])
    assert not key.has_signed("This is an example message!\n", signed[4:])
