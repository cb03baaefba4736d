"""Trees and tiles against the published vectors, and against a second, plainer way to hash."""

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from petition.log import merkle

pytestmark = pytest.mark.once

# The leaves and roots of Certificate Transparency's own reference tests (RFC 6962).
LEAVES = [bytes.fromhex(h) for h in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657",
    "606162636465666768696a6b6c6d6e6f",
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


class Kept:
    """Tiles in memory."""

    def __init__(self):
        self.tiles, self.size, self.leaves = {}, 0, []

    def read(self, level, number):
        return self.tiles.get((level, number), b"")

    def append(self, entries):
        hashes = [merkle.leaf(entry) for entry in entries]
        self.tiles |= merkle.grow(self.read, self.size, hashes)
        self.leaves += entries
        self.size += len(entries)
        return merkle.root(self.read, self.size)


def plainly(entries):
    """RFC 6962, 2.1, word for word."""
    if not entries:
        return sha256(b"").digest()
    if len(entries) == 1:
        return sha256(b"\x00" + entries[0]).digest()
    k = 1
    while k * 2 < len(entries):
        k *= 2
    return sha256(b"\x01" + plainly(entries[:k]) + plainly(entries[k:])).digest()


def test_roots_are_those_of_the_published_vectors():
    kept = Kept()
    assert merkle.root(kept.read, 0).hex() == sha256(b"").hexdigest()
    assert [kept.append([leaf]).hex() for leaf in LEAVES] == ROOTS


@given(st.lists(st.integers(1, 700), min_size=1, max_size=4))
def test_tiles_give_the_same_root_however_the_tree_grew(steps):
    kept = Kept()
    for step in steps:
        root = kept.append([b"%d" % (kept.size + n) for n in range(step)])
    assert root == plainly(kept.leaves)
    for (level, _), tile in kept.tiles.items():
        assert 0 < len(tile) <= 256 * 32
        assert level < 3


@given(st.integers(1, 1200), st.data())
def test_each_entry_is_shown_to_be_in_the_tree_and_nothing_else_is(size, data):
    kept = Kept()
    root = kept.append([b"%d" % n for n in range(size)])
    index = data.draw(st.integers(0, size - 1))
    path = merkle.inclusion(kept.read, index, size)
    assert merkle.is_included(b"%d" % index, index, size, path, root)
    assert not merkle.is_included(b"other", index, size, path, root)
    assert not merkle.is_included(b"%d" % index, (index + 1) % size, size, path, root) or size == 1
    if path:
        assert not merkle.is_included(b"%d" % index, index, size, path[1:], root)


@given(st.integers(1, 900), st.integers(0, 900), st.data())
def test_a_tree_is_shown_to_go_on_from_a_former_one_and_from_no_other(old, more, data):
    kept = Kept()
    before = kept.append([b"%d" % n for n in range(old)])
    root = kept.append([b"%d" % n for n in range(old, old + more)]) if more else before
    proof = merkle.consistency(kept.read, old, old + more)
    assert merkle.is_consistent(old, old + more, before, root, proof)
    assert not merkle.is_consistent(old, old + more, sha256(b"x").digest(), root, proof)
    if more:
        assert not merkle.is_consistent(old, old + more, before, sha256(b"x").digest(), proof)


def test_what_lies_outside_the_tree_has_no_proof():
    kept = Kept()
    kept.append([b"a", b"b"])
    for index in (-1, 2):
        with pytest.raises(IndexError):
            merkle.inclusion(kept.read, index, 2)
    with pytest.raises(IndexError):
        merkle.consistency(kept.read, 3, 2)
