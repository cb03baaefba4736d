"""The newsroom: writing, publishing and taking back; the people of whom a story speaks."""

import re

import pytest
from django.core.cache import caches
from django.db import IntegrityError, transaction

from petition.campaign import newsroom
from petition.cases import acts
from petition.models import Entry, News
from tests.campaign.stories import html, in_, typed
from tests.making import make_case, make_consent, make_coordinator, make_person, make_story

pytestmark = pytest.mark.django_db

LIST = "/admin/petition/news/"


@pytest.fixture
def editor(client):
    client.force_login(make_coordinator("editor"))
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


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


def test_an_editor_points_to_profiles_by_their_addresses(client):
    case = make_case()
    client.force_login(make_coordinator("editor"))
    posted = {"revision": 0, "slug": "a-story", "en_title": "T", "en_summary": "S", "en_body": "B"}
    answer = client.post("/admin/petition/news/new/", posted | {"about": "nothere"})
    assert "nothere" in answer.content.decode()
    assert not News.objects.exists()
    client.post("/admin/petition/news/new/", posted | {"about": case.slug})
    assert News.objects.get().cases.get() == case
