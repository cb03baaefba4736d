"""News that is stopped, taken back or no longer wanted, and mailers that are killed."""

import os
import signal
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from petition.campaign import newsroom
from petition.ground import links
from petition.letters import claims, mailings, owing, sending
from petition.models import Entry, Letter, Mailing, News
from petition.signing import lifecycle, moderation, signatures
from tests.letters.readers import again, make_reader, token
from tests.letters.test_sending import CONVERSATIONS, start_mailer, wait_until
from tests.making import State, make_coordinator, make_mailing, make_signature, make_story

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fast_news")]


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
    owing.owe(make_signature("new@example.org"), "confirm", "en")
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
    claim = claims.claim

    def stopped_after_the_claim():
        claimed = claim()
        Mailing.objects.update(state="stopped")
        return claimed

    monkeypatch.setattr(claims, "claim", stopped_after_the_claim)
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


# --- Killed mailers ----------------------------------------------------------------------------

MANY = 150


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
            wait_until(lambda kill=kill: len(smtp.mails) >= kill * 18)
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
    for n in range(80):
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
    assert len(at) == 80
    for first in range(0, 80, 10):
        for last in range(first + 1, 80):
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
