"""Compares the log with itself and with what it counts, in one moment."""

from dataclasses import dataclass

from django.db.models import Sum

from petition.log import events, merkle, notes, sequencer
from petition.log.tiles import ENTRIES, Tiles, entries
from petition.models import LogHead, Sheet, Signature


@dataclass(frozen=True)
class Figures:
    """What the log says is counted, with what waits to get into it, and what rows say."""

    log: tuple[int, int]  # online, paper
    rows: tuple[int, int]


def figures() -> Figures:
    head = LogHead.objects.first() or LogHead()
    online, paper = events.waiting()
    lines = Sheet.objects.counted().aggregate(n=Sum("valid"))["n"] or 0
    return Figures(
        (head.online + online, head.paper + paper), (Signature.objects.counted().count(), lines)
    )


def problems() -> list[str]:
    """What is wrong in the log itself: every tile, every sum, the signature."""
    head = LogHead.objects.first()
    if head is None or not head.size:
        return []
    found = []
    read, key = Tiles().read, sequencer.verifier()
    checkpoint = notes.checkpoint(head.checkpoint)
    if key and key not in notes.signers(head.checkpoint, [key]):
        found.append("The checkpoint is not signed by LOG_KEY.")
    if checkpoint.size != head.size:
        found.append("The checkpoint has another size than the log.")
    online = paper = 0
    size, built = 0, Tiles()
    for number in range(-(-head.size // merkle.WIDTH)):
        lines = entries(read(ENTRIES, number))
        for line in lines:
            parts = line.decode("ascii", "replace").split(" ")
            if parts[1] == "total" and [str(online), str(paper)] != parts[2:4]:
                found.append(f"Entry {size}: the total is not the sum of what stands before it.")
            added = events.value(" ".join(parts))
            online, paper, size = online + added[0], paper + added[1], size + 1
        hashes = b"".join(merkle.leaf(line) for line in lines)
        if read(0, number) != hashes:
            found.append(f"Tile 0/{number} does not fit its entries.")
        built.changed |= merkle.grow(
            lambda level, n: built.changed.get((level, n), b""),
            number * merkle.WIDTH,
            [merkle.leaf(line) for line in lines],
        )
    if size != head.size:
        found.append(f"The log has {size} entries, its head says {head.size}.")
    elif merkle.root(lambda level, n: built.changed.get((level, n), b""), size) != checkpoint.root:
        found.append("The checkpoint's root is not the root of the entries.")
    if (online, paper) != (head.online, head.paper):
        found.append(f"The entries add up to {online, paper}, the head says otherwise.")
    return found
