"""Reads what people evidently meant: keyboards, messengers and spreadsheets add to what is typed.

Unicode's own data say what a digit is (`unicodedata.decimal`) and what looks alike (NFKC).
"""

import re
import unicodedata
from datetime import date
from functools import cache

from babel.dates import get_month_names
from django.http import QueryDict

# Characters that show nothing and mean nothing in a single line: soft hyphen, zero-width space,
# marks of direction, word joiner, byte order mark. The joiners U+200C and U+200D are letters' own.
INVISIBLE = frozenset(
    "\u00ad\u061c\u180e\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2061\u2062\u2063"
    "\u2064\u2066\u2067\u2068\u2069\u206a\u206b\u206c\u206d\u206e\u206f\ufeff"
)
JOINERS = frozenset("\u200c\u200d")

_no_invisible = {ord(character): None for character in INVISIBLE}
_no_joiners = {ord(character): None for character in INVISIBLE | JOINERS}
_bare_name = {ord(mark): None for mark in "ًٌٍَُِّْـ."}  # Short vowels, dots of abbreviations.

# Between the digits of one number: spaces, the Arabic separator, apostrophes of Switzerland.
GROUPED = re.compile(r"\d{1,3}(?:[\s٬'’]\d{3})+")
DAY_LAST = re.compile(r"(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})")
DAY_FIRST = re.compile(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})")
NAMED_MONTH = re.compile(r"(\d{1,2})(?:er)?\s+(\D+?)\s+(\d{4})")
LOCALES = ("ar", "ar_LB", "ar_MA", "fr", "en")  # Months have three Arabic names each.


def visible(text: str) -> str:
    """The text without characters that show nothing."""
    return text if text.isascii() else text.translate(_no_invisible)


def plain(text: str) -> str:
    """A technical text (an address, a code, a number) in its plainest form: compatible characters
    as one (NFKC), digits of any script as ASCII, nothing invisible, no space at either end."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text.translate(_no_joiners))
        text = "".join(_ascii_digit(character) for character in text)
    return text.strip()


def whole_number(text: str) -> int | None:
    """A number as people write it, its thousands apart or not; None where it is no whole one."""
    number = plain(text)
    if GROUPED.fullmatch(number):
        number = re.sub(r"\D", "", number)
    return int(number) if re.fullmatch(r"[0-9]{1,18}", number) else None


def day(text: str) -> date | None:
    """A day as people write it: the year first or the day first, the month a number or a name;
    None where it is none. The month never comes first: nobody in the launch countries does it."""
    written = " ".join(plain(text).split())
    try:
        if found := DAY_LAST.fullmatch(written):
            return date(*map(int, found.groups()))
        if found := DAY_FIRST.fullmatch(written):
            first, month, year = map(int, found.groups())
            return date(year, month, first)
        if found := NAMED_MONTH.fullmatch(written):
            return date(int(found[3]), _months()[_bare(found[2])], int(found[1]))
    except (ValueError, KeyError):
        pass
    return None


def mended(data: QueryDict) -> QueryDict:
    """What a form or an address brought, its single lines without what shows nothing. Passwords
    stay as they are, and so do longer texts, in which a mark of direction may be meant."""
    if all(value.isascii() for values in data.lists() for value in values[1]):
        return data
    fixed = data.copy()
    for name, values in data.lists():
        if "password" not in name:
            fixed.setlist(name, [v if "\n" in v else visible(v) for v in values])
    return fixed


def _ascii_digit(character: str) -> str:
    value = unicodedata.decimal(character, None)
    return character if value is None else str(value)


@cache
def _months() -> dict[str, int]:
    """`{name: 1 to 12}`, long and short, in each language of the site."""
    return {
        _bare(name): number
        for locale in LOCALES
        for width in ("wide", "abbreviated")
        for number, name in get_month_names(width, locale=locale).items()
    }


def _bare(name: str) -> str:
    return " ".join(name.translate(_bare_name).casefold().split())
