"""Finds names and places in running text, however they are written there."""

import html
import re
import unicodedata
from collections.abc import Iterable
from urllib.parse import unquote

# The letters that Arabic is often written without care for.
PLAIN_ARABIC = str.maketrans({"ى": "ي", "ة": "ه", "ٱ": "ا"})
# Written apart or together, as people like.
JOINED = re.compile(r"\b(عبد|ابو|ابي|ابا|بن|ابن|abd|abu)\s+")
ARTICLE_APART = re.compile(r"\b(?:al|el)\s+")
# What Arabic writes onto the word: "and", "so", "in", "to", "like"; then the article.
PREFIXES = re.compile(r"[وفبلك]{1,2}(?=\w{3})")
ARTICLE = re.compile(r"(?:ال|لل|al|el)(?=\w{3})")
# Between two words of a name so many others may stand.
BETWEEN = 2


def mentioned(names: Iterable[str], text: str, *, whole: bool = False) -> list[str]:
    """Those of the names that the text tells: a name of one word by that word, of more by two of
    them near each other, or where `whole` by all of them."""
    places = _places(text)
    return [name for name in names if _is_told(_name(name), places, whole=whole)]


def told_words(names: Iterable[str], text: str) -> list[str]:
    """The single words of the names that the text has: for somebody to look at each."""
    places = _places(text)
    every = dict.fromkeys(word for name in names for word in _plain(name).split())
    return [word for word in every if len(word) > 2 and places.keys() & _forms(word)]


def _is_told(name: list[set[str]], places: dict[str, set[int]], *, whole: bool) -> bool:
    found = [set().union(*(places.get(form, ()) for form in forms)) for forms in name]
    if not found:
        return False
    needed = len(name) if whole else min(2, len(name))
    for start in set().union(*found):
        near = range(start, start + needed + BETWEEN)
        if sum(any(place in near for place in each) for each in found) >= needed:
            return True
    return False


def _name(name: str) -> list[set[str]]:
    """The words by which somebody is known: not the numbers."""
    return [_forms(word) for word in _plain(name).split() if not word.isdigit()]


def _places(text: str) -> dict[str, set[int]]:
    """Where each form of each word stands."""
    places: dict[str, set[int]] = {}
    for number, forms in enumerate(_words(text)):
        for form in forms:
            places.setdefault(form, set()).add(number)
    return places


def _words(text: str) -> list[set[str]]:
    return [_forms(word) for word in _plain(text).split()]


def _forms(word: str) -> set[str]:
    """A word with and without what may be written onto it."""
    forms = {word, PREFIXES.sub("", word, count=1) if PREFIXES.match(word) else word}
    return forms | {ARTICLE.sub("", form, count=1) for form in forms if ARTICLE.match(form)}


def _plain(words: str) -> str:
    """Letters and digits alone, as they are seen: without marks, case and what is not drawn, Arabic
    letters in their plain shape, addresses and entities read."""
    seen = html.unescape(unquote(words))
    seen = "".join(c for c in seen if unicodedata.category(c) != "Cf")
    seen = re.sub(r"(?<=\w)[*~`]+(?=\w)", "", seen)  # Emphasis inside a word.
    seen = unicodedata.normalize("NFKD", seen).casefold().replace("ـ", "")
    seen = "".join(c for c in seen if not unicodedata.combining(c)).translate(PLAIN_ARABIC)
    return ARTICLE_APART.sub("", JOINED.sub(r"\1", re.sub(r"[\W_]+", " ", seen)))
