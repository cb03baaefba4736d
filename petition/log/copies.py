"""The log's tiles as files in LAST_GOOD_DIR, on each host that runs a historian: what never changes
needs no database to be served."""

import os
from pathlib import Path
from shutil import rmtree

from django.conf import settings

from petition.log import merkle, notes
from petition.models import LogHead, LogTile

HEAD = "checkpoint"
AT_ONCE = 100  # Some 3 MB.


def folder() -> Path | None:
    """Where the files are; None where no copy is kept."""
    return Path(settings.LAST_GOOD_DIR) / "log" if settings.LAST_GOOD_DIR else None


def read(level: int, number: int) -> bytes:
    """The tile as it was copied, perhaps not yet full; nothing where there is no copy."""
    here = folder()
    try:
        return _path(here, level, number).read_bytes() if here else b""
    except OSError:
        return b""


def keep() -> int:
    """Copies what is new, so that each file is complete at any moment; returns how many tiles.

    A database that was restored to an earlier moment, or another one, begins the copy anew."""
    head = LogHead.objects.exclude(checkpoint="").first()
    here = folder()
    if head is None or here is None:
        return 0
    size = _copied()
    if size > head.size or not _continues(size):
        rmtree(here, ignore_errors=True)
        size = 0
    if size == head.size:
        return 0
    written = 0
    for level, first in _changed_since(size, head.size):
        last = -(-head.size // merkle.WIDTH ** (max(level, 0) + 1))
        for start in range(first, last, AT_ONCE):
            some = range(start, start + AT_ONCE)
            for tile in LogTile.objects.filter(level=level, number__in=some):
                _write(_path(here, level, tile.number), bytes(tile.data))
                written += 1
    _write(here / HEAD, head.checkpoint.encode())
    return written


def _changed_since(size: int, now: int):
    """Each level with the number of its first tile that has grown."""
    yield LogTile.ENTRIES, size // merkle.WIDTH
    level, wide = 0, merkle.WIDTH
    while wide // merkle.WIDTH <= now:
        yield level, size // wide
        level, wide = level + 1, wide * merkle.WIDTH


def _continues(size: int) -> bool:
    """Whether the database's log begins with what was copied: its last tile of hashes tells."""
    number, within = divmod(size, merkle.WIDTH)
    if not within:
        number, within = number - 1, merkle.WIDTH
    if not size:
        return True
    tile = LogTile.objects.filter(level=0, number=number).first()
    bytes_there = within * merkle.HASH_BYTES
    copied = read(0, number)[:bytes_there]
    return tile is not None and copied == bytes(tile.data)[:bytes_there] != b""


def note() -> str:
    """The signed head of what was copied; nothing where there is no copy."""
    here = folder()
    try:
        return (here / HEAD).read_text("utf-8") if here else ""
    except OSError:
        return ""


def _copied() -> int:
    """How many entries the copy has; 0 where there is none."""
    try:
        return notes.checkpoint(note()).size
    except notes.Invalid:
        return 0


def _path(here: Path, level: int, number: int) -> Path:
    # A thousand files in a folder at most.
    return here / str(level) / str(number // 1000) / str(number)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    half = path.with_suffix(".half")
    half.write_bytes(content)
    os.replace(half, path)
