"""Draws petition/world.json, the map of the counter: `python -m bench.world`. Needs npm.

Shapes come from the npm package world-atlas (ISC), which is Natural Earth (public domain) as
TopoJSON: borders are arcs that neighbours share, so each is simplified once and no gap opens.
"""

import json
import subprocess
import sys
import tarfile
from itertools import pairwise
from math import asin, cos, radians, sin, sqrt
from pathlib import Path
from tempfile import TemporaryDirectory

from babel.core import get_global

from petition.ground import countries

PACKAGE = "world-atlas@2.0.2"
OUT = Path("petition/world.json")
WIDTH = 1000  # Of the whole map; coordinates are whole halves of it, a pixel on a wide screen.
FINENESS = 2
# What a border may be off, and what an island must measure to be drawn, in units and their square.
TOLERANCE = 0.75
SMALLEST = 3
# Below this a country is hardly seen: where it is to be shaded, a dot shows it.
DOTTED = 16
# The meridian in the middle: the edges run through the Bering Strait, and cut no country.
MIDDLE = 11
SOUTH = -57  # Antarctica would take a quarter of the height.
# Parts of another country in every file of the source, or in none: longitude and latitude.
PLACES = {
    "BQ": (-68.3, 12.2), "BV": (3.4, -54.4), "CC": (96.8, -12.2), "CX": (105.7, -10.5),
    "GF": (-53.1, 4.0), "GI": (-5.35, 36.1), "GP": (-61.5, 16.2), "MQ": (-61.0, 14.7),
    "RE": (55.5, -21.1), "SJ": (16.0, 78.5), "TK": (-171.8, -9.2), "TV": (179.2, -8.5),
    "UM": (-160.0, 0.4), "YT": (45.2, -12.8),
}  # fmt: skip

Point = tuple[float, float]


def project(longitude: float, latitude: float) -> Point:
    """Equal Earth (Šavrič, Patterson, Jenny 2018): areas stay true, as shades need it."""
    a, b, c, d = 1.340264, -0.081106, 0.000893, 0.003796
    t = asin(sqrt(3) / 2 * sin(radians(latitude)))
    x = radians(longitude) * cos(t) / (a + 3 * b * t**2 + t**6 * (7 * c + 9 * d * t**2))
    y = t * (a + b * t**2 + t**6 * (c + d * t**2))
    return 2 / sqrt(3) * x, -y


EDGE = project(180, 0)[0]
NORTH_EDGE, SOUTH_EDGE = project(0, 84)[1], project(0, SOUTH)[1]


def placed(longitude: float, latitude: float) -> Point:
    """A place on the drawing, from its upper left corner."""
    x, y = project((longitude - MIDDLE + 540) % 360 - 180, latitude)
    scale = WIDTH / (2 * EDGE)
    return (x + EDGE) * scale, (y - NORTH_EDGE) * scale


def simplified(points: list[Point]) -> list[Point]:
    """A line with no more points than TOLERANCE asks for (Douglas and Peucker), the ends kept."""
    if len(points) < 3:
        return points
    (x0, y0), (x1, y1) = points[0], points[-1]
    length = sqrt((x1 - x0) ** 2 + (y1 - y0) ** 2)

    def off(point: Point) -> float:
        x, y = point
        if not length:
            return sqrt((x - x0) ** 2 + (y - y0) ** 2)
        return abs((x1 - x0) * (y0 - y) - (x0 - x) * (y1 - y0)) / length

    farthest = max(range(1, len(points) - 1), key=lambda n: off(points[n]))
    if off(points[farthest]) <= TOLERANCE:
        return [points[0], points[-1]]
    return simplified(points[: farthest + 1])[:-1] + simplified(points[farthest:])


class Atlas:
    """One file of the package."""

    def __init__(self, path: Path):
        self.topology = json.loads(path.read_text("utf-8"))
        scale, shift = (self.topology["transform"][key] for key in ("scale", "translate"))
        self.lines = []
        for arc in self.topology["arcs"]:
            x = y = 0
            line = []
            for dx, dy in arc:
                x, y = x + dx, y + dy
                line.append((x * scale[0] + shift[0], y * scale[1] + shift[1]))
            self.lines.append(line)

    def countries(self):
        """(code or None, polygons): a polygon's first ring is its outline, others are holes."""
        aliases = get_global("territory_aliases")
        known = countries.names("en")
        for geometry in self.topology["objects"]["countries"]["geometries"]:
            # ISO 3166-1's numbers; CLDR knows which code each is.
            code = aliases.get(geometry.get("id"), [None])[0]
            many = geometry["type"] == "MultiPolygon"
            polygons = geometry["arcs"] if many else [geometry["arcs"]]
            yield code if code in known else None, polygons

    @staticmethod
    def ring(arcs: list[int], lines: list[list[Point]]) -> list[Point]:
        """Arcs joined to a ring; a number below zero is an arc run backwards."""
        points = []
        for arc in arcs:
            points += (lines[arc] if arc >= 0 else lines[~arc][::-1])[:-1]
        return points


def cut(ring: list[Point]) -> bool:
    """Whether the edges of the map run through it, as through one island in the Bering Strait."""
    across = [x for x, _ in ring]
    return max(across) - min(across) > WIDTH / 2


def area(ring: list[Point]) -> float:
    steps = pairwise([*ring, ring[0]])
    return abs(sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in steps)) / 2


def middle(ring: list[Point]) -> Point:
    """Of the box around it: enough for what is small."""
    return tuple((min(part) + max(part)) / 2 for part in zip(*ring, strict=True))


def path(ring: list[Point]) -> str:
    """A closed path in whole numbers, each after the first relative to the one before."""
    whole = [(round(x * FINENESS), round(y * FINENESS)) for x, y in ring]
    points = [p for n, p in enumerate(whole) if p != whole[n - 1]]
    if len(points) < 3:
        return ""
    text = f"M{points[0][0]} {points[0][1]}l"
    for (x0, y0), (x1, y1) in pairwise(points):
        for step in (x1 - x0, y1 - y0):
            text += f"{step}" if step < 0 or text[-1] == "l" else f" {step}"
    return text + "z"


def drawn(folder: Path) -> dict:
    """The shapes of countries and of land without a code, and the dots of those that are small."""
    coarse = Atlas(folder / "countries-110m.json")
    lines = [simplified([placed(*point) for point in line]) for line in coarse.lines]
    shapes, neutral, sizes = {}, "", {}
    for code, polygons in coarse.countries():
        if code == "AQ":
            continue
        outlines = [(coarse.ring(p[0], lines), p) for p in polygons]
        largest = max(area(outline) for outline, _ in outlines if not cut(outline))
        shape = "".join(
            path(coarse.ring(ring, lines))
            for outline, polygon in outlines
            if area(outline) >= min(SMALLEST, largest) and not cut(outline)
            for ring in polygon
        )
        if code:
            shapes[code] = shapes.get(code, "") + shape
            sizes[code] = sizes.get(code, 0) + sum(area(outline) for outline, _ in outlines)
        else:
            neutral += shape
    dots = {code: placed(*place) for code, place in PLACES.items()}
    for scale in ("50m", "10m"):
        fine = Atlas(folder / f"countries-{scale}.json")
        for code, polygons in fine.countries():
            if code and code != "AQ" and code not in dots and sizes.get(code, 0) < DOTTED:
                rings = [[placed(*p) for p in fine.ring(p[0], fine.lines)] for p in polygons]
                dots[code] = middle(max(rings, key=area))
    whole = {code: [round(part * FINENESS) for part in dot] for code, dot in sorted(dots.items())}
    height = (SOUTH_EDGE - NORTH_EDGE) * WIDTH / (2 * EDGE)
    return {
        "width": WIDTH * FINENESS,
        "height": round(height * FINENESS),
        "shapes": {code: shape for code, shape in sorted(shapes.items()) if shape},
        "neutral": neutral,
        "dots": whole,
    }


if __name__ == "__main__":
    with TemporaryDirectory() as folder:
        command = ["npm", "pack", "--silent", PACKAGE, "--pack-destination", folder]
        if subprocess.run(command, stdout=subprocess.DEVNULL).returncode:
            sys.exit(f"npm did not bring {PACKAGE}.")
        with tarfile.open(next(Path(folder).glob("*.tgz"))) as archive:
            archive.extractall(folder, filter="data")
        world = drawn(Path(folder) / "package")
    OUT.write_text(json.dumps(world, separators=(",", ":")) + "\n", "utf-8")
    print(f"{OUT}: {len(world['shapes'])} countries, {len(world['dots'])} dots")
