"""The three languages: their names, directions and number formats."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from babel import Locale
from babel.dates import format_date
from babel.lists import format_list
from babel.numbers import format_decimal, format_percent
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True)
class Language:
    """`code` is ISO 639-1 and the first part of every public address."""

    code: str
    name: str
    direction: str


# The first is where nothing fits what a visitor's browser asks for.
LANGUAGES = {
    "ar": Language("ar", "العربية", "rtl"),
    "fr": Language("fr", "Français", "ltr"),
    "en": Language("en", "English", "ltr"),
}
DEFAULT = "ar"
# For columns and fields: named in the reader's language.
CHOICES = [("ar", _("Arabic")), ("fr", _("French")), ("en", _("English"))]


def in_other_languages(path: str) -> dict[str, str]:
    """The same public page in each language, `{code: path}`; empty for a path without one."""
    first, _, rest = path.lstrip("/").partition("/")
    if first not in LANGUAGES:
        return {}
    return {code: f"/{code}/{rest}" for code in LANGUAGES}


def named(codes: Iterable[str], code: str) -> str:
    """Some of the languages in one sentence of a language, such as "Arabic and French"."""
    names = Locale.parse(code).languages
    return format_list([names[other] for other in codes], locale=code)


def number(value: int, code: str) -> str:
    """A whole number as the language groups it (Unicode CLDR).

    Arabic takes European digits: they are read from Rabat to Gaza, the Arabic-Indic ones are not.
    """
    return format_decimal(value, locale=code)


def percent(part: int, whole: int, code: str, *, nearest: bool = False) -> str:
    """A share with one decimal, rounded down: 99.99 % is not yet the goal. To the `nearest` where
    shares stand beside each other."""
    half = whole // 2 if nearest else 0
    thousandths = (part * 1000 + half) // whole if whole else 0
    with_one_decimal = Locale.parse(code).percent_formats[None].pattern.replace("0", "0.#", 1)
    return format_percent(thousandths / 1000, format=with_one_decimal, locale=code)


def day(value: date, code: str) -> str:
    """A day in words. French counts the first of a month."""
    text = format_date(value, "d MMMM y", locale=code)
    return text.replace("1", "1er", 1) if value.day == 1 and code == "fr" else text
