"""Finds names and places in running text, however they are written."""

import re
import unicodedata
from collections.abc import Iterable

# The letters that Arabic is often written without care for.
PLAIN_ARABIC = str.maketrans({"ى": "ي", "ة": "ه", "ٱ": "ا"})


def mentioned(names: Iterable[str], text: str) -> list[str]:
    """Those of the names that the text tells, as whole words in their order."""
    told = f" {plain(text)} "
    return [name for name in names if plain(name) and f" {plain(name)} " in told]


def plain(words: str) -> str:
    """Letters and digits alone, without marks and case, Arabic letters in their plain shape."""
    letters = unicodedata.normalize("NFKD", words).casefold().replace("ـ", "")
    letters = "".join(c for c in letters if not unicodedata.combining(c))
    return re.sub(r"[\W_]+", " ", letters.translate(PLAIN_ARABIC)).strip()
