"""Makes what is passed on: QR code, A4 poster, paper sheets, badge, the pictures of links."""

import json
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import segno

TYPESET = Path(__file__).with_name("typeset.py")
LONGEST_SECONDS = 30  # A page takes 0.1; a hundred sheets of paper take 2.


def qr_code(address: str) -> str:
    """The address as a QR code: an SVG element that takes the size of its place."""
    out = BytesIO()
    segno.make(address, error="m").save(
        out, kind="svg", border=2, dark="#1d1b18", light="#ffffff", xmldecl=False, omitsize=True
    )
    return out.getvalue().decode()


def poster(words: dict[str, str]) -> bytes:
    """An A4 page as PDF. `words` as `prints/poster.typ` names them."""
    return _typeset("poster.typ", words, format="pdf")


def sheets(words: dict[str, str], numbers: dict[int, str]) -> bytes:
    """An A4 page as PDF for each number, with a QR code of its address. `words` as
    `prints/sheet.typ` names them."""
    each = [{"number": str(n), "qr": qr_code(address)} for n, address in numbers.items()]
    return _typeset("sheet.typ", words | {"sheets": each}, format="pdf")


def picture(words: dict[str, str]) -> bytes:
    """1200 by 630 pixels as PNG. `words` as `prints/picture.typ` names them."""
    return _typeset("picture.typ", words, format="png", ppi=144)


def badge(words: dict[str, str]) -> bytes:
    """720 by 260 pixels as PNG, for half as many on a page. `words` as `prints/badge.typ` names
    them."""
    return _typeset("badge.typ", words, format="png", ppi=144)


def milestone(words: dict) -> bytes:
    """1200 by 630 pixels as PNG. `words` as `prints/milestone.typ` names them."""
    return _typeset("milestone.typ", words, format="png", ppi=144)


def rounded_down(count: int) -> int:
    """A count that stays true while a picture is kept: two leading digits, nothing under ten."""
    if count < 10:
        return 0
    step = 10 ** (len(str(count)) - 2)
    return count - count % step


def _typeset(name: str, words: dict, **output) -> bytes:
    """By a program of its own, whose memory ends with it. Raises CalledProcessError or
    TimeoutExpired, which hold nothing of `words`."""
    asked = json.dumps({"name": name, "words": words, "output": output})
    # Isolated (-I): nothing of the directory or environment in which the site runs is imported.
    return subprocess.run(  # noqa: S603 - our own program.
        [sys.executable, "-I", TYPESET], input=asked.encode(), stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL, timeout=LONGEST_SECONDS, check=True,
    ).stdout  # fmt: skip
