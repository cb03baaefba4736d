"""The frames in which other sites show the counter: their sizes, and which one fits."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Size:
    """A frame, in CSS pixels. What it shows fits into it (static/css/embed.css)."""

    name: str
    width: int
    height: int


SMALLEST = Size("small", 320, 100)
DEFAULT = Size("medium", 400, 180)
LARGEST = Size("large", 640, 320)
SIZES = {size.name: size for size in (SMALLEST, DEFAULT, LARGEST)}
AUTO = "auto"  # As each reader's browser wishes.
THEMES = (AUTO, "light", "dark")


def size(name: str | None) -> Size:
    """The size of a name; the default one where there is no such name: no frame stays empty."""
    return SIZES.get(name or "", DEFAULT)


def theme(name: str | None) -> str:
    """A theme; AUTO where there is none of that name."""
    return name if name in THEMES else AUTO


def fits(width: int, height: int, max_width: int | None, max_height: int | None) -> bool:
    """Is it within the limits that are given?"""
    return (max_width is None or width <= max_width) and (
        max_height is None or height <= max_height
    )


def largest(max_width: int | None = None, max_height: int | None = None) -> Size | None:
    """The largest within the limits that are given; None where none is."""
    fitting = [s for s in SIZES.values() if fits(s.width, s.height, max_width, max_height)]
    return fitting[-1] if fitting else None
