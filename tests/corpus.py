# ruff: noqa: E501 - a list of what people and programs send.
"""What attackers send, and how an answer to it has to be: never a 500, never late, and nothing of it
comes back as markup. `make fuzz` adds made-up mixtures, and says in the end how many inputs there were."""

import os
import random
import re
import time
from pathlib import Path

from tests.budget import FUZZ

CORPUS = [
    # Markup, script, templates
    "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "'><svg/onload=alert(1)>",
    "javascript:alert(1)", "{{7*7}}", "{% debug %}", "${7*7}", "<!--", "]]>", "<!DOCTYPE x [<!ENTITY a 'b'>]>",
    "<?xml version='1.0'?><!DOCTYPE l [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]><l>&b;</l>",
    # SQL, shells, formulas, paths
    "' OR '1'='1", "1; DROP TABLE petition_signature; --", "\\'; SELECT pg_sleep(9); --", "%27%20OR%201=1",
    "$(sleep 9)", "`sleep 9`", "| cat /etc/passwd", "=HYPERLINK(\"http://x\")", "@SUM(1)", "+1+1", "-1",
    "../../../../etc/passwd", "..%2f..%2f", "/proc/self/environ", "file:///etc/passwd",
    "http://169.254.169.254/", "C:\\con",
    # Lines, nulls, directions, look-alikes
    "a\r\nBcc: b@example.org", "a\nSet-Cookie: x=1", "\x00", "a\x00b", "\x1b[2J", "\u202etxt.exe", "\u2066x\u2069",
    "\u200b\u200c\u200d", "\ufeff", "ａｄｍｉｎ", "аdmin", "𝔞𝔡𝔪𝔦𝔫", "\u0301" * 40, "Z̷a̷l̷g̷o̷" * 20, "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
    "\U000e0041\U000e0042", "\u3164", "﷽" * 30, "ﷺ", "١٢٣", "𝟏𝟐𝟑",
    # Sizes and numbers
    "", " ", "A" * 5000, "أ" * 2000, "9" * 400, "1e309", "NaN", "Infinity", "-0", "0x41", "1_000", "٫", "99999999999999999999",
    # Shapes
    "[]", "{}", "[" * 200, "{\"a\":" * 50, "null", "true", "undefined", "a[]=1", "a=1&a=2", ";", "%", "%zz", "%00", "\\",
]  # fmt: skip
MIXTURES = round(300 * FUZZ)
COUNTS = Path("var/fuzz")  # A file for each process, which `make fuzz` adds up.


def _mixture(chance: random.Random) -> str:
    """Pieces of two entries, cut, repeated or with any character of Unicode in between."""
    first, second = chance.choices(CORPUS, k=2)
    cut = chance.randrange(len(first) + 1)
    between = "".join(chr(chance.randrange(1, 0x2FFFF)) for _ in range(chance.randrange(4)))
    between = between.encode("utf-8", "ignore").decode()
    return (first[:cut] + between + second + first[cut:]) * chance.choice((1, 1, 1, 3))


# A busy machine is slow; a bomb takes minutes. `make fuzz` has the machine to itself.
SECONDS_AT_MOST = 1 if FUZZ else 5


def some(share: float, at_length: int | None = None) -> list[str]:
    """A part of the corpus in the suite; in `make fuzz` all of it and mixtures, or `at_length` of
    these."""
    if FUZZ:
        chance = random.Random()  # noqa: S311
        every = CORPUS + [_mixture(chance) for _ in range(MIXTURES)]
        return chance.sample(every, min(len(every), at_length or len(every)))
    return random.Random(share).sample(CORPUS, max(1, round(len(CORPUS) * share)))  # noqa: S311


def _count() -> None:
    if FUZZ:
        COUNTS.mkdir(parents=True, exist_ok=True)
        with (COUNTS / str(os.getpid())).open("a") as file:
            file.write(".")


def ask(client, method: str, path: str, *args, **options):
    """The answer to an input, looked at."""
    _count()
    began = time.monotonic()
    answer = getattr(client, method)(path, *args, **options)
    assert answer.status_code < 500, (method, path[:80], str(args)[:80], str(options)[:120])
    assert time.monotonic() - began < SECONDS_AT_MOST, (method, path[:80])
    if answer.streaming:
        answer.close()
        return answer
    page = answer.content
    if "html" in answer.headers.get("Content-Type", ""):
        for markup in (b"<script>alert", b"<img src=x", b"<svg/onload"):
            assert markup not in page, (method, path[:80])
        if "7*7" in str(args):  # A template would have calculated it.
            assert not re.search(rb">\s*49\s*<", page), (method, path[:80])
    assert "Bcc" not in answer.headers
    assert not any("\n" in value or "\r" in value for value in answer.headers.values())
    assert "x=1" not in answer.headers.get("Set-Cookie", "")
    return answer
