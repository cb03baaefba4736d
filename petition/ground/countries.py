"""The countries a signer may choose, by ISO 3166-1 alpha-2 code, named by Unicode CLDR."""

import unicodedata
from functools import cache

from babel import Locale

# Where the campaign was launched (CAMPAIGN.md), in the order of its cities: shown first.
LAUNCH = ("MA", "LB", "PS", "EG", "TN", "ES", "BE", "FR")

# In CLDR, but no ISO 3166-1 country: exceptional reservations, groupings and test codes.
NOT_ISO = frozenset(
    ["AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "XK", "ZZ"]
)

# ISO 3166-1 says "Palestine, State of"; CLDR still says "Palestinian Territories".
NAMES = {"PS": {"ar": "فلسطين", "fr": "Palestine", "en": "Palestine"}}


def sort_key(name: str) -> str:
    """Letters without their marks, so that É stands beside E and أ beside ا."""
    return "".join(c for c in unicodedata.normalize("NFKD", name.casefold()) if c.isalnum())


@cache
def names(language: str) -> dict[str, str]:
    """`{code: name}` in the language: launch countries first, the others by name."""
    territories = Locale.parse(language).territories
    every = {
        code: NAMES.get(code, {}).get(language, name)
        for code, name in territories.items()
        if len(code) == 2 and code.isalpha() and code not in NOT_ISO
    }
    others = sorted(every.keys() - set(LAUNCH), key=lambda code: sort_key(every[code]))
    return {code: every[code] for code in (*LAUNCH, *others)}
