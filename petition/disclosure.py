"""Decides how small numbers are shown."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Table:
    """What is published of one dimension: `shown` in whole tens, `rest` all that is left over."""

    shown: dict[str, int]
    rest: int
    cover_up: int = 0
    cover_down: int = 0


def renew(before, counted, came, left, least=10):
    shown = {c: n // least * least for c, n in sorted(counted.items()) if n >= least}
    total = sum(counted.values())
    while shown and total - sum(shown.values()) < least:
        largest = max(shown, key=shown.get)
        shown[largest] -= least
        shown = {c: n for c, n in shown.items() if n}
    return Table(shown, total - sum(shown.values()))
