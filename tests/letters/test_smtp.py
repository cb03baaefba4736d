"""Addresses outside ASCII, through a real server that carries them and one that does not."""

import smtplib
from contextlib import contextmanager, suppress
from datetime import timedelta

import pytest
from aiosmtpd.controller import Controller
from django.core.cache import caches
from django.utils import timezone

from petition.letters import compose, sending, smtp
from petition.models import Letter
from tests.conftest import Box, free_port
from tests.making import filled_form, link

pytestmark = pytest.mark.django_db


@contextmanager
def receiving(box, settings, **options):
    """A real server with this box, which the site sends to."""
    controller = Controller(box, hostname="127.0.0.1", port=free_port(), **options)
    controller.start()
    settings.EMAIL_BACKEND = "petition.letters.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = controller.hostname, controller.port
    try:
        yield box
    finally:
        controller.stop()


@pytest.fixture(params=[True, False], ids=["smtputf8", "ascii only"])
def server(request, settings):
    caches["process"].clear()
    with receiving(Box(), settings, enable_SMTPUTF8=request.param) as box:
        box.carries_unicode = request.param
        yield box


def test_an_arabic_address_is_taken_where_the_server_carries_it(client, server):
    response = client.post("/ar/sign/", filled_form(email="سلمى@example.org"))
    assert smtp.carries_unicode() is server.carries_unicode
    assert response.status_code == (303 if server.carries_unicode else 422)
    assert sending.send_due() == len(server.mails) == int(server.carries_unicode)
    if server.carries_unicode:
        letter = server.mails[0]
        assert letter["To"] == "سلمى@example.org"
        assert client.post(link("confirm", letter)).status_code == 303
        assert Letter.objects.get().state == Letter.State.SENT


@pytest.mark.parametrize("server", [False], indirect=True, ids=["ascii only"])
def test_a_letter_to_an_arabic_address_waits_for_a_server_that_carries_it(client, server, settings):
    caches["process"].set("smtputf8", True)
    client.post("/ar/sign/", filled_form(email="سلمى@example.org"))
    client.post("/ar/sign/", filled_form(email="other@example.org"))
    sent = sending.send_due()
    assert (sent, [mail["To"] for mail in server.mails]) == (1, ["other@example.org"])
    assert Letter.objects.filter(state=Letter.State.DUE, tries=1).count() == 1


def test_other_letters_go_as_before(client, server):
    client.post("/ar/sign/", filled_form())
    assert sending.send_due() == 1
    assert server.mails[0]["To"] == "someone@example.org"


@pytest.mark.parametrize("bounces", ["", "bounces@رسائل.example"])
def test_a_sender_outside_ascii_is_sent_from(client, server, settings, bounces):
    settings.DEFAULT_FROM_EMAIL = "الحملة <no-reply@رسائل.example>"
    settings.BOUNCE_ADDRESS = bounces
    client.post("/ar/sign/", filled_form())
    assert sending.send_due() == 1
    assert server.mails[0]["From"].startswith("الحملة <no-reply@xn--")
    sender = server.senders[0]
    assert sender.endswith("@xn--lgbb3ai1g.example"), sender


@pytest.mark.parametrize("pipelines", [True, False])
def test_a_refusal_tells_the_same_whether_commands_go_together_or_one_by_one(
    client, smtp, pipelines
):
    smtp.pipelines = pipelines
    smtp.replies = {
        "gone@example.org": "550 5.1.1 nobody here",
        "full@example.org": "452 4.2.2 full",
    }
    for name in ("gone", "full", "here"):
        client.post("/en/sign/", filled_form(email=f"{name}@example.org"))
    assert sending.send_due() == 1
    assert smtp.recipients == ["here@example.org"]
    told = Letter.objects.order_by("pk").values_list("state", "tries", "reply")
    assert list(told) == [("refused", 1, "550 5.1.1"), ("due", 1, "452 4.2.2"), ("sent", 1, "")]


@pytest.mark.parametrize("pipelines", [True, False])
@pytest.mark.parametrize("reply", ["sender_reply", "data_reply"])
def test_a_server_that_refuses_the_sender_or_the_text_loses_nothing(client, smtp, reply, pipelines):
    smtp.pipelines = pipelines
    setattr(smtp, reply, "451 4.3.0 later")
    client.post("/en/sign/", filled_form())
    with suppress(sending.ServerUnavailable):
        sending.send_due()
    letter = Letter.objects.get()
    assert (letter.state, letter.tries, smtp.mails) == ("due", 1, [])
    setattr(smtp, reply, None)
    Letter.objects.update(due_at=timezone.now() - timedelta(seconds=1))
    assert sending.send_due() == 1


class HangsUp(Box):
    """As a server that ends the conversation with whoever writes to nobody."""

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        reply = await super().handle_RCPT(server, session, envelope, address, options)
        if reply.startswith("5"):
            server.transport.write(f"{reply}\r\n".encode())
            server.transport.close()  # It says nothing more, nor reads.
        return reply


@pytest.mark.parametrize("pipelines", [True, False])
def test_an_address_is_refused_for_good_though_the_server_hangs_up(client, settings, pipelines):
    with receiving(HangsUp(), settings) as box:
        box.pipelines = pipelines
        box.replies = {"gone@example.org": "550 5.1.1 nobody here"}
        for name in ("gone", "here"):
            client.post("/en/sign/", filled_form(email=f"{name}@example.org"))
        assert sending.send_due() == 1
    assert Letter.objects.get(state="refused").reply == "550 5.1.1"


class TakesTheText(Box):
    """As a server that refuses the recipient and asks for the text all the same: what comes next on
    that line is text to it."""

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        reply = await super().handle_RCPT(server, session, envelope, address, options)
        if reply.startswith("5"):
            envelope.rcpt_tos.append(address)
        return reply


def test_a_server_that_asks_for_the_text_of_a_refused_letter_gets_none(
    client, settings, monkeypatch
):
    said, send = [], smtplib.SMTP.send

    def listened_to(self, text):
        if self.sock:
            said.append((self, str(text)))  # Held, so that no other takes its place.
        send(self, text)

    monkeypatch.setattr(smtplib.SMTP, "send", listened_to)
    with receiving(TakesTheText(), settings) as box:
        box.replies = {"gone@example.org": "550 5.1.1 nobody here"}
        for name in ("gone", "here"):
            client.post("/en/sign/", filled_form(email=f"{name}@example.org"))
        assert sending.send_due() == 1
    assert box.recipients == ["here@example.org"]
    assert Letter.objects.get(state="refused").reply == "550 5.1.1"
    (line,) = (line for line, text in said if "gone@example.org" in text)
    assert [text for each, text in said if each is line][-1].endswith("DATA\r\n")


def test_a_line_that_begins_with_a_dot_arrives_as_it_was_written(client, smtp, monkeypatch):
    mail = compose.mail

    def dotted(letter):
        made = mail(letter)
        head, _, _ = made.written.partition(b"\r\n\r\n")
        made.written = head + b"\r\n\r\n.\r\n..two\r\nQUIT\r\n."
        return made

    monkeypatch.setattr(compose, "mail", dotted)
    client.post("/en/sign/", filled_form())
    assert sending.send_due() == 1
    assert smtp.mails[0].as_bytes().endswith(b"\n\n.\r\n..two\r\nQUIT\r\n.\r\n")
