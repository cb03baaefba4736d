# ruff: noqa: E501 - lists of words.
"""One thing has one name in each language (docs/words.md): the words that it is not called by stand in
no string of the interface and in no shipped text."""

import re

import pytest
from babel.messages.pofile import read_po
from django.conf import settings

from petition.campaign import texts
from tests.glossary import AVOIDED, avoided

pytestmark = pytest.mark.once


def strings(language: str) -> dict[str, str]:
    """Everything that a reader of a language may see of ours, and where it stands."""
    found = {}
    if language == "en":
        path = settings.BASE_DIR / "locale" / "ar" / "LC_MESSAGES" / "django.po"
    else:
        path = settings.BASE_DIR / "locale" / language / "LC_MESSAGES" / "django.po"
    with path.open("rb") as file:
        for message in read_po(file):
            said = message.id if language == "en" else message.string
            for text in said if isinstance(said, tuple) else (said,):
                found[str(message.id)[:60]] = text
    for path in (texts.SHIPPED / language).glob("*.md"):
        if not re.fullmatch(r"consent-[123]", path.stem):  # Never changed: people agreed to them.
            found[path.name] = path.read_text("utf-8")
    return found


@pytest.mark.parametrize("language", AVOIDED)
def test_no_string_has_a_word_that_the_glossary_avoids(language):
    said = strings(language)
    assert len(said) > 800
    assert {
        where: found for where, text in said.items() if (found := avoided(text, language))
    } == {}


def test_the_glossary_names_each_of_these_words():
    glossary = (settings.BASE_DIR / "docs" / "words.md").read_text("utf-8")
    for word in (
        "تصفية",
        "حصيلة",
        "بصمة",
        "كنس",
        "balayage",
        "arrêter",
        "bilan",
        "sweep",
        "hand over",
    ):
        assert f"`{word}" in glossary, word
