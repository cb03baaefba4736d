"""The page for the press: true sentences, an embed that can be taken, files that are there."""

import json
import re
from datetime import UTC, datetime
from html import unescape

import pytest
from django.core.cache import caches
from django.utils import timezone, translation
from django.utils.translation import gettext

from petition.figures import api, manual
from petition.ground import languages
from petition.models import Text, TextVersion
from petition.signing import tallies
from tests.making import State, make_case, make_signature

pytestmark = [pytest.mark.django_db, pytest.mark.once]

LANGUAGES = ("ar", "fr", "en")
TAG = re.compile(r"<[^>]+>")


def page_of(client, address: str = "/en/press/") -> str:
    return client.get(address).content.decode()


def quotes(page: str) -> dict[str, str]:
    """What each sentence says, `{language: words}`, and that it says in which language it is."""
    found = re.findall(
        r'<blockquote class="quote" id="quote-(\w\w)" lang="\1" dir="(\w+)">(.*?)</blockquote>',
        page, re.DOTALL,
    )  # fmt: skip
    assert [(code, way) for code, way, _ in found] == [("ar", "rtl"), ("fr", "ltr"), ("en", "ltr")]
    return {code: unescape(TAG.sub("", said)).strip() for code, _, said in found}


def count_many(total: int) -> None:
    """The counter as after so many signatures."""
    tallies.add({tallies.TOTAL: total})
    caches["process"].clear()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_has_the_sentence_in_three_languages_with_the_number_of_now(client, language):
    count_many(123_456)
    said = quotes(page_of(client, f"/{language}/press/"))
    for code, words in said.items():
        assert languages.number(123_456, code) in words
        assert languages.number(tallies.GOAL, code) in words
        assert re.search(r"\b\d\d:\d\d\b", words)
        assert "UTC" in words
    assert "“One Million Signatures”" in said["en"]
    assert "123,456 confirmed signatures" in said["en"]


def test_the_sentence_says_the_day_and_the_minute_at_which_the_page_was_made(client, monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: datetime(2026, 5, 1, 9, 7, tzinfo=UTC))
    said = quotes(page_of(client))
    assert said["en"].startswith("On 1 May 2026 at 09:07 UTC,")


def test_the_sentence_follows_the_count(client):
    assert "0 confirmed signatures" in quotes(page_of(client))["en"]
    make_signature(state=State.COUNTED)
    caches["process"].clear()
    assert "1 confirmed signature," in quotes(page_of(client))["en"]


def test_a_sentence_about_sample_data_says_so_itself(client):
    assert "Sample data" not in quotes(page_of(client))["en"]
    make_case(sample=True)
    caches["process"].clear()
    assert quotes(page_of(client))["en"].startswith("Sample data – On ")


def test_the_method_is_a_text_that_editors_change(client):
    assert "What is not checked" in page_of(client)
    Text.objects.filter(slug="press", language="en").update(title="T.", body="Zz method.")
    caches["process"].clear()
    page = page_of(client)
    assert "<h1>T.</h1>" in page
    assert "Zz method." in page


def test_the_shipped_method_is_there_where_the_database_has_none(client):
    TextVersion.objects.filter(text__slug="press").delete()
    Text.objects.filter(slug="press").delete()
    caches["process"].clear()
    assert "What is not checked" in page_of(client)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("size", ["small", "medium", "large"])
@pytest.mark.parametrize("theme", ["auto", "light", "dark"])
def test_the_preview_shows_what_the_code_gives(client, language, size, theme):
    page = page_of(client, f"/{language}/press/?size={size}&theme={theme}")
    (shown,) = re.findall(r"<iframe [^>]*>", page)
    code = unescape(page.partition("<code>")[2].partition("</code>")[0])
    assert code.startswith("<iframe ")
    assert code.endswith("</iframe>")

    def address(of):
        return unescape(re.search(r'src="([^"]+)"', of)[1]).removeprefix("http://testserver")

    assert address(shown) == address(code)
    for name in ("width", "height"):
        found = re.search(rf'{name}="(\d+)"', shown)
        assert found[0] in code
    assert client.get(address(code)).status_code == 200
    assert page.count('aria-current="true">') - 1 == 2  # Besides the page's language.


def test_an_unknown_choice_shows_the_usual_embed(client):
    usual = page_of(client).partition("<pre")[2].partition("</pre>")[0]
    odd = page_of(client, "/en/press/?size=%00&theme=<b>").partition("<pre")[2]
    assert odd.partition("</pre>")[0] == usual
    assert "<b>" not in odd.partition("</section>")[0]


def test_this_page_alone_may_show_frames_and_only_our_own(client):
    assert "frame-src 'self'" in client.get("/en/press/")["Content-Security-Policy"]
    assert "frame-src" not in client.get("/en/about/")["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in client.get("/en/press/")["Content-Security-Policy"]


@pytest.mark.parametrize("path", ["press/", "press/api/"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_no_link_of_the_page_leads_nowhere(client, language, path):
    make_signature(state=State.COUNTED)
    page = page_of(client, f"/{language}/{path}")
    main = page.partition("<main")[2].partition("</main>")[0]
    ours = {
        unescape(address).removeprefix("http://testserver")
        for address in re.findall(r'(?:href|src)="((?:/|http://testserver)[^"#]*)"', main)
    }
    assert len(ours) > 10
    answers = {address: client.get(address).status_code for address in ours}
    assert {address: status for address, status in answers.items() if status != 200} == {}


def test_an_address_to_write_to_is_shown_where_there_is_one(client, settings):
    assert "mailto:" not in page_of(client)
    settings.CONTACT_EMAIL = "press@example.org"
    assert 'href="mailto:press@example.org"' in page_of(client)


def test_the_page_costs_no_statement_once_it_is_warm(client, django_assert_num_queries):
    client.get("/fr/press/")
    client.get("/ar/press/")
    with django_assert_num_queries(0):
        assert client.get("/fr/press/").status_code == 200


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_leads_to_it_and_search_engines_find_it(client, language):
    assert f'href="/{language}/press/"' in page_of(client, f"/{language}/about/")
    sitemap = page_of(client, "/sitemap.xml")
    for path in ("press/", "press/api/"):
        assert f"<loc>http://testserver/{language}/{path}</loc>" in sitemap


@pytest.mark.parametrize("language", ["ar", "fr"])
def test_what_the_api_says_of_itself_is_translated(client, language):
    """Every word of the OpenAPI document that the page shows is in the catalogue."""
    shown = set()
    for address in manual.addresses(api.document().said):
        shown |= {address.summary, *(form.description for form in address.forms)}
        shown |= {meaning for _, meaning in [*address.parameters, *address.fields]}
    shown = {words for words in shown if words and not words.startswith("https://")}
    assert len(shown) > 40
    with translation.override(language):
        assert [words for words in sorted(shown) if gettext(words) == words] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_examples_of_the_api_are_what_it_says_now(client, language):
    tallies.add({tallies.TOTAL: 4321})
    caches["process"].clear()
    page = unescape(page_of(client, f"/{language}/press/api/"))
    example = page.partition("/api/v1/counter.json</a>")[2].partition("<code>")[2]
    said = json.loads(example.partition("</code>")[0])
    assert said == client.get("/api/v1/counter.json").json()
    assert said["total"] == 4321


def test_a_long_answer_is_shown_from_its_beginning():
    shown = manual.shortened({"hours": [{"at": n} for n in range(9)], "total": 9})
    assert json.loads(shown) == {"hours": [{"at": 0}, {"at": 1}, "…"], "total": 9}
    lines = manual.shortened("\r\n".join(str(n) for n in range(50))).split("\n")
    assert lines == [*map(str, range(8)), "…"]
    assert manual.shortened("a\r\nb\r\n") == "a\nb"


def test_every_field_of_an_answer_is_explained(client):
    """What an answer holds has its line on the page, also within lists."""
    page = page_of(client, "/en/press/api/")
    for name in ("today.came", "by_country[].count", "states.held", "hours[].taken_out",
                 "corrections[].reason", "rules.version"):  # fmt: skip
        assert f'<code dir="ltr">{name}</code>' in page
