"""The geometry of charts: from numbers to places in a picture, in percent of its size.

Places are text ("12.5%"), ready for an attribute of SVG: numbers in templates are written as the
page's language writes them, with a comma in French.
"""

from dataclasses import dataclass
from itertools import count

# Of the height, kept free above for the words of the highest line.
HEADROOM = 12
# Of a column's place, left empty between it and the next.
GAP = 0.25
# Of the width: what no column exceeds, and what the numbers of the lines have to themselves.
WIDEST = 6
MARGIN = 14
LINES = 4


@dataclass(frozen=True)
class Column:
    """What came, above the line, and what left, below it."""

    x: str
    width: str
    up_y: str
    up: str
    down_y: str
    down: str


@dataclass(frozen=True)
class Line:
    """A line across the picture and the number that it stands for, below zero without its sign; the
    number stands at `x`, the edge at which a line of writing begins."""

    x: str
    y: str
    value: int


@dataclass(frozen=True)
class Columns:
    columns: list[Column]
    lines: list[Line]
    zero: str


def columns(pairs: list[tuple[int, int]], *, mirrored: bool) -> Columns:
    """One column for each (came, left), in the order of time: from the left edge to the right, or
    `mirrored` from the right to the left, as time runs where writing does."""
    above = max((came for came, _ in pairs), default=0)
    below = max((left for _, left in pairs), default=0)
    step = next_step(max(above, below))
    top, bottom = -(-above // step) * step or step, -(-below // step) * step
    scale = (100 - HEADROOM) / (top + bottom)
    zero = HEADROOM + top * scale
    place = (100 - MARGIN) / max(len(pairs), 1)
    width = min(place * (1 - GAP), WIDEST)
    made = []
    for n, (came, left) in enumerate(pairs):
        x = MARGIN + place * n + (place - width) / 2
        made.append(
            Column(
                x=percent(100 - x - width if mirrored else x),
                width=percent(width),
                up_y=percent(zero - came * scale),
                up=percent(came * scale),
                down_y=percent(zero),
                down=percent(left * scale),
            )
        )
    edge = percent(100 if mirrored else 0)
    values = range(-bottom, top + 1, step)
    lines = [Line(edge, percent(zero - value * scale), abs(value)) for value in values]
    return Columns(made, lines, percent(zero))


def next_step(most: int) -> int:
    """The distance of lines that are 1, 2 or 5 of a power of ten apart, at most LINES of them."""
    steps = (digit * 10**power for power in count() for digit in (1, 2, 5))
    return next(step for step in steps if step * LINES >= most)


@dataclass(frozen=True)
class Bar:
    """A row of a table and its bar. `key` is what it is about; the largest is 100 % long."""

    key: str
    value: int
    x: str
    length: str


def bars(values: dict[str, int], *, mirrored: bool) -> list[Bar]:
    """The longest first, from the edge at which a line of writing begins."""
    most = max(values.values(), default=0) or 1
    ordered = sorted(values.items(), key=lambda pair: (-pair[1], pair[0]))
    lengths = ((key, value, value * 100 / most) for key, value in ordered)
    return [
        Bar(key, value, percent(100 - length if mirrored else 0), percent(length))
        for key, value, length in lengths
    ]


def percent(value: float) -> str:
    """At most two decimals, and none that says nothing."""
    return f"{round(value, 2) + 0:g}%"
