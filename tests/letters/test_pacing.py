"""Letters to one domain leave at its pace; everybody else's at once."""

import pytest
from django.core import mail
from django.core.cache import cache
from django.utils import timezone

from petition.desk import overview
from petition.letters import owing, pacing, sending
from petition.models import Letter
from tests.making import make_signature

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def ten_a_window(settings):
    cache.clear()
    settings.MAIL_DOMAIN_RATE = 10 / pacing.WINDOW_SECONDS


def owe(*addresses):
    for address in addresses:
        owing.owe(make_signature(address), Letter.Kind.CONFIRM, "en")


def test_a_flood_to_one_domain_waits_and_delays_nobody_else():
    owe(*(f"made-up-{n}@company.example" for n in range(25)))
    owe("someone@example.org", *(f"sample-{n}@gmail.com" for n in range(12)))
    assert sending.send_due() == 10 + 1 + 12
    to_company = [m for m in mail.outbox if m.to[0].endswith("@company.example")]
    assert len(to_company) == 10
    waiting = Letter.objects.filter(state="due")
    assert {letter.reply for letter in waiting} == {pacing.REPLY}
    assert all(letter.due_at > timezone.now() and letter.tries == 0 for letter in waiting)
    assert overview.letters_paced().count == 15


def test_what_waits_leaves_in_its_turn_and_nothing_is_lost(monkeypatch):
    owe(*(f"made-up-{n}@company.example" for n in range(25)))
    began, sent = pacing.time.time(), 0
    for n in range(10):
        now = began + n * pacing.WINDOW_SECONDS
        monkeypatch.setattr(pacing.time, "time", lambda now=now: now)
        sent += sending.send_due()
        Letter.objects.filter(state="due").update(due_at=timezone.now())
    assert sent == 25
    assert len({m.to[0] for m in mail.outbox}) == 25


def test_spellings_of_a_domain_share_its_pace():
    owe(*(f"a{n}@Company.EXAMPLE" for n in range(6)), *(f"b{n}@company.example" for n in range(6)))
    assert sending.send_due() == 10


@pytest.mark.parametrize(
    "lost",
    [
        {"BACKEND": "django.core.cache.backends.dummy.DummyCache"},
        {"BACKEND": "petition.ground.cache.RedisCache", "LOCATION": "redis://127.0.0.1:1/0"},
    ],
    ids=["keeps nothing", "gone"],
)
def test_a_lost_cache_holds_nothing_back(settings, lost):
    settings.CACHES = settings.CACHES | {"default": lost}
    owe(*(f"made-up-{n}@company.example" for n in range(12)))
    assert sending.send_due() == 12
