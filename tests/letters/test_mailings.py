"""News by letter: to those who ask for it, once, at the operator's pace, and until they stop it."""

import logging
import os
import re
import signal
from datetime import timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from campaign_site.logs import HidePrivate
from petition.campaign import newsroom
from petition.ground import links
from petition.letters import mailings, sending
from petition.models import Entry, Letter, Mailing, News, Signature
from petition.signing import lifecycle, moderation, privacy, signatures
from tests.letters.test_sending import CONVERSATIONS, start_mailer, wait_until
from tests.making import State, link, make_coordinator, make_mailing, make_signature, make_story

pytestmark = pytest.mark.django_db

FAST = 1_000_000.0


@pytest.fixture(autouse=True)
def _fast(settings):
    settings.NEWS_RATE = FAST


def make_reader(email: str = "someone@example.org", state: str = State.COUNTED, **fields):
    return make_signature(email, state, **({"updates": True, "language": "en"} | fields))


def again(rows=Mailing):
    """As it is in the database now."""
    return rows.objects.get()


def text(mail) -> str:
    return mail.get_body(("plain",)).get_content()


def token(signature: Signature) -> str:
    return links.token(links.UNSUBSCRIBE, signature.reference)


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
    sending.owe(make_signature(), Letter.Kind.CONFIRM, "en")
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
    sending.owe(make_signature("first@example.org"), Letter.Kind.CONFIRM, "en")
    owed = []

    def stopped():
        if len(smtp.mails) == 7 and not owed:
            owed.append(sending.owe(make_signature("new@example.org"), Letter.Kind.CONFIRM, "en"))
        return False

    sending.send_due(stopped)
    assert smtp.recipients[0] == "first@example.org"
    assert smtp.recipients.index("new@example.org") <= 7 + 5
    assert len(smtp.mails) == 32


def test_news_takes_nothing_of_what_an_address_may_get_in_a_day():
    reader = make_reader()
    for n in range(sending.LETTERS_AN_ADDRESS + 1):
        make_mailing_of(f"story-{n}")
        mailings.queue()
    assert Letter.objects.filter(kind="news", state="due").count() == 6
    letters = [sending.owe(reader, "counted", "en") for _ in range(6)]
    assert [letter.state for letter in letters] == ["due"] * 5 + ["withheld"]
    make_mailing_of("one-more")
    mailings.queue()
    assert Letter.objects.filter(kind="news", state="due").count() == 7


# --- Stopped, taken back, no longer wanted -----------------------------------------------------


@pytest.mark.parametrize("how", ["unsubscribed", "rejected", "withdrawn"])
def test_who_is_gone_between_queue_and_letter_gets_none(smtp, how):
    reader = make_reader("gone@example.org")
    make_reader("here@example.org")
    make_mailing()
    assert mailings.queue() == 2
    if how == "unsubscribed":
        signatures.unsubscribe(token(reader))
    elif how == "rejected":
        lifecycle.move(reader, State.REJECTED, reason="other")
    else:
        signatures.withdraw(links.token(links.WITHDRAW, reader.reference))
    sending.send_due()
    sending.send_due()
    assert smtp.recipients == ["here@example.org"]
    mailing = again()
    assert (mailing.state, mailing.sent, mailing.skipped) == ("finished", 1, 1)


def test_who_is_set_aside_for_a_moment_gets_it_afterwards_and_after_a_day_no_more(smtp):
    reader, other = make_reader("held@example.org"), make_reader("longer@example.org")
    make_mailing()
    mailings.queue()
    for signature in (reader, other):
        lifecycle.move(signature, State.HELD, reason="other")
    sending.send_due()
    assert smtp.mails == []
    reader.refresh_from_db()
    lifecycle.move(reader, State.COUNTED)
    Letter.objects.update(due_at=timezone.now())
    Letter.objects.filter(signature=other).update(created_at=timezone.now() - timedelta(days=2))
    sending.send_due()
    sending.send_due()
    assert smtp.recipients == ["held@example.org"]
    mailing = again()
    assert (mailing.state, mailing.sent, mailing.skipped) == ("finished", 1, 1)


@pytest.mark.parametrize("ahead", [timedelta(seconds=5), timedelta(days=1)])
def test_a_clock_that_was_ahead_neither_stops_the_mailer_nor_news(smtp, ahead):
    make_reader("here@example.org")
    make_mailing()
    Mailing.objects.update(paced_until=timezone.now() + ahead)
    sending.send_due()
    if ahead > timedelta(minutes=1):
        assert smtp.recipients == ["here@example.org"]
    else:
        assert Letter.objects.count() == 0  # It waits for the pace.


def test_a_server_that_breaks_off_news_gets_letters_that_are_waited_for_at_once(smtp):
    make_reader("here@example.org")
    make_mailing()
    mailings.queue()
    smtp.replies["here@example.org"] = "421 4.7.0 no bulk mail now"
    sending.send_due()
    sending.owe(make_signature("new@example.org"), "confirm", "en")
    sending.send_due()
    assert smtp.recipients == ["new@example.org"]
    news_letter = Letter.objects.get(kind="news")
    assert news_letter.state == "due"
    assert news_letter.due_at > timezone.now() + timedelta(seconds=20)


def test_where_the_server_puts_all_off_no_more_is_queued(smtp, settings, monkeypatch):
    monkeypatch.setattr(mailings, "MOST_OWED", 3)
    for n in range(6):
        make_reader(f"reader{n}@example.org")
    make_mailing()
    settings.NEWS_RATE = 1000
    mailings.queue()
    Letter.objects.update(due_at=timezone.now() + timedelta(hours=1))
    Mailing.objects.update(queued_at=None, last_signature=0)
    before = Letter.objects.count()
    assert before >= 3
    assert mailings.queue() == 0


def test_a_stopped_mailing_waits_without_a_try_and_goes_on_where_it_was(smtp):
    for n in range(3):
        make_reader(f"sample{n}@example.org")
    mailing = make_mailing()
    by = make_coordinator(username="somebody")
    assert sending.send_due(lambda: len(smtp.mails) >= 1) == 1
    newsroom.stop(mailing.news, by)
    with pytest.raises(newsroom.NotNow):
        newsroom.stop(mailing.news, by)
    assert sending.send_due() == 0
    assert set(Letter.objects.filter(state="due").values_list("tries", "mailer")) == {(0, "")}
    newsroom.go_on(mailing.news, by)
    assert sending.send_due() == 2
    assert sorted(smtp.recipients) == [f"sample{n}@example.org" for n in range(3)]
    acts = list(Entry.objects.order_by("number").values_list("act", flat=True))
    assert acts == ["mailing", "mailing stop", "mailing go on", "mailing end"]


def test_letters_of_a_story_that_is_taken_back_wait_until_it_is_public_again(smtp):
    make_reader()
    mailing = make_mailing()
    mailings.queue()
    by = make_coordinator(username="somebody")
    newsroom.take_back(News.objects.get(), by)
    assert sending.send_due() == 0
    assert not mailings.may_leave(Letter.objects.get())
    newsroom.publish(News.objects.get(), by)
    assert sending.send_due() == 1
    assert mailing.letters.get().tries == 1


def test_a_mailing_that_stops_while_a_letter_is_in_hand_lets_it_go(smtp, monkeypatch):
    make_reader()
    mailing = make_mailing()
    claim = sending._claim

    def stopped_after_the_claim():
        claimed = claim()
        Mailing.objects.update(state="stopped")
        return claimed

    monkeypatch.setattr(sending, "_claim", stopped_after_the_claim)
    assert sending.send_due() == 0
    letter = mailing.letters.get()
    assert (letter.state, letter.tries, letter.mailer) == ("due", 0, "")


def test_the_letters_of_a_scheduled_story_leave_when_it_is_public(smtp):
    make_reader()
    make_mailing(make_story(publish_at=timezone.now() + timedelta(hours=1)))
    assert sending.send_due() == 0
    assert not Letter.objects.exists()
    News.objects.update(publish_at=timezone.now())
    assert sending.send_due() == 1


def test_refused_addresses_are_counted_and_a_put_off_letter_keeps_the_mailing_open(smtp):
    smtp.replies["gone@example.org"] = "550 5.1.1 unknown"
    smtp.replies["busy@example.org"] = "450 4.2.1 later"
    for name in ("gone", "busy", "here"):
        make_reader(f"{name}@example.org")
    make_mailing()
    sending.send_due()
    sending.send_due()
    mailing = again()
    assert (mailing.state, mailing.sent, mailing.failed) == ("running", 1, 1)
    smtp.replies.clear()
    Letter.objects.filter(state="due").update(due_at=timezone.now())
    sending.send_due()
    sending.send_due()
    mailing = again()
    assert (mailing.state, mailing.sent, mailing.failed) == ("finished", 2, 1)


def test_a_moderator_does_not_see_a_fresh_letter_of_news():
    reader = make_reader()
    make_mailing()
    mailings.queue()
    assert list(moderation.letters_that_may_be_seen(reader)) == []
    Letter.objects.update(state="refused")
    assert len(moderation.letters_that_may_be_seen(reader)) == 1


# --- Unsubscribing -----------------------------------------------------------------------------


def test_one_click_of_a_mail_program_ends_the_news_at_once(client):
    reader = make_reader()
    address = f"/en/unsubscribe/{token(reader)}/"
    assert client.get(address).status_code == 200
    assert Signature.objects.get().updates  # Scanners follow every link.
    for _ in range(2):
        response = client.post(address, {"List-Unsubscribe": "One-Click"})
        assert response.status_code == 200
        assert "no-store" in response["Cache-Control"]
        assert not response.cookies
    signature = Signature.objects.get()
    assert (signature.updates, signature.state) == (False, "counted")


def test_a_webmail_page_may_press_it_from_elsewhere(client):
    """What a post needs is the token; where it comes from says nothing."""
    reader = make_reader()
    response = client.post(
        f"/fr/unsubscribe/{token(reader)}/",
        "List-Unsubscribe=One-Click",
        content_type="application/x-www-form-urlencoded",
        headers={"Origin": "https://webmail.example", "Sec-Fetch-Site": "cross-site"},
    )
    assert response.status_code == 200
    assert not Signature.objects.get().updates


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_the_page_says_nothing_about_the_person(client, language):
    reader = make_reader(name="Zzmark Sample")
    address = f"/{language}/unsubscribe/{token(reader)}/"
    for response in (client.get(address), client.post(address)):
        page = response.content.decode()
        assert page.count("<h1") == 1
        assert not re.search("zzmark|example.org", page, re.I)
        assert "noindex" in response["X-Robots-Tag"]


@pytest.mark.parametrize("wrong", ["x", "withdraw", "deleted"])
def test_an_unknown_link_is_answered_with_advice(client, wrong):
    reader = make_reader()
    kinds = {"withdraw": links.token(links.WITHDRAW, reader.reference), "deleted": token(reader)}
    if wrong == "deleted":
        Signature.objects.all().delete()
    for response in (
        client.get(f"/en/unsubscribe/{kinds.get(wrong, wrong)}/"),
        client.post(f"/en/unsubscribe/{kinds.get(wrong, wrong)}/"),
    ):
        assert response.status_code == 404
        assert "This link is no longer valid" in response.content.decode()
    assert not Signature.objects.filter(updates=False).exists()


def test_who_has_withdrawn_is_told_the_same(client):
    reader = make_reader()
    lifecycle.move(reader, State.WITHDRAWN, **Signature.ERASED)
    assert client.post(f"/en/unsubscribe/{token(reader)}/").status_code == 200


def test_the_link_stands_in_no_log_and_is_for_no_search_engine(client):
    reader = make_reader()
    record = logging.LogRecord(
        "x", logging.INFO, "x", 1, f"GET /en/unsubscribe/{token(reader)}/", None, None
    )
    assert HidePrivate().filter(record)
    assert token(reader) not in record.getMessage()
    assert "Disallow: /fr/unsubscribe/" in client.get("/robots.txt").content.decode()


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


# --- Killed mailers ----------------------------------------------------------------------------

MANY = 250


@pytest.mark.postgres
def test_a_mailer_killed_five_times_reaches_everybody_and_sends_again_what_was_in_its_hands(
    committed, smtp
):
    readers = [make_reader(f"sample{n}@example.org") for n in range(MANY)]
    leaving = readers[-20:]
    make_mailing()
    os.environ["NEWS_RATE"] = "100000/s"
    try:
        for kill in range(1, 6):
            mailer = start_mailer(smtp)
            wait_until(lambda kill=kill: len(smtp.mails) >= kill * 30)
            mailer.send_signal(signal.SIGKILL)
            mailer.wait()
            for reader in leaving[kill * 4 - 4 : kill * 4]:
                signatures.unsubscribe(token(reader))
        two = [start_mailer(smtp), start_mailer(smtp)]
        wait_until(lambda: again().state == "finished")
        for mailer in two:
            mailer.terminate()
            assert mailer.wait(10) == 0
    finally:
        del os.environ["NEWS_RATE"]
    stayed = {f"sample{n}@example.org" for n in range(MANY - 20)}
    assert set(smtp.recipients) == stayed
    assert len(smtp.recipients) <= len(stayed) + 5 * CONVERSATIONS
    mailing = again()
    assert (mailing.sent, mailing.skipped) == (len(stayed), mailing.queued - len(stayed))


@pytest.mark.postgres
def test_two_mailers_keep_to_the_pace_together(committed, smtp):
    for n in range(150):
        make_reader(f"sample{n}@example.org")
    make_mailing()
    os.environ["NEWS_RATE"] = "25/s"
    try:
        two = [start_mailer(smtp), start_mailer(smtp)]
        wait_until(lambda: again().state == "finished")
    finally:
        del os.environ["NEWS_RATE"]
    for mailer in two:
        mailer.terminate()
        assert mailer.wait(10) == 0
    at = list(Letter.objects.order_by("created_at").values_list("created_at", flat=True))
    assert len(at) == 150
    for first in range(0, 150, 10):
        for last in range(first + 1, 150):
            seconds = (at[last] - at[first]).total_seconds()
            # What a pause may be made up for comes on top, and one letter for the edge.
            assert last - first + 1 <= 25 * (seconds + mailings.CATCH_UP_SECONDS) + 1


@pytest.mark.postgres
def test_one_mailer_queues_at_a_time_whichever_mailing_it_has_found(committed):
    make_reader()
    make_mailing()
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("BEGIN")
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [mailings.LOCK])
        assert mailings.queue() == 0
        cursor.execute("ROLLBACK")
    other.close()
    assert mailings.queue() == 1


@pytest.mark.postgres
def test_the_next_readers_are_found_in_an_index(committed):
    make_reader()
    mailing = make_mailing()
    with connection.cursor() as cursor:
        cursor.execute("SET enable_seqscan = off")
        cursor.execute("SET enable_sort = off")
        plan = mailing.recipients().values_list("pk")[:50].explain()
        cursor.execute("RESET enable_seqscan")
        cursor.execute("RESET enable_sort")
    assert "wants_news" in plan
