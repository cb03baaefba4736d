"""The countries a signer may choose, by ISO 3166-1 alpha-2 code, named by Unicode CLDR; read from
a name as well, as lists of paper sheets have it."""

import unicodedata
from functools import cache

from babel import Locale

from petition.ground import typed
from petition.ground.languages import LANGUAGES

# Where the campaign was launched (CAMPAIGN.md), in the order of its cities: shown first.
LAUNCH = ("MA", "LB", "PS", "EG", "TN", "ES", "BE", "FR")

# In CLDR, but no country: exceptional reservations, groupings and test codes. Kosovo (XK) has no
# code in ISO 3166-1 either; people who live there choose it as CLDR names it.
NOT_ISO = frozenset(
    ["AC", "CP", "CQ", "DG", "EA", "EU", "EZ", "IC", "QO", "TA", "UN", "XA", "XB", "ZZ"]
)

# ISO 3166-1 says "Palestine, State of"; CLDR still says "Palestinian Territories".
NAMES = {"PS": {"ar": "فلسطين", "fr": "Palestine", "en": "Palestine"}}

# What people write beside CLDR's name.
OTHER_NAMES = {
    "USA": "US", "Etats-Unis d’Amérique": "US", "America": "US", "أمريكا": "US",
    "الولايات المتحدة الأمريكية": "US", "UK": "GB", "Great Britain": "GB", "England": "GB",
    "Grande-Bretagne": "GB", "Angleterre": "GB", "بريطانيا": "GB", "إنجلترا": "GB",
    "UAE": "AE", "Emirats": "AE", "الإمارات": "AE", "السعودية": "SA", "KSA": "SA",
    "Holland": "NL", "Hollande": "NL", "Turkey": "TR", "Czech Republic": "CZ",
    "State of Palestine": "PS", "Etat de Palestine": "PS", "دولة فلسطين": "PS", "Gaza": "PS",
    "West Bank": "PS", "الضفة الغربية": "PS", "غزة": "PS", "المملكة المغربية": "MA",
    "الجمهورية اللبنانية": "LB", "جمهورية مصر العربية": "EG", "سورية": "SY",
}  # fmt: skip


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


@cache
def _codes() -> dict[str, str]:
    """`{name: code}`, from the names in the three languages and from the codes themselves."""
    named = {
        sort_key(name): code
        for language in LANGUAGES
        for code, name in [*Locale.parse(language).territories.items(), *names(language).items()]
        if code in names("en")
    }
    return (
        named
        | {sort_key(name): code for name, code in OTHER_NAMES.items()}
        | {code.casefold(): code for code in names("en")}
    )


def code(text: str) -> str | None:
    """The country that a text names, by its code or in any of the three languages."""
    return _codes().get(sort_key(typed.visible(text)))
