"""Letters on a real SMTP server that works, refuses, hangs and breaks off."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
import time
from datetime import timedelta
from io import StringIO

import pytest
from aiosmtpd.controller import Controller
from django.conf import settings as site
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from petition.ground import encryption, links, workers
from petition.letters import claims, compose, owing, sending, statements
from petition.models import Letter
from petition.signing import signatures
from tests.conftest import free_port
from tests.making import filled_form, make_signature


def owe(email="someone@example.org", kind=Letter.Kind.CONFIRM, language="en"):
    signature = make_signature(email)
    owing.owe(signature, kind, language)
    return signature.letters.get()


def run_mailer(*args) -> str:
    out = StringIO()
    call_command("mailer", *args, stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_the_mailer_sends_what_is_due_and_says_how_much(smtp):
    owe("one@example.org")
    owe("two@example.org")
    assert run_mailer("--once") == "Letters sent: 2. Letters that wait: 0.\n"
    assert smtp.recipients == ["one@example.org", "two@example.org"]
    assert run_mailer("--once") == "Letters sent: 0. Letters that wait: 0.\n"
    assert len(smtp.mails) == 2


@pytest.mark.django_db
def test_two_copies_of_a_letter_would_have_one_message_id_and_two_letters_two():
    one, two = owe("one@example.org"), owe("two@example.org")
    first, copy, other = (compose.mail(letter).message() for letter in (one, one, two))
    assert first["Message-ID"] == copy["Message-ID"]
    assert first["Message-ID"] != other["Message-ID"]


@pytest.mark.django_db
def test_a_server_that_is_down_loses_nothing_and_the_site_signs_on(client, smtp, settings):
    works, settings.EMAIL_PORT = settings.EMAIL_PORT, free_port()
    assert client.post("/en/sign/", filled_form(email="a@example.org")).status_code == 303
    with pytest.raises(CommandError, match=r"does not take letters.*1 letters wait"):
        run_mailer("--once")
    settings.EMAIL_PORT = works
    run_mailer("--once")
    assert smtp.recipients == ["a@example.org"]


@pytest.mark.django_db
def test_an_address_refused_for_good_is_marked_and_not_tried_again(smtp):
    smtp.replies["gone@example.org"] = "550 5.1.1 <gone@example.org> is unknown here"
    owe("gone@example.org")
    owe("here@example.org")
    run_mailer("--once")
    assert smtp.recipients == ["here@example.org"]
    letter = Letter.objects.get(state=Letter.State.REFUSED)
    assert letter.reply == "550 5.1.1"
    del smtp.replies["gone@example.org"]
    run_mailer("--once")
    assert len(smtp.mails) == 1


@pytest.mark.django_db
def test_a_letter_put_off_is_tried_again_after_growing_pauses(smtp):
    smtp.replies["busy@example.org"] = "450 4.2.1 try later"
    owe("busy@example.org")
    pauses = []
    for _ in range(4):
        before = timezone.now()
        run_mailer("--once")
        letter = Letter.objects.get()
        pauses.append(round((letter.due_at - before).total_seconds()))
        run_mailer("--once")  # Not due: nothing happens.
        Letter.objects.update(due_at=before)
    assert pauses == [30, 60, 120, 240]
    smtp.replies.clear()
    run_mailer("--once")
    assert smtp.recipients == ["busy@example.org"]


@pytest.mark.django_db
@pytest.mark.parametrize("reply", ["550 5.1.8 sender domain not found", "550 we do not know you"])
def test_a_refused_sender_is_the_operators_to_mend_and_costs_no_letter(smtp, reply):
    smtp.sender_reply = reply
    owe("one@example.org")
    owe("two@example.org")
    with pytest.raises(CommandError, match="EMAIL_FROM"):
        run_mailer("--once")
    assert set(Letter.objects.values_list("state", flat=True)) == {Letter.State.DUE}


@pytest.mark.django_db
def test_refused_content_is_tried_again(smtp):
    smtp.data_reply = "550 rejected as spam"
    letter = owe()
    run_mailer("--once")
    letter.refresh_from_db()
    assert (letter.state, letter.tries, letter.reply) == (Letter.State.DUE, 1, "550")


@pytest.mark.django_db
def test_a_server_that_takes_three_letters_a_conversation_gets_them_in_several(smtp):
    smtp.letters_a_conversation = 3
    for n in range(10):
        owe(f"sample{n}@example.org")
    assert run_mailer("--once") == "Letters sent: 10. Letters that wait: 0.\n"
    assert set(Letter.objects.values_list("tries", flat=True)) == {1}


@pytest.mark.django_db
def test_one_letter_that_cannot_be_written_stops_no_other(smtp):
    broken = owe("broken@example.org")
    # As no form takes it, and an import might.
    broken.signature.email = "broken\r\nRCPT TO:<other@example.org>"
    broken.signature.save(update_fields=["email"])
    owe("here@example.org")
    run_mailer("--once")
    assert smtp.recipients == ["here@example.org"]
    broken.refresh_from_db()
    assert (broken.state, broken.tries) == (Letter.State.DUE, 1)


@pytest.mark.django_db
def test_a_letter_is_given_up_after_many_tries(smtp):
    smtp.data_reply = "554 5.7.1 we do not like your network"
    letter = owe()
    for _ in range(sending.MAX_TRIES + 2):
        Letter.objects.update(due_at=timezone.now())
        run_mailer("--once")
    letter.refresh_from_db()
    assert (letter.state, letter.tries) == (Letter.State.GIVEN_UP, sending.MAX_TRIES)


@pytest.mark.django_db
def test_a_server_that_never_answers_holds_one_letter_up_for_its_timeout_only(settings):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = silent.getsockname()
        settings.EMAIL_TIMEOUT = 0.2
        owe()
        with pytest.raises(sending.ServerUnavailable, match="does not take letters"):
            sending.send_due()
    letter = Letter.objects.get()
    assert (letter.state, letter.mailer) == (Letter.State.DUE, "")


@pytest.mark.django_db
def test_a_letter_whose_key_is_missing_waits_for_it(smtp, settings, caplog):
    owe()
    keys, settings.DATA_KEYS = settings.DATA_KEYS, [b"n" * 32]
    with pytest.raises(encryption.Unreadable):
        assert Letter.objects.select_related("signature").get().signature.email
    sending.send_due()
    assert "DATA_KEYS" in caplog.text
    settings.DATA_KEYS = keys
    Letter.objects.update(due_at=timezone.now())
    run_mailer("--once")
    assert len(smtp.mails) == 1


@pytest.mark.django_db
def test_a_letter_in_the_hands_of_a_dead_mailer_is_taken_back_and_of_a_living_one_left():
    host = socket.gethostname()[:60]
    names = ("dead", "alive", "elsewhere", "long-ago", "former-life", "same-number")
    dead, alive, elsewhere, long_ago, former, same = (owe(f"{n}@example.org") for n in names)
    before_me = workers._my_start() - timedelta(seconds=1)
    ended = subprocess.Popen(["true"])
    ended.wait()
    now = timezone.now()
    held = {
        dead: (f"{host}:{ended.pid}:aaaa", now),
        alive: (f"{host}:{os.getppid()}:bbbb", now),
        elsewhere: ("another-host:1:cccc", now),
        long_ago: ("another-host:1:dddd", now - claims.LEASE - timedelta(seconds=1)),
        former: (f"{host}:{os.getpid()}:eeee", before_me),
        same: (f"{host}:{os.getpid()}:ffff", now),
    }
    for letter, (mailer, since) in held.items():
        Letter.objects.filter(pk=letter.pk).update(mailer=mailer, claimed_at=since)
    assert claims.free_abandoned() == 3
    free = set(Letter.objects.filter(mailer="").values_list("pk", flat=True))
    assert free == {dead.pk, long_ago.pk, former.pk}


@pytest.mark.django_db
def test_without_a_mail_server_the_mailer_names_the_variable(settings):
    settings.EMAIL_BACKEND = None
    with pytest.raises(CommandError, match="EMAIL_URL is not set"):
        run_mailer("--once")


CONVERSATIONS = 8  # MAIL_CONCURRENCY, where nobody sets it.


def start_mailer(smtp, *args):
    database = connection.settings_dict
    url = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**database)
    environment = os.environ | {"DATABASE_URL": url, "EMAIL_URL": smtp.url, "DEBUG": "1"}
    environment["DJANGO_SETTINGS_MODULE"] = "campaign_site.settings"
    return subprocess.Popen(
        [sys.executable, "manage.py", "mailer", *args], env=environment, cwd=site.BASE_DIR
    )


def wait_until(condition, seconds=30):
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.02)


@pytest.mark.postgres
def test_killed_mailers_and_two_at_once_lose_no_letter(committed, smtp):
    for number in range(250):
        owe(f"sample{number}@example.org")
    kills = 0
    for stop_at in (60, 140):
        mailer = start_mailer(smtp)
        wait_until(lambda stop_at=stop_at: len(smtp.mails) >= stop_at)
        mailer.send_signal(signal.SIGKILL)
        mailer.wait()
        kills += 1
    two = [start_mailer(smtp), start_mailer(smtp)]
    wait_until(lambda: not Letter.objects.filter(state=Letter.State.DUE).exists())
    for mailer in two:
        mailer.terminate()
        assert mailer.wait(10) == 0
    assert len(set(smtp.recipients)) == 250
    assert len(smtp.recipients) <= 250 + kills * CONVERSATIONS


@pytest.mark.postgres
def test_a_mailer_talks_to_the_server_in_several_conversations_at_once(committed, smtp, settings):
    settings.MAIL_CONCURRENCY = CONVERSATIONS
    people = [f"sample{number}@example.org" for number in range(claims.BATCH * CONVERSATIONS)]
    for address in people:
        owe(address)
    everybody_is_here, talking = asyncio.Event(), set()
    answer = smtp.handle_DATA

    async def once_all_are_talking(server, session, envelope):
        talking.add(session)
        if len(talking) == CONVERSATIONS:
            everybody_is_here.set()
        await asyncio.wait_for(everybody_is_here.wait(), 20)
        return await answer(server, session, envelope)

    smtp.handle_DATA = once_all_are_talking
    assert sending.send_due() == len(people)
    assert sorted(smtp.recipients) == sorted(people)
    assert not Letter.objects.exclude(state=Letter.State.SENT).exists()


@pytest.mark.postgres
def test_no_conversation_begins_where_the_server_is_down_or_the_mailer_is_told_to_stop(
    committed, smtp, settings, monkeypatch
):
    settings.MAIL_CONCURRENCY = 2
    for number in range(claims.BATCH * 3):
        owe(f"sample{number}@example.org")
    begun = []
    claim = claims.claim
    monkeypatch.setattr(claims, "claim", lambda: begun.append(1) or claim())
    assert sending.send_due(lambda: True) == 0
    assert not begun
    settings.EMAIL_PORT = free_port()
    with pytest.raises(sending.ServerUnavailable):
        sending.send_due()
    assert len(begun) <= 3
    assert Letter.objects.filter(state=Letter.State.DUE, mailer="").count() == 30


@pytest.mark.postgres
def test_conversations_that_ended_begin_again_as_letters_come(committed, smtp, settings):
    settings.MAIL_CONCURRENCY = 2
    for number in range(claims.BATCH):
        owe(f"first{number}@example.org")
    answer, sessions = smtp.handle_DATA, set()

    def many_sign():
        for number in range(claims.BATCH * 4):
            owe(f"later{number}@example.org")
        connection.close()

    async def at_the_last_of_the_hand(server, session, envelope):
        if len(smtp.mails) == claims.BATCH - 1:
            await asyncio.to_thread(many_sign)
        elif len(smtp.mails) >= claims.BATCH:
            sessions.add(session)
        return await answer(server, session, envelope)

    smtp.handle_DATA = at_the_last_of_the_hand
    assert sending.send_due() == claims.BATCH * 5
    assert len(sessions) == 2


@pytest.mark.django_db
def test_letters_leave_no_faster_than_the_provider_allows(smtp, settings):
    settings.MAIL_RATE = 20.0
    for number in range(5):
        owe(f"sample{number}@example.org")
    began = time.monotonic()
    assert sending.send_due() == 5
    assert time.monotonic() - began >= 4 / settings.MAIL_RATE


@pytest.mark.postgres
def test_a_mailer_waits_for_a_server_that_comes_up_later(committed, smtp):
    owe()
    port = free_port()
    smtp.url = f"smtp://127.0.0.1:{port}"
    mailer = start_mailer(smtp)
    later = Controller(smtp, hostname="127.0.0.1", port=port)
    later.start()
    wait_until(lambda: Letter.objects.filter(state=Letter.State.SENT).exists())
    mailer.terminate()
    assert mailer.wait(10) == 0
    later.stop()
    assert smtp.recipients == ["someone@example.org"]


@pytest.mark.django_db
def test_a_mailer_that_is_told_to_stop_lets_the_rest_wait(smtp):
    for n in range(3):
        owe(f"sample{n}@example.org")
    assert sending.send_due(lambda: len(smtp.mails) >= 1) == 1
    assert Letter.objects.filter(state=Letter.State.DUE, mailer="").count() == 2


@pytest.mark.postgres
def test_who_withdraws_while_a_mailer_has_their_letter_in_its_hands_gets_none(committed, smtp):
    owe("one@example.org")
    second = owe("two@example.org").signature
    answer = smtp.handle_DATA

    def withdraw():
        signatures.withdraw(links.token(links.WITHDRAW, second.reference))
        connection.close()

    async def as_the_first_is_sent(server, session, envelope):
        await asyncio.to_thread(withdraw)
        return await answer(server, session, envelope)

    smtp.handle_DATA = as_the_first_is_sent
    assert sending.send_due() == 1
    assert smtp.recipients == ["one@example.org"]
    assert Letter.objects.filter(signature=second).count() == 0


@pytest.mark.postgres
def test_who_withdraws_between_two_hands_of_a_mailer_gets_no_letter(committed, smtp):
    """A letter that was claimed long before its turn is asked about at its turn."""
    first, second = owe("one@example.org"), owe("two@example.org")
    hand = statements.claim(2)
    assert [letter.pk for letter in hand] == [first.pk, second.pk]
    signatures.withdraw(links.token(links.WITHDRAW, second.signature.reference))
    assert statements.is_mine(hand[0])
    assert not statements.is_mine(hand[1])


@pytest.mark.django_db
def test_pauses_end_growing_at_six_hours(smtp):
    smtp.replies["busy@example.org"] = "450 4.2.1 try later"
    letter = owe("busy@example.org")
    Letter.objects.update(tries=15)
    before = timezone.now()
    run_mailer("--once")
    letter.refresh_from_db()
    assert round((letter.due_at - before).total_seconds()) == 6 * 60 * 60


@pytest.mark.django_db
def test_a_letter_asks_machines_not_to_answer():
    headers = compose.mail(owe()).message()
    assert headers["Auto-Submitted"] == "auto-generated"
    assert headers["X-Auto-Response-Suppress"] == "All"
