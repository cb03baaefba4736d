"""What comes back from mail servers: believed where it is ours, once, and for what it says."""

import re
import smtplib
import subprocess
import sys
from email.message import EmailMessage

import pytest
from aiosmtpd.controller import Controller
from django.conf import settings as site
from django.core import mail
from django.core.management import CommandError, call_command
from hypothesis import HealthCheck, given, settings, strategies

from petition.letters import bounces, envelopes, reminders, sending
from petition.models import Letter, Signature
from tests.budget import FUZZ, examples
from tests.conftest import free_port
from tests.making import filled_form, make_mailing, make_signature

pytestmark = pytest.mark.django_db
SENT, REFUSED, DUE = Letter.State.SENT, Letter.State.REFUSED, Letter.State.DUE
BOUNCES = "bounces@petition.example"


@pytest.fixture(autouse=True)
def _address(settings):
    settings.BOUNCE_ADDRESS = BOUNCES


def sent(client, smtp) -> Letter:
    """A letter that a real server took."""
    client.post("/en/sign/", filled_form(email="nobody@elsewhere.example"))
    assert sending.send_due() == 1
    return Letter.objects.get()


def to_of(letter: Letter) -> str:
    """Where reports about its last try go to."""
    return BOUNCES.replace("@", f"+{envelopes.token(letter.pk, letter.tries)}@")


def report(to: str, status="5.1.1", action="failed", words="The user does not exist.") -> bytes:
    """As RFC 3464 has it."""
    head = (
        f"Return-Path: <>\r\nTo: {to}\r\nFrom: MAILER-DAEMON@elsewhere.example\r\n"
        "Subject: Undelivered Mail\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
    )
    body = (
        f"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{words}\r\n"
        "--b\r\nContent-Type: message/delivery-status\r\n\r\n"
        "Reporting-MTA: dns; mx.elsewhere.example\r\n\r\n"
        "Final-Recipient: rfc822; nobody@elsewhere.example\r\n"
        f"Action: {action}\r\nStatus: {status}\r\n\r\n--b--\r\n"
    )
    return (head + body).encode()


def complaint(letter: Letter, mark: str | None = None) -> bytes:
    """As RFC 5965 has it: it comes to the address of the feedback loop."""
    mark = envelopes.token(letter.pk, letter.tries) if mark is None else mark
    return (
        f"To: {BOUNCES}\r\nSubject: FW: complaint\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/report; report-type=feedback-report; boundary="b"\r\n\r\n'
        "--b\r\nContent-Type: message/feedback-report\r\n\r\n"
        "Feedback-Type: abuse\r\nVersion: 1\r\nUser-Agent: Loop/1\r\n\r\n"
        f"--b\r\nContent-Type: message/rfc822\r\n\r\nX-Letter: {mark}\r\nSubject: x\r\n\r\nx\r\n"
        "--b--\r\n"
    ).encode()


def state(letter: Letter) -> tuple[str, int]:
    letter.refresh_from_db()
    return letter.state, letter.tries


def test_the_envelope_names_the_letter_and_the_reader_sees_the_usual_sender(client, smtp):
    froms = []
    handle = smtp.handle_MAIL

    async def note(server, session, envelope, address, options):
        froms.append(address)
        return await handle(server, session, envelope, address, options)

    smtp.handle_MAIL = note
    letter = sent(client, smtp)
    assert froms == [to_of(letter)]
    assert len(froms[0].partition("@")[0]) <= 64
    (got,) = smtp.mails
    assert got["From"] == site.DEFAULT_FROM_EMAIL
    assert got["Feedback-ID"].startswith("confirm:petition:")
    assert str(letter.pk) not in re.sub(r"[0-9a-f]{32}", "", froms[0])


def test_without_an_address_for_reports_the_envelope_is_as_before(client, settings):
    settings.BOUNCE_ADDRESS = ""
    client.post("/en/sign/", filled_form())
    sending.send_due()
    assert mail.outbox[-1].from_email == site.DEFAULT_FROM_EMAIL


@pytest.mark.parametrize(
    "words", ["The user does not exist.", "المستخدم غير موجود", "L’utilisateur n’existe pas"]
)
def test_a_mailbox_that_does_not_exist_is_refused_for_good_once(client, smtp, words):
    letter = sent(client, smtp)
    for _ in range(2):
        assert bounces.take(report(to_of(letter), words=words)).kind is bounces.Kind.HARD
        assert state(letter) == (REFUSED, 1)
    assert letter.reply == "reported 5.1.1"
    assert sending.send_due() == 0


@pytest.mark.parametrize("status", ["4.2.2", "5.2.2", "4.4.7", "5.7.1"])
def test_a_full_or_busy_mailbox_is_tried_again_once_a_report(client, smtp, status):
    letter = sent(client, smtp)
    told = report(to_of(letter), status)
    for _ in range(2):
        assert bounces.take(told).kind is bounces.Kind.SOFT
        assert state(letter) == (DUE, 1)
    Letter.objects.update(due_at=letter.created_at)
    assert sending.send_due() == 1
    bounces.take(told)  # Of the first try: it says nothing of the second.
    assert state(letter) == (SENT, 2)


def test_what_comes_back_again_and_again_is_given_up(client, smtp):
    letter = sent(client, smtp)
    Letter.objects.update(tries=sending.MAX_TRIES)
    letter.refresh_from_db()
    bounces.take(report(to_of(letter), "4.2.2"))
    assert state(letter)[0] == Letter.State.GIVEN_UP


@pytest.mark.parametrize("action", ["delayed", "relayed", "delivered", "expanded"])
def test_a_delay_that_a_relay_still_works_on_changes_nothing(client, smtp, action):
    letter = sent(client, smtp)
    bounces.take(report(to_of(letter), "4.4.1", action))
    assert state(letter) == (SENT, 1)


def test_who_calls_it_spam_gets_nothing_more(client, smtp):
    letter = sent(client, smtp)
    for _ in range(2):
        assert bounces.take(complaint(letter)).kind is bounces.Kind.COMPLAINT
    assert state(letter) == (REFUSED, 1)
    response = client.post("/en/sign/", filled_form(email="nobody@elsewhere.example"))
    assert response.status_code == 303  # Told apart by nobody.
    assert sending.send_due() == 0
    assert reminders.owe() == 0


def test_a_complaint_about_news_ends_the_news(client, smtp):
    make_signature("reader@example.org", Signature.State.COUNTED, updates=True)
    mailing = make_mailing()
    sending.send_due()
    letter = Letter.objects.get(kind="news")
    bounces.take(complaint(letter))
    mailing.refresh_from_db()
    assert (mailing.sent, mailing.failed) == (0, 1)
    assert not Signature.objects.get().updates


@pytest.mark.parametrize("change", ["digit", "other letter", "no token", "cut"])
def test_what_was_forged_does_nothing(client, smtp, change):
    letter = sent(client, smtp)
    right = envelopes.token(letter.pk, letter.tries)
    wrong = {
        "digit": right[:-1] + ("0" if right[-1] != "0" else "1"),
        "other letter": f"{letter.pk:032x}",
        "no token": "",
        "cut": right[:-2],
    }[change]
    assert bounces.take(report(BOUNCES.replace("@", f"+{wrong}@"))).letter == 0
    assert bounces.take(complaint(letter, wrong)).letter == 0
    assert state(letter) == (SENT, 1)


def test_an_answer_of_a_person_or_of_their_holiday_is_no_report(client, smtp):
    letter = sent(client, smtp)
    for subject in ("Re: your message", "Out of office", "رد تلقائي"):
        answer = EmailMessage()
        answer["To"], answer["Subject"] = to_of(letter), subject
        answer.set_content("I am away. The user does not exist here until Monday.")
        assert bounces.take(answer.as_bytes()).kind is bounces.Kind.NONE
    assert state(letter) == (SENT, 1)


def test_servers_that_keep_to_no_standard_are_understood_too(client, smtp):
    """As qmail writes it; the address stands in the words alone."""
    letter = sent(client, smtp)
    told = (
        f"To: {to_of(letter)}\r\nFrom: MAILER-DAEMON@elsewhere.example\r\n\r\n"
        "Hi. This is the qmail-send program at elsewhere.example.\r\n"
        "I'm afraid I wasn't able to deliver your message to the following addresses.\r\n"
        "This is a permanent error; I've given up. Sorry it didn't work out.\r\n\r\n"
        "<nobody@elsewhere.example>:\r\nSorry, no mailbox here by that name.\r\n\r\n"
    )
    assert bounces.take(told.encode()).kind is bounces.Kind.HARD
    assert state(letter) == (REFUSED, 1)


def test_a_report_from_a_second_real_server_travels_to_the_end(client, smtp):
    """A server that takes the letter for another and reports later, over a real conversation, to a
    real server of ours whose mail is piped to the command."""
    letter = sent(client, smtp)
    taken = []

    class Ours:
        async def handle_DATA(self, server, session, envelope):  # noqa: N802
            taken.append((envelope.mail_from, envelope.rcpt_tos[0], envelope.content))
            return "250 OK"

    ours = Controller(Ours(), hostname="127.0.0.1", port=free_port())
    ours.start()
    try:
        with smtplib.SMTP("127.0.0.1", ours.port) as relay:
            told = report("undisclosed-recipients:;")
            relay.sendmail("", [to_of(letter)], told)
    finally:
        ours.stop()
    ((sender, recipient, content),) = taken
    assert sender in ("", "<>")
    piped = b"Delivered-To: " + recipient.encode() + b"\r\n" + content
    assert bounces.take(piped).kind is bounces.Kind.HARD
    assert state(letter) == (REFUSED, 1)


def test_reports_are_seen_on_the_desk(client, smtp, admin_client):
    def refused() -> str:
        page = admin_client.get("/admin/", headers={"Accept-Language": "en"}).content.decode()
        tile = page[page.index("Bounced e-mails") :]
        return re.search(r"desk-tile__figure[^>]*>\s*(?:<[^>]+>)?(\d+)", tile)[1]

    letter = sent(client, smtp)
    assert refused() == "0"
    bounces.take(report(to_of(letter)))
    assert refused() == "1"


def test_the_command_says_what_is_missing(settings):
    settings.BOUNCE_MAILBOX = None
    with pytest.raises(CommandError, match="BOUNCE_MAILBOX is not set"):
        call_command("bounces")


@pytest.mark.once
def test_one_report_comes_through_a_pipe(tmp_path):
    given = {"PATH": "", "DEBUG": "1", "DATABASE_URL": f"sqlite:///{tmp_path}/new.sqlite3"}
    command = [sys.executable, "manage.py", "bounces", "--pipe"]
    done = subprocess.run(
        command, env=given, cwd=site.BASE_DIR, input=report("bounces+x@petition.example"),
        capture_output=True,
    )  # fmt: skip
    assert (done.returncode, done.stdout.decode().strip()) == (0, "hard: 1")


@pytest.mark.property
@pytest.mark.once
@settings(max_examples=examples(60), deadline=None, derandomize=not FUZZ,
          suppress_health_check=[HealthCheck.too_slow])  # fmt: skip
@given(
    strategies.binary(max_size=300),
    strategies.sampled_from(["report", "complaint", "plain"]),
    strategies.integers(0, 400),
)
def test_no_mail_breaks_it(noise, kind, at):
    whole = {
        "report": report(BOUNCES),
        "complaint": complaint(Letter(pk=1)),
        "plain": b"To: a\r\n\r\n",
    }
    mail = whole[kind]
    bounces.read(mail[:at] + noise + mail[at:])
