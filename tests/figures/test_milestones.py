"""Milestones: noted once and for good, told by a picture, and drafted for the editors."""

import os
import re
import signal
import struct
import subprocess
import sys
import time
from datetime import timedelta

import pytest
from django.core.cache import caches
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.template.loader import render_to_string
from django.utils import timezone, translation

from petition import audit
from petition.admin.news_forms import StoryForm
from petition.campaign import news, newsroom
from petition.figures import milestones
from petition.ground import languages
from petition.models import Case, CaseText, Entry, Milestone, News, Text
from petition.signing import tallies
from tests.making import make_case, make_coordinator, make_story
from tests.signing.test_races import at_once

pytestmark = pytest.mark.django_db

CODES = ["ar", "fr", "en"]
FRONT, LIST = "/admin/", "/admin/petition/news/"


def count(how_many: int) -> None:
    """Lets the counter rise, or fall."""
    """Counters that agree with each other, of people who are not there: they would be too many."""
    today = timezone.now().date().isoformat()
    keys = [("country", "MA"), ("day", today), ("language", "ar"), ("track", "")]
    all_keys = [tallies.TOTAL, *(("online", *key) for key in keys)]
    tallies.add(dict.fromkeys(all_keys, how_many))


def noted() -> list[int]:
    return [milestone.percent for milestone in milestones.note()]


def html(response, status: int = 200) -> str:
    assert response.status_code == status
    return response.content.decode()


@pytest.fixture
def editor(client):
    client.force_login(make_coordinator("editor"))
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


# --- What is noted -----------------------------------------------------------------------------


def test_a_share_of_the_goal_is_noted_when_it_is_reached_and_not_before():
    count(9_999)
    assert noted() == []
    count(1)
    assert noted() == [1]
    milestone = Milestone.objects.get()
    assert (milestone.figure, milestone.goal) == (10_000, 1_000_000)


def test_a_counter_that_is_wrong_reaches_nothing():
    """It would be said for good, and journalists would quote what was never true."""
    count(10)
    tallies.add({tallies.TOTAL: 999_990})
    assert milestones.note() == []
    tallies.mend()
    assert milestones.note() == []
    assert noted() == []


def test_looking_again_asks_twice_and_writes_nothing(django_assert_num_queries):
    count(10_001)
    assert noted() == [1]
    with django_assert_num_queries(2):
        assert noted() == []


def test_every_share_has_its_milestone_and_its_draft():
    for percent in milestones.PERCENTS:
        count(percent * 10_000 - tallies.read_counter().total)
        assert noted() == [percent]
    assert noted() == []
    slugs = {f"milestone-{percent}" for percent in (1, 5, 10, 25, 50, 75, 100)}
    assert set(News.objects.values_list("slug", flat=True)) == slugs


def test_several_that_are_passed_at_once_are_all_noted_and_share_the_story_of_the_highest():
    count(260_123)
    assert noted() == [1, 5, 10, 25]
    story = News.objects.get()
    assert story.slug == "milestone-25"
    assert set(Milestone.objects.values_list("story", "figure")) == {(story.pk, 260_123)}
    assert [reached.percent for reached in milestones.public()] == [25, 10, 5, 1]
    assert [milestone.percent for milestone in milestones.drafted()] == [25]


def test_a_milestone_stays_where_the_count_falls_again_and_is_not_noted_twice():
    count(10_004)
    milestones.note()
    count(-4_000)
    assert noted() == []
    assert [(m.percent, m.figure) for m in milestones.public()] == [(1, 10_004)]
    count(5_000)
    assert noted() == []
    assert News.objects.count() == 1


def test_what_was_not_reached_cannot_be_stored():
    with pytest.raises(IntegrityError), transaction.atomic():
        Milestone.objects.create(percent=5, figure=49_999, goal=1_000_000)


def test_sample_data_reaches_nothing():
    make_case(sample=True)
    count(60_000)
    assert noted() == []
    assert not News.objects.exists()
    Case.objects.all().delete()
    assert noted() == [1, 5]


def test_pages_read_milestones_without_asking_the_database_once_warm(django_assert_num_queries):
    count(10_000)
    assert milestones.public() == []
    milestones.note()
    (reached,) = milestones.public()  # At once in the process that noted it.
    assert (reached.percent, reached.figure, reached.goal) == (1, 10_000, 1_000_000)
    assert abs((timezone.now() - reached.reached_at).total_seconds()) < 60
    with django_assert_num_queries(0):
        milestones.public()


# --- The draft ---------------------------------------------------------------------------------


@pytest.mark.parametrize("running", CODES)
def test_the_draft_is_written_in_each_language_with_the_numbers_of_that_language(running):
    count(12_345)
    with translation.override(running):
        milestones.note()
    story = News.objects.get()
    today = timezone.now().date()
    texts = {text.language: text for text in story.texts.all()}
    assert set(texts) == set(CODES)
    counted = {"ar": "صندوق البريد الواحد إلا مرة", "fr": "chaque adresse ne compte qu’une",
               "en": "each mailbox counts once"}  # fmt: skip
    figures = {"ar": "12,345", "fr": "12\u202f345", "en": "12,345"}
    shares = {"ar": "1 في المئة", "fr": "1\xa0%", "en": "1%"}
    for code, text in texts.items():
        assert shares[code] in text.title
        assert figures[code] in text.summary
        assert languages.day(today, code) in text.summary
        assert counted[code] in text.body
        assert f"(/{code}/counter/)" in text.body
        assert "{" not in text.title + text.summary + text.body


def test_nothing_is_published_by_itself_and_the_record_says_who_wrote_it(client):
    count(10_000)
    milestones.note()
    story = News.objects.get()
    assert (story.state, story.created_by) == ("draft", "(system)")
    assert client.get(f"/en/news/{story.slug}/").status_code == 404
    assert not news.public().exists()
    entry = Entry.objects.get()
    assert (entry.actor, entry.act) == ("(system)", "news")
    assert (entry.subject, entry.detail["languages"]) == (f"news {story.pk}", "ar, en, fr")
    assert audit.broken() == []


def test_a_draft_whose_address_is_taken_gets_another():
    for slug in ("milestone-1", "milestone-1-2"):
        make_story(slug)
    count(10_000)
    milestones.note()
    assert Milestone.objects.get().story.slug == "milestone-1-3"


def test_a_milestone_is_noted_also_where_its_words_happen_to_be_somebodys_name():
    make_case()
    CaseText.objects.update(name="Million Signatures")
    count(10_000)
    assert noted() == [1]
    assert not News.objects.exists()
    assert milestones.drafted() == []


def test_a_milestone_outlives_its_story():
    count(10_000)
    milestones.note()
    News.objects.all().delete()
    assert Milestone.objects.get().story is None
    assert len(milestones.public()) == 1


@pytest.mark.parametrize("percent", milestones.PERCENTS)
@pytest.mark.parametrize("code", CODES)
def test_a_draft_may_be_saved_as_it_is(code, percent):
    count(percent * 10_000)
    milestones.note()
    story = News.objects.get(slug=f"milestone-{percent}")
    form = StoryForm(StoryForm.values_of(story))
    assert form.is_valid(), form.errors


def test_an_editor_is_led_to_the_draft_changes_it_and_publishes_it(editor):
    count(260_000)
    milestones.note()
    story = News.objects.get()
    page = html(editor.get(FRONT))
    notice = re.search(r'<p class="desk-notice">(.+?)</p>', page)[1]
    assert "25%" in notice
    assert "260,000" in notice
    assert page.count("desk-notice") == 1
    assert f'href="{LIST}{story.pk}/change/"' in notice
    assert "<h1>The petition has reached 25%" in html(editor.get(f"{LIST}{story.pk}/preview/en/"))
    typed = StoryForm.values_of(story) | {"revision": story.revision, "slug": "a-quarter"}
    answer = editor.post(f"{LIST}{story.pk}/write/", typed | {"en_title": "A quarter"})
    assert answer.status_code == 302
    assert editor.post(f"{LIST}{story.pk}/publish/", {"revision": 1}).status_code == 302
    read = html(editor.get("/en/news/a-quarter/"))
    assert "<h1>A quarter</h1>" in read
    assert 'href="/en/counter/"' in read
    assert editor.get("/en/counter/").status_code == 200
    assert "desk-notice" not in html(editor.get(FRONT))


def test_who_may_not_write_news_is_not_sent_there(client):
    client.force_login(make_coordinator("moderator"))
    count(10_000)
    milestones.note()
    assert "desk-notice" not in html(client.get(FRONT))


def test_a_draft_that_was_scheduled_waits_for_an_editor_again_once_it_is_taken_back():
    count(10_000)
    milestones.note()
    story, by = News.objects.get(), make_coordinator("editor")
    newsroom.publish(story, by, timezone.now() + timedelta(days=1))
    assert milestones.drafted() == []
    newsroom.take_back(story, by)
    assert [milestone.percent for milestone in milestones.drafted()] == [1]


# --- The picture and the table -----------------------------------------------------------------


@pytest.mark.parametrize("code", CODES)
def test_the_picture_is_there_once_the_milestone_is_reached(client, code):
    address = f"/{code}/counter/milestone-5.png"
    count(49_999)
    milestones.note()
    early = client.get(address)
    assert early.status_code == 404
    assert "no-store" in early["Cache-Control"]
    count(1)
    milestones.note()
    answer = client.get(address)
    assert answer["Content-Type"] == "image/png"
    assert struct.unpack(">II", answer.content[16:24]) == (1200, 630)
    assert "public, max-age=86400" in answer["Cache-Control"]
    assert client.get(f"/{code}/counter/milestone-1.png").content != answer.content
    assert client.get(f"/{code}/counter/milestone-2.png").status_code == 404
    assert "Set-Cookie" not in answer


def test_a_crowd_has_a_picture_typeset_once(client):
    count(10_000)
    milestones.note()
    first = client.get("/en/counter/milestone-1.png").content
    Text.objects.filter(slug="appeal").update(title="Another sample title")
    caches["process"].delete("texts-en")
    assert client.get("/en/counter/milestone-1.png").content == first
    caches["process"].clear()
    assert client.get("/en/counter/milestone-1.png").content != first


def test_the_picture_of_sample_data_says_so(client):
    count(10_000)
    milestones.note()
    plain = client.get("/en/counter/milestone-1.png").content
    make_case(sample=True)
    caches["process"].clear()
    assert client.get("/en/counter/milestone-1.png").content != plain


@pytest.mark.parametrize("code", CODES)
def test_the_table_says_share_count_and_day_and_leads_to_the_picture(code):
    count(52_000)
    milestones.note()
    with translation.override(code):
        context = {"milestones": milestones.public(), "labelled_by": "title"}
        table = render_to_string("components/milestones.html", context)
    rows = table.split("<tbody>")[1].split("<tr>")[1:]
    assert [re.search(r"milestone-(\d+)\.png", row)[1] for row in rows] == ["5", "1"]
    for row, percent in zip(rows, (5, 1), strict=True):
        assert f'href="/{code}/counter/milestone-{percent}.png"' in row
        assert languages.percent(percent, 100, code) in row
        assert languages.number(52_000, code) in row
        assert languages.day(timezone.now().date(), code) in row
    assert len(set(re.findall(r"<a [^>]+>(.+?)</a>", table))) == 2


# --- The process that notes them ---------------------------------------------------------------


def test_the_historian_notes_milestones(capsys):
    count(10_000)
    call_command("historian", once=True)
    assert "Reached: 1 % of the goal." in capsys.readouterr().out
    assert Milestone.objects.count() == News.objects.count() == 1


@pytest.mark.postgres
@pytest.mark.usefixtures("committed")
def test_the_historian_that_keeps_running_notes_them_too():
    count(10_000)
    url = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**connection.settings_dict)
    environment = os.environ | {"DATABASE_URL": url, "DEBUG": "1"}
    environment["DJANGO_SETTINGS_MODULE"] = "campaign_site.settings"
    process = subprocess.Popen([sys.executable, "manage.py", "historian"], env=environment)
    try:
        until = time.monotonic() + 30
        while not Milestone.objects.exists() and time.monotonic() < until:
            time.sleep(0.1)
    finally:
        process.send_signal(signal.SIGTERM)
    assert process.wait(20) == 0
    assert Milestone.objects.get().story is not None


@pytest.mark.postgres
@pytest.mark.usefixtures("committed")
def test_several_processes_that_see_it_at_once_note_it_once_and_write_one_draft():
    count(60_000)
    found = at_once([milestones.note] * 8)
    assert sorted(m.percent for each in found for m in each) == [1, 5]
    assert Milestone.objects.count() == 2
    assert [story.slug for story in News.objects.all()] == ["milestone-5"]
    assert set(Milestone.objects.values_list("story", flat=True)) == {News.objects.get().pk}
    assert Entry.objects.count() == 1
    assert audit.broken() == []
