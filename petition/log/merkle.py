"""Merkle trees as RFC 6962 hashes them, kept in tiles of 256 hashes (C2SP tlog-tiles).

A tile is known by its level and number. `Read` gives a tile's hashes, one after the other, as far
as there are any; nothing here knows where tiles are kept.
"""

from collections.abc import Callable
from hashlib import sha256

HASH_BYTES = 32
WIDTH = 256
EMPTY_ROOT = sha256(b"").digest()

Read = Callable[[int, int], bytes]  # (level, number) -> hashes


def leaf(entry: bytes) -> bytes:
    return sha256(b"\x00" + entry).digest()


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def fold(hashes: bytes) -> bytes:
    """The root of a perfect subtree from its hashes, whose number is a power of two."""
    row = [hashes[at : at + HASH_BYTES] for at in range(0, len(hashes), HASH_BYTES)]
    while len(row) > 1:
        row = [node(row[at], row[at + 1]) for at in range(0, len(row), 2)]
    return row[0]


def grow(read: Read, size: int, leaves: list[bytes]) -> dict[tuple[int, int], bytes]:
    """The tiles that change where these leaf hashes are appended to a tree of `size` leaves."""
    changed: dict[tuple[int, int], bytes] = {}
    level, start, new = 0, size, leaves
    while new:
        number, within = divmod(start, WIDTH)
        tile = read(level, number)[: within * HASH_BYTES] if within else b""
        full: list[bytes] = []
        for each in new:
            tile += each
            if len(tile) == WIDTH * HASH_BYTES:
                changed[level, number] = tile
                full.append(fold(tile))
                number, tile = number + 1, b""
        if tile:
            changed[level, number] = tile
        level, start, new = level + 1, start // WIDTH, full
    return changed


def root(read: Read, size: int) -> bytes:
    return _range(read, 0, size) if size else EMPTY_ROOT


def inclusion(read: Read, index: int, size: int) -> list[bytes]:
    """The audit path of a leaf (RFC 6962, 2.1.1), from the leaf upwards. Raises IndexError."""
    if not 0 <= index < size:
        raise IndexError(index)
    return _path(read, index, 0, size)


def consistency(read: Read, old: int, new: int) -> list[bytes]:
    """The proof that a tree of `new` leaves begins with one of `old` (RFC 6962, 2.1.2)."""
    if not 0 < old <= new:
        raise IndexError(old)
    return [] if old == new else _subproof(read, old, 0, new, whole=True)


def is_included(entry: bytes, index: int, size: int, path: list[bytes], top: bytes) -> bool:
    """Whether an audit path leads from an entry to a root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    at, last, found = index, size - 1, leaf(entry)
    for each in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = node(each, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node(found, each)
        at, last = at >> 1, last >> 1
    return last == 0 and found == top


def is_consistent(old: int, new: int, old_top: bytes, new_top: bytes, proof: list[bytes]) -> bool:
    """Whether a proof shows that one tree begins with the other (RFC 9162, 2.1.4.2)."""
    if old == new:
        return old_top == new_top and not proof
    if not 0 < old < new or not proof:
        return False
    path = [old_top, *proof] if old & (old - 1) == 0 else list(proof)
    at, last = old - 1, new - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    first = second = path[0]
    for each in path[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            first, second = node(each, first), node(each, second)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            second = node(second, each)
        at, last = at >> 1, last >> 1
    return last == 0 and first == old_top and second == new_top


def _split(width: int) -> int:
    """The largest power of two below a width of two or more."""
    return 1 << (width - 1).bit_length() - 1


def _range(read: Read, start: int, end: int) -> bytes:
    """The hash of the leaves from `start` to before `end`, as the tree has it."""
    width = end - start
    if width & (width - 1) == 0:
        return _perfect(read, start, width)
    middle = start + _split(width)
    return node(_range(read, start, middle), _range(read, middle, end))


def _perfect(read: Read, start: int, width: int) -> bytes:
    """The hash of a perfect subtree: one or more hashes of one tile, folded."""
    level, within = divmod(width.bit_length() - 1, 8)
    hashes = 1 << within
    number, offset = divmod(start >> 8 * level, WIDTH)
    tile = read(level, number)
    return fold(tile[offset * HASH_BYTES : (offset + hashes) * HASH_BYTES])


def _path(read: Read, index: int, start: int, end: int) -> list[bytes]:
    if end - start == 1:
        return []
    middle = start + _split(end - start)
    if index < middle:
        return [*_path(read, index, start, middle), _range(read, middle, end)]
    return [*_path(read, index, middle, end), _range(read, start, middle)]


def _subproof(read: Read, old: int, start: int, end: int, *, whole: bool) -> list[bytes]:
    if old == end:
        return [] if whole else [_range(read, start, end)]
    middle = start + _split(end - start)
    if old <= middle:
        return [
            *_subproof(read, old, start, middle, whole=whole),
            _range(read, middle, end),
        ]
    return [*_subproof(read, old, middle, end, whole=False), _range(read, start, middle)]
