"""News by letter: to those who ask for it, once, at the operator's pace."""

import re
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from petition.campaign import newsroom
from petition.letters import mailings, owing, sending
from petition.models import Entry, Letter, Mailing, Signature
from petition.signing import lifecycle, privacy
from tests.letters.readers import again, make_reader, text, token
from tests.making import State, link, make_coordinator, make_mailing, make_signature, make_story

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fast_news")]

# --- Who gets it, and what ---------------------------------------------------------------------


def test_those_get_it_who_asked_confirmed_and_have_not_withdrawn(smtp):
    make_reader("reader@example.org")
    make_signature("no-news@example.org", State.COUNTED)
    for state in (State.PENDING, State.HELD, State.REJECTED, State.WITHDRAWN):
        signature = make_reader(f"{state}@example.org", State.PENDING)
        if state == State.WITHDRAWN:
            lifecycle.move(signature, state, **Signature.ERASED)
        elif state != State.PENDING:
            lifecycle.move(signature, State.COUNTED, confirmed_at=timezone.now())
            lifecycle.move(signature, state, reason="other")
    assert make_mailing().expected == 1
    assert sending.send_due() == 1
    assert smtp.recipients == ["reader@example.org"]
    assert sending.send_due() == 0
    mailing = again()
    assert (mailing.state, mailing.sent, mailing.failed, mailing.skipped) == ("finished", 1, 0, 0)
    assert mailing.ended_at
    assert list(Entry.objects.order_by("number").values_list("act", flat=True)) == [
        "mailing", "mailing end",
    ]  # fmt: skip
    assert Entry.objects.get(act="mailing end").detail == {"sent": 1, "failed": 0, "skipped": 0}


@pytest.mark.postgres
def test_news_goes_out_once_where_the_functions_of_the_database_are_missing(smtp):
    """As where tables alone were restored: news is marked as sent in a transaction."""
    make_reader("reader@example.org")
    make_mailing()
    with connection.cursor() as cursor:
        cursor.execute("SELECT proname FROM pg_proc WHERE proname ~ '^petition_end_letter_'")
        (name,) = cursor.fetchone()
        cursor.execute(f"DROP FUNCTION {name}")  # The test's transaction brings it back.
    assert sending.send_due() == 1
    assert sending.send_due() == 0
    assert Letter.objects.get().state == Letter.State.SENT


def test_a_letter_says_what_is_new_and_leads_to_the_page_in_the_readers_language(smtp):
    for language in ("ar", "fr", "en"):
        make_reader(f"{language}@example.org", language=language)
    make_mailing()
    sending.send_due()
    for mail in smtp.mails:
        code = mail["To"].partition("@")[0]
        assert mail["Content-Language"] == code
        assert f"Sample title {code}" in text(mail)
        assert f"Sample summary {code}" in text(mail)
        assert "Sample text" not in mail.as_string()
        assert f"http://testserver/{code}/news/first-report/" in text(mail)
        assert link("withdraw", mail).startswith(f"/{code}/withdraw/")
        assert "Sample title" not in mail["Subject"]
        html = mail.get_body(("html",)).get_content()
        assert f'dir="{"rtl" if code == "ar" else "ltr"}"' in html
        assert link("unsubscribe", mail) in html


def test_an_untranslated_story_is_marked_in_the_letter(smtp):
    make_reader()
    make_mailing(make_story("first-report", "ar"))
    sending.send_due()
    assert "It exists only in Arabic so far." in text(smtp.mails[0])
    html = smtp.mails[0].get_body(("html",)).get_content()
    assert re.search(r'<div lang="ar" dir="rtl">\s*<p style[^>]*>Sample title ar', html)


def test_mail_programs_find_all_that_one_click_needs(smtp):
    reader = make_reader()
    make_mailing()
    sending.send_due()
    (mail,) = smtp.mails
    address = f"http://testserver/en/unsubscribe/{token(reader)}/"
    assert mail["List-Unsubscribe"].strip() == f"<{address}>"  # A long line is folded.
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["List-Id"] == "<news.testserver>"
    assert mail["Precedence"] == "bulk"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert address in text(mail)


def test_other_letters_are_no_mailing_list(smtp):
    owing.owe(make_signature(), Letter.Kind.CONFIRM, "en")
    sending.send_due()
    assert not [name for name in smtp.mails[0] if name.lower().startswith(("list-", "precedence"))]


# --- Never twice -------------------------------------------------------------------------------


def test_the_database_refuses_a_second_letter_of_a_story_to_one_reader():
    reader, mailing = make_reader(), make_mailing()
    news = {"kind": "news", "language": "en", "signature": reader}
    Letter.objects.create(mailing=mailing, **news)
    with pytest.raises(IntegrityError), transaction.atomic():
        Letter.objects.create(mailing=mailing, **news)
    with pytest.raises(IntegrityError), transaction.atomic():
        Letter.objects.create(**news)
    with pytest.raises(IntegrityError), transaction.atomic():
        Letter.objects.create(mailing=mailing, **news | {"kind": "confirm"})


def test_a_story_is_sent_once_also_after_its_letters_were_purged(smtp):
    make_reader()
    mailing = make_mailing()
    sending.send_due()
    sending.send_due()
    Letter.objects.update(ended_at=timezone.now() - timedelta(days=31))
    assert privacy.purge()["letters"] == 1
    Mailing.objects.update(state="running", queued_at=None)  # Even if somebody set it going.
    sending.send_due()
    assert len(smtp.mails) == 1
    with pytest.raises(newsroom.NotNow):
        newsroom.send(mailing.news, make_coordinator(username="other"))
    assert Mailing.objects.count() == 1


def test_who_confirms_after_the_start_is_not_among_those_it_is_sent_to(smtp):
    make_mailing()
    make_reader()
    for _ in range(2):
        assert sending.send_due() == 0
    assert smtp.mails == []
    assert again().state == "finished"


# --- The pace ----------------------------------------------------------------------------------


def test_letters_are_queued_at_the_pace_and_a_pause_is_not_made_up_for(settings):
    settings.NEWS_RATE = 10.0
    for n in range(60):
        make_reader(f"sample{n}@example.org")
    make_mailing()
    assert mailings.queue() == 20  # What two seconds allow.
    assert mailings.queue() in (0, 1)
    for seconds, allowed in ((1, 10), (3600, 20)):
        Mailing.objects.update(paced_until=timezone.now() - timedelta(seconds=seconds))
        assert mailings.queue() == allowed


def test_a_pace_below_one_a_second_is_kept_as_well(settings):
    settings.NEWS_RATE = 60 / 3600
    for n in range(3):
        make_reader(f"sample{n}@example.org")
    make_mailing()
    assert [mailings.queue(), mailings.queue()] == [1, 0]
    Mailing.objects.update(paced_until=timezone.now() - timedelta(seconds=59))
    assert mailings.queue() == 0
    Mailing.objects.update(paced_until=timezone.now() - timedelta(seconds=60))
    assert mailings.queue() == 1


def test_two_stories_at_once_share_the_pace_and_go_one_after_the_other(settings):
    settings.NEWS_RATE = 1.0
    for n in range(3):
        make_reader(f"sample{n}@example.org")
    first, second = make_mailing(), make_mailing_of("second")
    assert [mailings.queue(), mailings.queue()] == [2, 0]
    for _ in range(3):
        Mailing.objects.exclude(paced_until=None).update(paced_until=timezone.now() - SECOND)
        assert mailings.queue() == 1 or again_pk(first.pk).queued_at
    assert again_pk(first.pk).queued == 3
    assert again_pk(second.pk).queued == 1


SECOND = timedelta(seconds=1)


def make_mailing_of(slug: str) -> Mailing:
    return newsroom.send(make_story(slug), make_coordinator(username=f"sender of {slug}"))


def again_pk(pk: int) -> Mailing:
    return Mailing.objects.get(pk=pk)


def test_a_mail_server_that_is_down_gets_no_flood_later():
    for n in range(mailings.AHEAD + 40):
        make_reader(f"sample{n}@example.org")
    make_mailing()
    queued = [mailings.queue() for _ in range(5)]
    assert sum(queued) == mailings.AHEAD
    Letter.objects.update(due_at=timezone.now() + timedelta(hours=1))  # Put off: in nobody's way.
    assert mailings.queue() == 40


def test_what_somebody_waits_for_goes_before_any_news(smtp):
    for n in range(30):
        make_reader(f"reader{n}@example.org")
    make_mailing()
    mailings.queue()
    owing.owe(make_signature("first@example.org"), Letter.Kind.CONFIRM, "en")
    owed = []

    def stopped():
        if len(smtp.mails) == 7 and not owed:
            owed.append(owing.owe(make_signature("new@example.org"), Letter.Kind.CONFIRM, "en"))
        return False

    sending.send_due(stopped)
    assert smtp.recipients[0] == "first@example.org"
    assert smtp.recipients.index("new@example.org") <= 7 + 5
    assert len(smtp.mails) == 32


def test_news_takes_nothing_of_what_an_address_may_get_in_a_day():
    reader = make_reader()
    for n in range(owing.LETTERS_AN_ADDRESS + 1):
        make_mailing_of(f"story-{n}")
        mailings.queue()
    assert Letter.objects.filter(kind="news", state="due").count() == 6
    letters = [owing.owe(reader, "counted", "en") for _ in range(6)]
    assert [letter.state for letter in letters] == ["due"] * 5 + ["withheld"]
    make_mailing_of("one-more")
    mailings.queue()
    assert Letter.objects.filter(kind="news", state="due").count() == 7


# --- The desk ----------------------------------------------------------------------------------


def test_an_editor_sends_a_story_and_sees_how_far_it_is(client, smtp, settings):
    settings.NEWS_RATE = 1 / 60
    client.force_login(make_coordinator("editor"))
    client.defaults["HTTP_ACCEPT_LANGUAGE"] = "en"
    for n in range(120):
        make_reader(f"sample{n}@example.org")
    story = make_story()
    send = f"/admin/petition/news/{story.pk}/send/"
    page = client.get(send).content.decode()
    assert '<p class="desk-figure"><bdi>120</bdi></p>' in page
    assert "2\xa0hours" in page
    assert not Mailing.objects.exists()
    for _ in range(2):  # A double click.
        client.post(send, {"revision": "0"})
    assert again().expected == 120
    progress = f"/admin/petition/news/{story.pk}/progress.json"
    assert client.get(progress).json() == {"done": 0, "of": 120, "over": False}
    sending.send_due()
    assert client.get(progress).json() == {"done": 1, "of": 120, "over": False}
    page = client.get(f"/admin/petition/news/{story.pk}/change/").content.decode()
    assert f'data-progress="{progress}"' in page
    client.post(f"/admin/petition/news/{story.pk}/stop/")
    assert client.get(progress).json()["over"]
    client.post(f"/admin/petition/news/{story.pk}/go-on/")
    assert again().state == "running"


@pytest.mark.parametrize("fields", [{"publish_at": None}, {"withdrawn_at": timezone.now()}])
def test_a_draft_and_what_was_taken_back_is_not_sent(fields):
    with pytest.raises(newsroom.NotNow):
        newsroom.send(make_story(**fields), make_coordinator(username="sender"))


def test_letters_of_news_do_not_hide_that_somebody_waits(client):
    from petition.desk import overview

    make_reader()
    make_mailing()
    mailings.queue()
    assert overview.letters_due().count == 0
