"""Shows what differs between two texts: what was taken out and what was put in."""

import re
from difflib import SequenceMatcher

from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

PARAGRAPH = re.compile(r"[^\n]+|\n+")
# A word with what stands at it: inside of one, a mark would tear joined letters apart.
WORD = re.compile(r"[^\S\n]*\S+[^\S\n]*|\s+")


def marked(before: str, after: str) -> SafeString:
    """Both texts in one, as HTML: in <del> what only the former has, in <ins> what only the latter.

    Paragraphs are compared first, and words only in those that differ.
    """
    return mark_safe("".join(_parts(before, after, PARAGRAPH)))  # noqa: S308 - each is escaped.


def _parts(before: str, after: str, unit: re.Pattern):
    former, latter = unit.findall(before), unit.findall(after)
    matcher = SequenceMatcher(None, former, latter)  # Its "autojunk" keeps long texts fast.
    for what, i, j, k, m in matcher.get_opcodes():
        gone, come = "".join(former[i:j]), "".join(latter[k:m])
        if what == "equal":
            yield format_html("{}", gone)
        elif what == "replace" and unit is PARAGRAPH:
            yield from _parts(gone, come, WORD)
        else:
            yield _wrapped("del", gone) + _wrapped("ins", come)


def _wrapped(tag: str, text: str) -> SafeString:
    return format_html("<{0}>{1}</{0}>", tag, text) if text else SafeString("")
