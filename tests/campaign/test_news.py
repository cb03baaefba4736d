"""News: on the page at its time, in the reader's language where it exists, and taken back."""

import re
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta

import pytest
from django.core.cache import caches
from django.db import IntegrityError, transaction
from django.utils import timezone

from petition.campaign import news, newsroom
from petition.cases import acts
from petition.models import Entry, News, NewsText
from tests.making import make_case, make_consent, make_coordinator, make_person, make_story

pytestmark = pytest.mark.django_db

LIST = "/admin/petition/news/"
ATOM = "{http://www.w3.org/2005/Atom}"
LANGUAGE = "{http://www.w3.org/XML/1998/namespace}lang"


@pytest.fixture
def editor(client):
    client.force_login(make_coordinator("editor"))
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def in_(**span) -> datetime:
    return timezone.now() + timedelta(**span)


def html(response, status: int = 200) -> str:
    assert response.status_code == status
    return response.content.decode()


def titles(page: str) -> list[str]:
    return re.findall(r'<a href="/\w\w/news/([\w-]+)/"', page)


def entries(client, language: str = "en"):
    return parsed(client.get(f"/{language}/news/feed.atom")).findall(f"{ATOM}entry")


def parsed(response) -> ET.Element:
    return ET.fromstring(response.content)  # noqa: S314  ours


def typed(**fields) -> dict:
    story = {"slug": "first-report", "en_title": "Sample title", "en_summary": "Sample summary",
             "en_body": "Sample text", "revision": "0"}  # fmt: skip
    return story | fields


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


# --- The desk ----------------------------------------------------------------------------------


def test_an_editor_writes_previews_publishes_and_takes_back(editor):
    answer = editor.post(f"{LIST}new/", typed(ar_title="عنوان", ar_summary="ملخّص", ar_body="نصّ"))
    story = News.objects.get()
    assert answer["Location"] == f"{LIST}{story.pk}/change/"
    assert editor.get("/en/news/first-report/").status_code == 404
    preview = html(editor.get(f"{LIST}{story.pk}/preview/ar/"))
    assert '<html lang="ar" dir="rtl">' in preview
    assert "<h1>عنوان</h1>" in preview
    assert "only-in" in html(editor.get(f"{LIST}{story.pk}/preview/fr/"))
    later = in_(days=2).replace(second=0, microsecond=0)
    assert press(editor, story, "publish", at=later.strftime("%Y-%m-%dT%H:%M"))
    story.refresh_from_db()
    assert (story.state, story.publish_at) == ("scheduled", later)
    assert press(editor, story, "publish")
    assert editor.get("/en/news/first-report/").status_code == 200
    assert press(editor, story, "take-back")
    assert editor.get("/en/news/first-report/").status_code == 410
    published = News.objects.get().publish_at
    assert press(editor, story, "publish")
    assert editor.get("/en/news/first-report/").status_code == 200
    assert News.objects.get().publish_at == published  # It comes back to its place.
    done = list(Entry.objects.order_by("number").values_list("act", flat=True))
    assert done == ["news", *["news publish"] * 2, "news take back", "news publish"]
    assert Entry.objects.get(number=1).detail == {"name": "first-report", "languages": "ar, en"}


def press(client, story, name, **fields) -> bool:
    """Press a button of a story's page as it is now; whether it was done."""
    story.refresh_from_db()
    posted = {"revision": story.revision} | fields
    page = html(client.post(f"{LIST}{story.pk}/{name}/", posted, follow=True))
    return 'class="success"' in page


def test_taken_back_before_its_time_a_story_is_a_draft_again(editor):
    story = make_story(publish_at=in_(hours=1))
    assert press(editor, story, "take-back")
    story.refresh_from_db()
    assert (story.state, story.publish_at, story.withdrawn_at) == ("draft", None, None)
    assert not press(editor, story, "take-back")


def test_of_two_editors_the_second_is_refused_and_what_they_typed_is_kept(editor):
    story = make_story("first-report", "en", publish_at=None)
    seen = {"revision": "0"}
    editor.post(f"{LIST}{story.pk}/write/", typed(en_title="The first one's"))
    page = html(editor.post(f"{LIST}{story.pk}/write/", typed(en_title="The second one's", **seen)))
    assert "Somebody has changed this story" in page
    assert "The second one&#x27;s" in page
    assert story.texts.get().title == "The first one's"
    assert not page_says_done(editor.post(f"{LIST}{story.pk}/publish/", seen, follow=True))
    assert News.objects.get().publish_at is None
    again = re.search(r'name="revision" value="(\d+)"', page)[1]
    editor.post(f"{LIST}{story.pk}/write/", typed(en_title="The second one's", revision=again))
    assert story.texts.get().title == "The second one's"


def page_says_done(response) -> bool:
    return 'class="success"' in html(response)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"slug": "First Report"}, "Small letters a to z"),
        ({"slug": "تقرير"}, "Small letters a to z"),
        ({"slug": "feed.atom"}, "Small letters a to z"),
        ({"slug": "first-report\n"}, None),
        ({"slug": "taken"}, "Another story has this address."),
        ({"en_body": ""}, "In each language write all three, or none of them."),
        ({"ar_title": "عنوان"}, "In each language write all three, or none of them."),
        ({"en_title": "", "en_summary": "", "en_body": ""}, "in one language at least"),
        ({"en_title": "x" * 121}, "at most 120 characters"),
    ],
)
def test_what_cannot_be_a_story_is_refused_where_it_is_wrong(editor, fields, said):
    make_story("taken")
    answer = editor.post(f"{LIST}new/", typed(**fields))
    if said is None:  # A line's end is taken off, as browsers do.
        assert News.objects.filter(slug="first-report").exists()
        return
    assert said in html(answer)
    assert News.objects.count() == 1
    assert not Entry.objects.exists()


def test_the_address_of_a_public_story_stays_and_that_of_a_draft_may_change(editor):
    story = make_story("first-report", "en")
    page = html(editor.post(f"{LIST}{story.pk}/write/", typed(slug="other")))
    assert "links lead to its address already" in page
    News.objects.update(publish_at=None)
    assert editor.post(f"{LIST}{story.pk}/write/", typed(slug="other")).status_code == 302
    assert News.objects.get().slug == "other"


def test_a_language_is_taken_out_by_emptying_it(editor):
    story = make_story("first-report", "ar", "en")
    editor.post(f"{LIST}{story.pk}/write/", typed())
    assert list(story.texts.values_list("language", flat=True)) == ["en"]
    assert Entry.objects.get().detail["languages"] == "ar, en"


def test_the_database_refuses_two_stories_of_one_address():
    make_story()
    with pytest.raises(IntegrityError), transaction.atomic():
        make_story()


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_every_screen_of_news_opens_in_every_language(editor, language):
    story = make_story(publish_at=None)
    make_story("second", "ar")
    for path in ("", "new/", f"{story.pk}/change/", f"{story.pk}/write/", f"{story.pk}/send/"):
        page = html(editor.get(LIST + path, headers={"Accept-Language": language}))
        assert f'lang="{language}"' in page


# --- The people of whom it speaks ----------------------------------------------------------------


def seen(client, story: News) -> set[str]:
    """Where somebody can read of a story."""
    places = {
        "page": f"/en/news/{story.slug}/",
        "list": "/en/news/",
        "feed": "/en/news/feed.atom",
        "home": "/en/",
        "sitemap": "/sitemap.xml",
    }
    caches["process"].clear()
    answers = {name: client.get(path) for name, path in places.items()}
    told = (story.slug, story.texts.get(language="en").title)
    return {
        name
        for name, answer in answers.items()
        if answer.status_code == 200 and any(words in answer.content.decode() for words in told)
    }


def test_a_story_goes_with_the_profile_that_it_speaks_of_and_comes_back_with_it(client):
    case, other = make_case(), make_case()
    story = make_story()
    story.cases.set([case, other])
    assert seen(client, story) == {"page", "list", "feed", "home", "sitemap"}
    acts.take_down(case.pk, make_coordinator(username="anybody"), "a call")
    assert seen(client, story) == set()
    assert client.get(f"/en/news/{story.slug}/").status_code == 410
    for name in ("first", "second"):
        acts.put_back(case.pk, make_person(name))
    assert "page" in seen(client, story)
    acts.withdraw_consent(case.pk, make_person("author"))
    assert seen(client, story) == set()


def test_a_story_names_nobody_whose_profile_it_does_not_point_to():
    case = make_case()
    by = make_coordinator("editor")
    draft = {"en": newsroom.Draft("News", "Short.", "We met the family of Sample Prisoner.")}
    with pytest.raises(newsroom.NamesSomebody):
        newsroom.write(News(), "a-story", draft, by)
    newsroom.write(News(), "a-story", draft, by, [case])
    make_consent(case, scope_name=False)
    with pytest.raises(newsroom.NamesSomebody):
        newsroom.write(News(), "another", draft, by, [case])


def test_when_a_case_is_erased_its_stories_do_not_come_back(client):
    case = make_case()
    story = make_story()
    story.cases.set([case])
    acts.take_down(case.pk, make_person("first"), "asked for")
    acts.erase(case.pk, make_person("administrator"), "asked for by the family")
    assert seen(client, story) == set()
    story.refresh_from_db()
    assert story.state == News.State.TAKEN_BACK
    assert Entry.objects.filter(act="news take back").exists()


def test_a_name_that_the_family_takes_back_does_not_stay_in_a_story(client):
    case = make_case()
    story = make_story()
    story.cases.set([case])
    story.texts.filter(language="en").update(body="The mother of Sample Prisoner spoke.")
    make_consent(case, scope_name=False)
    with pytest.raises(acts.ToldInNews):
        acts.approve(case.texts.get().pk, make_person("third"), (1, 1))
    newsroom.take_back(News.objects.get(), make_coordinator("editor"))
    acts.approve(case.texts.get().pk, make_person("third"), (1, 1))


def test_a_draft_is_looked_through_again_when_it_is_published():
    by = make_coordinator("editor")
    draft = {"en": newsroom.Draft("News", "Short.", "We met the family of Sample Prisoner.")}
    story = News()
    newsroom.write(story, "a-story", draft, by)
    hidden = make_case()
    make_consent(hidden, scope_name=False)
    with pytest.raises(newsroom.NamesSomebody):
        newsroom.publish(News.objects.get(), by)
    assert News.objects.get().state == News.State.DRAFT


def test_a_story_tells_no_place_that_its_profile_hides():
    case = make_case()
    make_consent(case, scope_place=False)
    draft = {"en": newsroom.Draft("News", "Short.", "He is held in Sample Prison.")}
    with pytest.raises(newsroom.NamesSomebody):
        newsroom.write(News(), "a-story", draft, make_coordinator("editor"), [case])


def test_one_editor_alone_brings_no_story_back_that_went_with_its_profile(client):
    case = make_case()
    story = make_story()
    story.cases.set([case])
    acts.take_down(case.pk, make_person("first"), "danger")
    by = make_coordinator("editor")
    texts = {t.language: newsroom.Draft(t.title, t.summary, t.body) for t in story.texts.all()}
    with pytest.raises(newsroom.SpeaksOfTheHidden):
        newsroom.write(News.objects.get(), story.slug, texts, by, [])
    assert seen(client, story) == set()


def test_what_word_processors_leave_in_a_title_breaks_no_feed(client):
    story = make_story()
    story.texts.update(title="One\x0btwo \uffff", summary="1 < 2 <img src=x>")
    feed = ET.fromstring(client.get("/en/news/feed.atom").content)  # noqa: S314
    entry = feed.find(f"{ATOM}entry")
    assert entry.findtext(f"{ATOM}title").split() == ["One", "two"]
    assert entry.findtext(f"{ATOM}summary") == "1 &lt; 2 &lt;img src=x&gt;"


def test_an_editor_points_to_profiles_by_their_addresses(client):
    case = make_case()
    client.force_login(make_coordinator("editor"))
    posted = {"revision": 0, "slug": "a-story", "en_title": "T", "en_summary": "S", "en_body": "B"}
    answer = client.post("/admin/petition/news/new/", posted | {"about": "nothere"})
    assert "nothere" in answer.content.decode()
    assert not News.objects.exists()
    client.post("/admin/petition/news/new/", posted | {"about": case.slug})
    assert News.objects.get().cases.get() == case


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
