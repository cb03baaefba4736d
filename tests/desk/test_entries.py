"""What was done, as it is read on the desk: every act, whatever its details are, in words."""

import ast
import re
from html import unescape

import pytest
from django.conf import settings
from django.utils.translation import override

from petition import audit
from petition.desk import entries
from petition.models import Entry
from tests.making import DETAILS, make_coordinator, make_entries

pytestmark = pytest.mark.django_db

LIST = "/admin/petition/entry/"
# Titles, addresses, accounts, file formats, languages by their own names, moments.
SHOWN_AS_TYPED = re.compile(
    r"sample[\w.-]*|5ca1ab1e|csv|about|fate|Français|English|UTC|\d{4}-\d\d-\d\dT[\d:+]+"
)


@pytest.fixture
def administrator(client):
    client.force_login(make_coordinator("administrator"))
    return client


def written_keys() -> set[str]:
    """The names of the details in every call that appends an entry."""
    found = set()
    for path in (settings.BASE_DIR / "petition").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("audit.append", "_record"):
                found |= {keyword.arg for keyword in node.keywords if keyword.arg}
    return found


def test_there_is_an_example_of_every_act_and_a_word_for_every_detail():
    assert set(DETAILS) == set(Entry.Act.values)
    assert len(written_keys()) > 20
    examples = {key for detail in DETAILS.values() for key in detail}
    assert (written_keys() | examples) - set(entries.KEYS) == set()


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_the_list_and_every_entry_open_in_words(administrator, language):
    every = make_entries()
    administrator.cookies["django_language"] = language
    listed = page = administrator.get(LIST).content.decode()
    while older := re.search(r'href="([^"]+)" rel="next"', page):
        page = administrator.get(LIST + unescape(older[1])).content.decode()
        listed += page
    assert listed.count('class="field-number"') == len(every)
    for entry in every:
        response = administrator.get(f"{LIST}{entry.pk}/change/")
        assert response.status_code == 200
        said = response.content.decode()
        with override(language):
            assert str(entry.get_act_display()) in said.replace("&#x27;", "'")
            told = f"{entries.subject(entry)} {entries.details(entry)}"
        if language == "ar":
            assert re.findall(r"[A-Za-z]{2,}", SHOWN_AS_TYPED.sub("", told)) == [], told


@pytest.mark.parametrize(
    ("value", "said"),
    [(["name", "search"], "the name, search engines may list it"), ([], "—"), (None, "—"),
     (True, "yes"), (False, "no"), ({"was": "held"}, "was suspended"), (7, "7"), (1.5, "1.5"),
     ([["name"], {"to": None}], "the name, to —"), ("unknown word", "unknown word")],
)  # fmt: skip
def test_whatever_json_a_detail_holds_is_said(value, said):
    entry = Entry(act="consent", detail={"scope": value})
    with override("en"):
        assert entries.details(entry) == f"may be shown: {said}"


def test_what_a_later_release_writes_is_shown_as_it_is(administrator):
    entry = audit.append(None, "case", "moon 7", phase={"of": ["the moon"]})

    page = administrator.get(f"{LIST}{entry.pk}/change/").content.decode()
    assert "moon 7" in page
    assert "phase: of the moon" in page
