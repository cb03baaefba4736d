"""A letter on the line: made of a pattern, it is what the mail library would write."""

import re
from email import message_from_bytes, policy

import pytest
from django.core.cache import caches

from petition.letters import compose
from petition.models import Letter
from tests.making import State, make_mailing, make_signature

pytestmark = pytest.mark.django_db

LONG = (
    "a-name-as-long-as-the-standard-lets-it-be-which-is-sixty-four-ch@a.sample.domain.example.org"
)

WORDS = [value for name, value in vars(compose).items() if name.isupper() and "qq" in str(value)]
SLY = f"{compose.DATE}+{compose.CODE}@example.org"


def letter(kind: str, language: str, email: str) -> Letter:
    state = State.PENDING if kind in ("confirm", "remind") else State.COUNTED
    signature = make_signature(email, state, updates=True, language=language)
    fields = {"mailing": make_mailing()} if kind == "news" else {}
    return Letter.objects.create(signature=signature, kind=kind, language=language, **fields)


def alike(written: bytes) -> bytes:
    """Without what differs each time that the mail library writes: the moment, and boundaries."""
    plain = re.sub(rb"={15}\d+==", b"boundary", written)
    unfolded = re.sub(rb"\r\nTo: \r\n ", b"\r\nTo: ", plain)  # Of an address as long as a line.
    return re.sub(rb"\r\nDate: [^\r]+", b"\r\nDate: now", unfolded)


@pytest.mark.parametrize("address", ["someone@example.org", "o'brien+a=b@example.org", LONG, SLY])
@pytest.mark.parametrize("language", ["ar", "fr", "en"])
@pytest.mark.parametrize("kind", Letter.Kind.values)
def test_a_letter_is_written_as_the_mail_library_would_write_it(kind, language, address, settings):
    settings.CONTACT_EMAIL = "contact@example.org"
    mail = compose.mail(letter(kind, language, address))
    assert alike(mail.written) == alike(mail.message().as_bytes(linesep="\r\n"))
    left = {word for word in WORDS if word.encode() in mail.written}
    assert left == {word for word in WORDS if word in address}
    assert message_from_bytes(mail.written, policy=policy.default)["Date"].datetime


@pytest.mark.parametrize("service", [*compose.envelopes.OF_SERVICE])
def test_so_it_is_for_each_mail_service_and_without_the_campaigns_name(service, settings):
    settings.MAIL_SERVICE, settings.DISCREET_LETTERS = service, True
    settings.BOUNCE_ADDRESS = "bounces@example.org"
    mail = compose.mail(letter("confirm", "fr", "someone@example.org"))
    assert alike(mail.written) == alike(mail.message().as_bytes(linesep="\r\n"))
    assert mail.from_email.startswith("bounces+")


def test_two_letters_of_one_pattern_have_nothing_of_each_other(settings):
    one, two = (
        compose.mail(letter("confirm", "en", f"{name}@example.org")) for name in ("one", "two")
    )
    found = [set(re.findall(rb"[0-9A-Za-z]{43}|[0-9a-f]{32}", mail.written)) for mail in (one, two)]
    assert all(len(each) == 4 for each in found)  # To confirm, to withdraw, two in the head.
    assert not found[0] & found[1]
    assert b"one@" not in two.written


def test_a_changed_text_is_in_the_letters_that_leave_after_it(settings):
    first = compose.mail(letter("confirm", "en", "one@example.org"))
    settings.DISCREET_LETTERS = True
    caches["process"].clear()
    second = compose.mail(letter("confirm", "en", "two@example.org"))
    assert len(second.written.splitlines()) < len(first.written.splitlines())
