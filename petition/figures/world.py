"""A map of the world: the shape of each country, and how dark a number makes it.

`world.json` beside it is Natural Earth's (public domain) as world-atlas has it (ISC), drawn by
`python -m bench.world`. Its borders are those that the source draws.
"""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FILE = Path(__file__).with_suffix(".json")
# From which number on a country has the first shade, the second and so on: powers of ten, so that
# a shade means the same on every day of the campaign.
STEPS = (10, 100, 1_000, 10_000, 100_000)


@dataclass(frozen=True)
class Country:
    """`path` draws its shape, empty where it has none; `dot` is the place of one that is too small
    to be seen, as (x, y). `step` counts from 1, the lightest; `value` is the number shown."""

    code: str
    path: str
    dot: tuple[int, int] | None
    step: int
    value: int


@dataclass(frozen=True)
class World:
    """`width` and `height` in the map's own units; `blank` draws all land without a number."""

    width: int
    height: int
    blank: str
    countries: list[Country]


def shaded(values: dict[str, int]) -> World:
    """The world with each country as dark as its number asks for. A code without a place on the
    map (Antarctica) is left out; so is a number below the first step."""
    drawing = _drawing()
    shapes, dots = drawing["shapes"], drawing["dots"]
    dark = {code: value for code, value in values.items() if step(value)}
    blank = drawing["neutral"] + "".join(p for code, p in shapes.items() if code not in dark)
    countries = [
        Country(code, shapes.get(code, ""), tuple(dots[code]) if code in dots else None,
                step(value), value)
        for code, value in sorted(dark.items())
        if code in shapes or code in dots
    ]  # fmt: skip
    return World(drawing["width"], drawing["height"], blank, countries)


def size() -> tuple[int, int]:
    """Width and height of the map."""
    return _drawing()["width"], _drawing()["height"]


def step(value: int) -> int:
    """Which of the STEPS a number has reached, 1 to 5; 0 where none."""
    return sum(value >= least for least in STEPS)


@cache
def _drawing() -> dict:
    return json.loads(FILE.read_text("utf-8"))
