"""A full check of a log of 1,000,000 entries from a copy, and then of 1,000 more; bytes an entry.

    python -m bench.log_check

Needs no database: the files are made as the sequencer makes them.
"""

import json
import os
import re
import secrets
import struct
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

os.environ |= {"DEBUG": "1", "DJANGO_SETTINGS_MODULE": "campaign_site.settings"}

import django

django.setup()

from django.conf import settings

from petition.ground import ed25519
from petition.log import merkle, notes

SCRIPT = settings.BASE_DIR / "static" / "verify_count.py"
NAME, SEED = "bench.example/log", b"b" * 32
MANY, MORE, A_TOTAL_EVERY = 1_000_000, 1_000, 5_000


class Log:
    """Grows like the site's, in a folder of files."""

    def __init__(self, folder: Path):
        self.folder, self.size, self.counted = folder, 0, 0
        self.tiles: dict[tuple[int, int], bytes] = defaultdict(bytes)

    def grow(self, entries: int) -> None:
        lines = []
        for n in range(self.size, self.size + entries):
            if (n + 1) % A_TOTAL_EVERY == 0 or n == self.size + entries - 1:
                at = datetime.fromtimestamp(1_770_000_000 + n, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
                lines.append(f"v1 total {self.counted} 0 {at}".encode())
            else:
                self.counted += 1
                lines.append(f"v1 counted {secrets.token_hex(32)}".encode())
        leaves = [merkle.leaf(line) for line in lines]
        read = lambda level, number: self.tiles[level, number]  # noqa: E731
        changed = merkle.grow(read, self.size, leaves)
        self.tiles |= changed
        for (level, number), data in changed.items():
            self._write(f"{level}/{_path(number, len(data) // 32)}", data)
        start, bundle = self.size, self.tiles[-1, self.size // 256]
        for n, line in enumerate(lines, start):
            bundle += struct.pack(">H", len(line)) + line
            if (n + 1) % 256 == 0 or n == start + len(lines) - 1:
                self.tiles[-1, n // 256] = bundle
                self._write(f"entries/{_path(n // 256, n % 256 + 1)}", bundle)
                bundle = b""
        self.size += entries
        head = notes.Checkpoint(NAME, self.size, merkle.root(read, self.size))
        (self.folder / "checkpoint").write_text(notes.sign(head.text, NAME, SEED), "utf-8")
        vkey = notes.Verifier(NAME, notes.ED25519, ed25519.public_key(SEED))
        (self.folder / "vkey").write_text(f"{vkey}\n")

    def _write(self, path: str, data: bytes) -> None:
        file = self.folder / "tile" / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)

    def bytes(self) -> int:
        """Of the log as it stands: a full tile takes the place of its partial ones."""
        return sum(len(data) for data in self.tiles.values())


def _path(number: int, width: int) -> str:
    groups = [f"{number % 1000:03}"]
    while number := number // 1000:
        groups.insert(0, f"x{number % 1000:03}")
    return "/".join(groups) + (f".p/{width}" if width < 256 else "")


def check(folder: Path) -> tuple[float, float]:
    """Seconds, and MB at most, of the program as a newsroom runs it."""
    began = time.monotonic()
    command = [sys.executable, SCRIPT, folder, "--state", folder / "state.json", "--json"]
    done = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    most = 0
    while done.poll() is None:
        # Of the program itself: what the kernel says of a child counts this process in.
        with suppress(OSError):
            status = Path(f"/proc/{done.pid}/status").read_text()
            found = re.search(r"VmHWM:\s+(\d+)", status)
            most = max(most, int(found[1]) if found else 0)
        time.sleep(0.005)
    said = done.communicate()[0]
    assert json.loads(said)["ok"], said
    return time.monotonic() - began, most / 1024


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="log-") as name:
        log = Log(Path(name))
        log.grow(MANY)
        print(
            f"{MANY:,} entries: {log.bytes() / MANY:.0f} bytes an entry with its hashes (bar 130)"
        )
        seconds, megabytes = check(log.folder)
        print(
            f"  a full check from a copy: {seconds:.1f} s, {megabytes:.0f} MB (bars 60 s, 200 MB)"
        )
        log.grow(MORE)
        seconds, _ = check(log.folder)
        print(f"  {MORE:,} more: {seconds:.2f} s (bar 2 s)")
