"""News: on the page at its time, in the reader's language where it exists, and taken back."""

import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from petition.campaign import news, newsroom
from petition.models import News, NewsText
from tests.campaign.stories import ATOM, entries, html, in_, parsed, titles
from tests.making import make_coordinator, make_story

pytestmark = pytest.mark.django_db

LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


# --- Pages -------------------------------------------------------------------------------------


@pytest.mark.parametrize(("language", "direction"), [("ar", "rtl"), ("fr", "ltr"), ("en", "ltr")])
def test_a_story_is_read_in_the_language_of_the_page(client, language, direction):
    make_story()
    page = html(client.get(f"/{language}/news/first-report/"))
    assert f'<article lang="{language}" dir="{direction}">' in page
    assert page.count("<h1") == 1
    assert f"<h1>Sample title {language}</h1>" in page
    assert "only-in" not in page
    assert "<h2>Sample heading</h2>" in page
    assert "public, max-age=60" in client.get(f"/{language}/news/")["Cache-Control"]


@pytest.mark.parametrize(
    ("reader", "said", "shown"),
    [
        (
            "en",
            "This story exists only in Arabic and French so far.",
            '<article lang="ar" dir="rtl">',
        ),
        ("ar", "only-in", '<article lang="fr" dir="ltr">'),
    ],
)
def test_an_untranslated_story_says_so_and_keeps_its_own_direction(client, reader, said, shown):
    written = ("ar", "fr") if reader == "en" else ("fr",)
    make_story("first-report", *written)
    page = html(client.get(f"/{reader}/news/first-report/"))
    assert said in page
    assert shown in page
    assert f"Sample title {written[0]}" in html(client.get(f"/{reader}/news/"))


def test_a_scheduled_story_is_public_from_its_moment_on_without_anybody_doing_anything(client):
    story = make_story(publish_at=in_(hours=1))
    now = timezone.now()
    assert client.get("/en/news/first-report/").status_code == 404
    assert titles(html(client.get("/en/news/"))) == []
    assert entries(client) == []
    assert "first-report" not in html(client.get("/sitemap.xml"))
    assert list(news.public(now + timedelta(hours=2))) == [story]
    News.objects.update(publish_at=now)
    assert client.get("/en/news/first-report/").status_code == 200
    assert titles(html(client.get("/en/news/"))) == ["first-report"]
    assert len(entries(client)) == 1
    assert "http://testserver/en/news/first-report/" in html(client.get("/sitemap.xml"))


def test_what_was_taken_back_is_gone_and_what_was_never_public_unknown(client):
    make_story("gone", withdrawn_at=timezone.now())
    make_story("draft", publish_at=None)
    make_story("never", publish_at=in_(hours=1), withdrawn_at=timezone.now())
    assert "no longer published" in html(client.get("/en/news/gone/"), 410)
    for slug in ("draft", "never", "nothing"):
        assert client.get(f"/en/news/{slug}/").status_code == 404
    assert titles(html(client.get("/en/news/"))) == []
    assert entries(client) == []


def test_every_story_is_on_exactly_one_page_the_newest_first(client, monkeypatch):
    monkeypatch.setattr(news, "A_PAGE", 4)
    at = in_(days=-1)
    for n in range(11):  # Several of one moment.
        make_story(f"story-{n}", publish_at=at - timedelta(minutes=n // 3))
    newest_first = [2, 1, 0, 5, 4, 3, 8, 7, 6, 10, 9]
    found, address = [], "/en/news/"
    for _ in range(10):
        page = html(client.get(address))
        found.append(titles(page))
        older = re.search(r'href="(\?before=[^"]+)" rel="next"', page)
        if not older:
            break
        address = "/en/news/" + older[1]
    assert [len(stories) for stories in found] == [4, 4, 3]
    assert [s for stories in found for s in stories] == [f"story-{n}" for n in newest_first]


@pytest.mark.parametrize("place", ["x", "1~", "~1", "9" * 40 + "~1", "1~" + "9" * 40, "-1~-1"])
def test_a_broken_place_in_the_list_is_answered_with_a_page(client, place):
    make_story()
    assert client.get("/en/news/", {"before": place}).status_code == 200


@pytest.mark.usefixtures("pages_in_memory")
def test_the_home_page_names_the_latest_three_and_asks_nothing_once_warm(
    client, django_assert_num_queries
):
    for n in range(4):
        make_story(f"story-{n}", publish_at=in_(minutes=n - 10))
    assert titles(html(client.get("/fr/"))) == ["story-3", "story-2", "story-1"]
    with django_assert_num_queries(0):
        client.get("/fr/")


def test_what_an_editor_writes_is_harmless_on_the_page(client):
    make_story("first-report", "en")
    NewsText.objects.update(body="<script>alert(1)</script> [x](javascript:alert(1))", title="<b>")
    page = html(client.get("/en/news/first-report/"))
    assert "<script>" not in page
    assert 'href="javascript:' not in page
    assert "<b>" not in page


# --- Feed --------------------------------------------------------------------------------------


def test_a_feed_has_absolute_links_stable_ids_and_each_storys_language(client):
    make_story("first-report", "ar", created_at=datetime(2026, 3, 1, tzinfo=UTC))
    response = client.get("/fr/news/feed.atom")
    assert response["Content-Type"] == "application/atom+xml; charset=utf-8"
    assert "public, max-age=60" in response["Cache-Control"]
    feed = parsed(response)
    assert feed.get(LANGUAGE) == "fr"
    assert feed.findtext(f"{ATOM}id") == "http://testserver/fr/news/feed.atom"
    (entry,) = feed.findall(f"{ATOM}entry")
    assert entry.get(LANGUAGE) == "ar"
    assert entry.find(f"{ATOM}link").get("href") == "http://testserver/fr/news/first-report/"
    assert entry.findtext(f"{ATOM}id") == "tag:testserver,2026-03-01:news/first-report/fr"
    assert entry.findtext(f"{ATOM}title") == "Sample title ar"
    assert '<link rel="alternate" type="application/atom+xml"' in html(client.get("/fr/"))


def test_a_feed_is_not_sent_again_unchanged_and_is_after_a_change(client):
    story = make_story()
    changes = [
        lambda: newsroom.take_back(News.objects.get(), make_coordinator(username="one")),
        lambda: newsroom.publish(News.objects.get(), make_coordinator(username="two")),
    ]
    for change in changes:
        # A reader's clock counts whole seconds: what happened before is a while ago.
        News.objects.filter(pk=story.pk).update(changed_at=in_(seconds=-30))
        first = client.get("/en/news/feed.atom")
        by_tag = {"If-None-Match": first["ETag"]}
        assert client.get("/en/news/feed.atom", headers=by_tag).status_code == 304
        change()
        assert client.get("/en/news/feed.atom", headers=by_tag).status_code == 200


def test_a_feed_tells_when_a_text_was_changed_and_an_empty_one_is_always_the_same(client):
    assert client.get("/en/news/feed.atom").content == client.get("/en/news/feed.atom").content
    story = make_story(publish_at=datetime(2026, 3, 1, tzinfo=UTC))
    story.texts.update(changed_at=datetime(2026, 2, 1, tzinfo=UTC))
    assert entries(client)[0].findtext(f"{ATOM}updated") == "2026-03-01T00:00:00+00:00"
    story.texts.filter(language="en").update(changed_at=datetime(2026, 4, 1, tzinfo=UTC))
    assert entries(client, "fr")[0].findtext(f"{ATOM}updated") == "2026-03-01T00:00:00+00:00"
    assert entries(client)[0].findtext(f"{ATOM}updated") == "2026-04-01T00:00:00+00:00"


def test_what_word_processors_leave_in_a_title_breaks_no_feed(client):
    story = make_story()
    story.texts.update(title="One\x0btwo \uffff", summary="1 < 2 <img src=x>")
    feed = ET.fromstring(client.get("/en/news/feed.atom").content)  # noqa: S314
    entry = feed.find(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}title").split() == ["One", "two"]
    assert entry.findtext(f"{ATOM}summary") == "1 &lt; 2 &lt;img src=x&gt;"


def test_a_story_that_the_reader_cannot_read_names_every_language_in_which_it_exists(client):
    make_story("two", "fr", "en")
    page = html(client.get("/ar/news/two/"))
    assert "الفرنسية" in page
    assert "الإنجليزية" in page


def test_a_story_says_its_day_as_machines_read_it(client):
    """Without the microseconds that publishing at once leaves in it: HTML knows three digits."""
    story = make_story("first-report")
    for address in ("", "news/", "news/first-report/"):
        page = client.get(f"/en/{address}").content.decode()
        assert f'<time datetime="{story.publish_at:%Y-%m-%d}">' in page
