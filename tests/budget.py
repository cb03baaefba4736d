"""How many made-up cases a property test tries: few in the suite, many in `make fuzz`."""

import os

FUZZ = float(os.environ.get("FUZZ", "0"))
FUZZ_FACTOR = 50


def examples(in_the_suite: int) -> int:
    """`make fuzz` tries fifty times as many, and FUZZ times that."""
    return round(in_the_suite * max(FUZZ * FUZZ_FACTOR, 1))
