"""Addresses outside ASCII, through a real server that carries them and one that does not."""

import pytest
from aiosmtpd.controller import Controller
from django.core.cache import caches

from petition.letters import sending, smtp
from petition.models import Letter
from tests.conftest import Box, free_port
from tests.making import filled_form, link

pytestmark = pytest.mark.django_db


@pytest.fixture(params=[True, False], ids=["smtputf8", "ascii only"])
def server(request, settings):
    box = Box()
    controller = Controller(
        box, hostname="127.0.0.1", port=free_port(), enable_SMTPUTF8=request.param
    )
    controller.start()
    settings.EMAIL_BACKEND = "petition.letters.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = controller.hostname, controller.port
    caches["process"].clear()
    box.carries_unicode = request.param
    yield box
    controller.stop()


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
