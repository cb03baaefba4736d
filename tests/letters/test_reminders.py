"""Who has not confirmed is reminded once, and nobody else is."""

import time
from datetime import timedelta
from threading import Thread

import pytest
from django.core import mail
from django.core.cache import caches
from django.db import connection
from django.utils import timezone

from petition.letters import reminders, sending
from petition.models import Letter, Signature
from petition.signing import lifecycle
from tests.making import State, filled_form, link, make_signature

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_pace(settings):
    settings.NEWS_RATE = 1_000_000.0


def signed(email="someone@example.org", days=4, letter="sent", **fields) -> Signature:
    signature = make_signature(
        email, signed_at=timezone.now() - timedelta(days=days, minutes=1), **fields
    )
    Letter.objects.create(
        signature=signature, kind="confirm", language="en", state=letter,
        ended_at=timezone.now() if letter != "due" else None,
    )  # fmt: skip
    return signature


def send() -> list[str]:
    """Everything that there is to send; returns to whom."""
    before = len(mail.outbox)
    for _ in range(30):
        sending.send_due()
    return [m.to[0] for m in mail.outbox[before:]]


@pytest.mark.parametrize(
    ("language", "said"),
    [("ar", "قبل أيام"), ("fr", "Il y a quelques jours"), ("en", "A few days ago")],
)
def test_who_has_not_confirmed_is_reminded_once_and_can_confirm_by_it(client, language, said):
    signed(language=language)
    assert send() == ["someone@example.org"]
    assert send() == []
    letter = mail.outbox[0]
    assert said in letter.body
    assert client.post(link("confirm", letter)).status_code == 303
    assert Signature.objects.get().state == "counted"


@pytest.mark.parametrize("days", [0, 2, 14, 20])
def test_nobody_is_reminded_too_early_or_too_late(days):
    signed(days=days)
    assert send() == []


@pytest.mark.parametrize("letter", ["refused", "given up", "withheld"])
def test_nobody_is_reminded_whose_letter_never_arrived(letter):
    signed(letter=letter)
    assert send() == []


@pytest.mark.parametrize("state", [State.COUNTED, State.HELD, State.REJECTED])
def test_nobody_is_reminded_who_confirmed_or_was_set_aside(state):
    signed(state=state)
    assert send() == []


def test_nobody_is_reminded_who_signed_again_lately(client):
    signed()
    client.post("/en/sign/", filled_form())
    assert send() == ["someone@example.org"]  # The letter of that.
    assert not Letter.objects.filter(kind="remind").exists()


def test_who_confirms_while_the_reminder_waits_gets_none():
    signature = signed()
    assert reminders.owe() == 1
    lifecycle.move(signature, State.COUNTED, confirmed_at=timezone.now())
    assert send() == []
    assert Letter.objects.get(kind="remind").state == "withheld"


def test_whose_first_letter_comes_back_while_the_reminder_waits_gets_none():
    signed()
    assert reminders.owe() == 1
    Letter.objects.filter(kind="confirm").update(state="refused")
    assert send() == []
    assert Letter.objects.get(kind="remind").state == "withheld"


def test_it_can_be_switched_off(settings):
    settings.REMIND_AFTER_DAYS = 0
    signed()
    assert send() == []


def test_reminders_keep_the_pace_of_news(settings):
    settings.NEWS_RATE = 1 / 3600
    for n in range(12):
        signed(f"late{n}@example.org")
    assert len(send()) == reminders.BATCH
    Letter.objects.filter(kind="remind").update(created_at=timezone.now() - timedelta(hours=2))
    assert len(send()) == 2


def test_a_mailer_whose_clock_goes_behind_waits_and_does_not_fall():
    signed("first@example.org")
    assert reminders.owe() == 1
    Letter.objects.filter(kind="remind").update(created_at=timezone.now() + timedelta(minutes=5))
    caches["process"].clear()
    signed("second@example.org")
    assert reminders.owe() == 0


@pytest.mark.usefixtures("committed")
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_two_mailers_at_once_remind_each_once():
    def reminded():
        return Letter.objects.filter(kind="remind")

    for n in range(30):
        signed(f"late{n}@example.org")

    def owe():
        """Until nobody is left: how many a call may remind depends on the time since the last."""
        try:
            until = time.monotonic() + 30
            while reminded().count() < 30 and time.monotonic() < until:
                reminders.owe()
        finally:
            connection.close()

    threads = [Thread(target=owe) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert reminded().count() == 30
    assert sorted(send()) == sorted(f"late{n}@example.org" for n in range(30))
