"""Typesets one page, as a program of its own that `sharing` starts: the typesetter, its fonts and
what it remembers take more than 20 MB, which each web process would keep for good.

Reads `{"name", "words", "output"}` as JSON from standard input: a file of `prints/`, what it calls
words, and how `typst.compile` is to write it. Writes the PDF or PNG to standard output.
"""

import json
import os
import sys
from pathlib import Path

import typst

HERE = Path(__file__).parent


def use_all_cores() -> None:
    """A web process keeps to one core (`gunicorn.conf.py`), where others wait for it."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, range(os.cpu_count() or 1))


def main() -> None:
    use_all_cores()
    asked = json.load(sys.stdin)
    # Our own fonts alone, so that a page looks the same on every machine. What `words` hold is text
    # to Typst, never markup.
    made = typst.compile(
        HERE / "prints" / asked["name"],
        font_paths=[HERE / "fonts"],
        ignore_system_fonts=True,
        sys_inputs={"words": json.dumps(asked["words"])},
        **asked["output"],
    )
    sys.stdout.buffer.write(made)


if __name__ == "__main__":
    main()
