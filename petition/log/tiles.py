"""Where the log's tiles are kept and how they are named (C2SP tlog-tiles)."""

import re
import struct
from functools import cache

from petition.log import copies, merkle
from petition.models import LogTile

ENTRIES = LogTile.ENTRIES
# Levels 0 to 63, or bundles of entries; a number in groups of three digits, x before all but the
# last; how wide, where the tile is not full.
PATH = re.compile(
    r"(entries|[0-9]|[1-5][0-9]|6[0-3])/((?:x[0-9]{3}/)*)([0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?"
)


class Missing(Exception):
    """The log has no such tile, or not yet."""


class Tiles:
    """Tiles as the database has them, and those that are about to be written."""

    def __init__(self):
        self.changed: dict[tuple[int, int], bytes] = {}
        self.read = cache(self._read)

    def _read(self, level: int, number: int) -> bytes:
        if (level, number) in self.changed:
            return self.changed[level, number]
        found = LogTile.objects.filter(level=level, number=number).values_list("data", flat=True)
        data = found.first()
        return bytes(data) if data is not None else b""

    def append(self, size: int, entries: list[bytes]) -> bytes:
        """Takes entries behind the `size` that are there; returns the new root."""
        number, within = divmod(size, merkle.WIDTH)
        bundle = self._read(ENTRIES, number) if within else b""
        for entry in entries:
            bundle += struct.pack(">H", len(entry)) + entry
            within += 1
            if within == merkle.WIDTH:
                self.changed[ENTRIES, number] = bundle
                number, within, bundle = number + 1, 0, b""
        if bundle:
            self.changed[ENTRIES, number] = bundle
        self.changed |= merkle.grow(self._read, size, [merkle.leaf(entry) for entry in entries])
        self.read.cache_clear()
        return merkle.root(self.read, size + len(entries))

    def save(self, at) -> None:
        LogTile.objects.bulk_create(
            [
                LogTile(level=level, number=number, data=data, at=at)
                for (level, number), data in self.changed.items()
            ],
            batch_size=200,
            update_conflicts=True,
            unique_fields=["level", "number"],
            update_fields=["data", "at"],
        )


def entries(bundle: bytes) -> list[bytes]:
    """The entries of a bundle."""
    found, at = [], 0
    while at < len(bundle):
        (length,) = struct.unpack_from(">H", bundle, at)
        found.append(bundle[at + 2 : at + 2 + length])
        at += 2 + length
    return found


def place(path: str) -> tuple[int, int, int]:
    """The level, number and width that a path names. Raises Missing."""
    parts = PATH.fullmatch(path)
    if not parts:
        raise Missing
    digits = re.sub("[x/]", "", parts[2]) + parts[3]
    if (parts[2] and digits.startswith("000")) or len(digits) > 15:
        raise Missing  # Not the shortest way to write it.
    width = int(parts[4] or merkle.WIDTH)
    if parts[4] and width >= merkle.WIDTH:
        raise Missing
    return ENTRIES if parts[1] == "entries" else int(parts[1]), int(digits), width


def serve(path: str) -> tuple[bytes, bool]:
    """The content at a path, and whether the tile is full. Raises Missing."""
    level, number, width = place(path)
    # A width, once there, never changes: the copy is asked first, and needs no database.
    answer = _cut(copies.read(level, number), level, width)
    if answer is None:
        found = LogTile.objects.filter(level=level, number=number).first()
        answer = _cut(bytes(found.data), level, width) if found else None
    if answer is None:
        raise Missing
    return answer, width == merkle.WIDTH


def _cut(data: bytes, level: int, width: int) -> bytes | None:
    """The first `width` of a tile; None where it has fewer."""
    if level == ENTRIES:
        kept = entries(data)
        data = b"".join(struct.pack(">H", len(e)) + e for e in kept[:width])
        has = len(kept)
    else:
        has = len(data) // merkle.HASH_BYTES
        data = data[: width * merkle.HASH_BYTES]
    return data if has >= width else None
