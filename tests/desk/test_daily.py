"""A coordinator gets an e-mail a day about what waits, where they asked for it and proved it."""

from datetime import date, datetime, timedelta

import pytest
from django.conf import settings as site
from django.core import mail
from django.core.cache import caches
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from petition.desk import daily
from petition.ground import encryption
from petition.models import DailyMail
from petition.paper import sheets
from tests.making import make_coordinator, make_person

pytestmark = pytest.mark.django_db

SCREEN = "/admin/daily/"
ADDRESS = "volunteer@example.org"
COUNT = {"country": "MA", "date": date(2026, 3, 1), "valid": 4, "struck": 0}


@pytest.fixture
def user():
    return make_coordinator("paper")


@pytest.fixture
def desk(user):
    return signed_in(user)


def signed_in(user, language="en") -> Client:
    client = Client(headers={"Accept-Language": language})
    client.force_login(user)
    return client


def said(response) -> str:
    assert response.status_code in (200, 422)
    return response.content.decode()


def at(hour: int, days: int = 0) -> datetime:
    day = timezone.now() + timedelta(days=days)
    return day.replace(hour=hour, minute=5, second=0, microsecond=0)


def a_sheet_waits() -> None:
    (sheet,) = sheets.make("ar", 1, make_person("printer"))
    sheets.enter(sheet.number, make_person("first"), **COUNT)


def link() -> str:
    """The path that the last e-mail names."""
    (line,) = [line for line in mail.outbox[-1].body.splitlines() if "/confirm/" in line]
    assert line.startswith(f"{site.SITE_URL}/admin/daily/confirm/")
    return line.removeprefix(site.SITE_URL)


def ask_and_confirm(desk) -> None:
    desk.post(SCREEN, {"email": ADDRESS})
    daily.send_due(at(7))
    assert "you get an e-mail on days when something waits" in said(desk.get(link(), follow=True))


def test_asked_for_confirmed_and_then_sent_once_a_day(desk):
    a_sheet_waits()
    assert "with a link is on its way" in said(desk.post(SCREEN, {"email": ADDRESS}, follow=True))
    assert daily.send_due(at(7)) == 1
    assert daily.send_due(at(7)) == 0
    assert mail.outbox[-1].to == [ADDRESS]
    assert "Sheets to count again" not in mail.outbox[-1].body
    desk.get(link())
    for _ in range(2):
        daily.send_due(at(7))
    _first, told = mail.outbox
    assert "Sheets to count again (1)" in told.body
    assert told.subject == "What waits for you today"
    assert f"{site.SITE_URL}/admin/" in told.body
    assert daily.send_due(at(5, days=1)) == 0
    assert daily.send_due(at(6, days=1)) == 1


def test_nothing_is_sent_on_a_day_without_anything_to_do(desk):
    ask_and_confirm(desk)
    assert daily.send_due(at(7)) == 0
    assert len(mail.outbox) == 1


def test_it_names_no_person_and_the_subject_nothing(desk, user):
    a_sheet_waits()
    ask_and_confirm(desk)
    daily.send_due(at(7))
    for each in mail.outbox:
        for word in ("prisoner", "petition for", "million", user.username):
            assert word not in (each.subject + each.body).lower()


@pytest.mark.parametrize(
    ("language", "words"),
    [("ar", "ما ينتظركم اليوم"), ("fr", "Ce qui vous attend aujourd’hui"),
     ("en", "What waits for you today")],
)  # fmt: skip
def test_it_is_in_the_language_in_which_it_was_asked_for(user, language, words):
    a_sheet_waits()
    desk = signed_in(user, language)
    desk.post(SCREEN, {"email": ADDRESS})
    daily.send_due(at(7))
    desk.get(link())
    daily.send_due(at(7))
    assert mail.outbox[-1].subject == words
    assert mail.outbox[-1].extra_headers["Content-Language"] == language


def test_a_link_of_another_person_of_before_or_made_up_does_nothing(desk, user):
    desk.post(SCREEN, {"email": ADDRESS})
    daily.send_due(at(7))
    former = link()
    other = signed_in(make_coordinator("paper", username="other"))
    assert "not valid any more" in said(other.get(former, follow=True))
    desk.post(SCREEN, {"email": "second@example.org"})
    assert "not valid any more" in said(desk.get(former, follow=True))
    assert "not valid any more" in said(desk.get(f"{SCREEN}confirm/x/", follow=True))
    assert DailyMail.objects.get().confirmed_at is None
    assert Client().get(former).status_code == 302


def test_who_stops_it_leaves_nothing_behind(desk):
    ask_and_confirm(desk)
    assert "get no daily e-mail any more" in said(desk.post(SCREEN, {"stop": "1"}, follow=True))
    assert not DailyMail.objects.exists()


@pytest.mark.parametrize("change", [{"is_active": False}, {"is_staff": False}])
def test_who_has_left_the_desk_is_not_written_to(desk, user, change):
    a_sheet_waits()
    ask_and_confirm(desk)
    type(user).objects.update(**change)
    assert daily.send_due(at(7)) == 0
    user.delete()
    assert not DailyMail.objects.exists()


def test_a_wrong_address_is_answered_at_its_field_and_kept(desk):
    response = desk.post(SCREEN, {"email": "volunteer"})
    assert response.status_code == 422
    assert "in the form name@example.org" in said(response)
    assert 'value="volunteer"' in said(response)
    desk.post(SCREEN, {"email": "mailto:Volunteer@example.org\u200f"})
    assert DailyMail.objects.get().email == "Volunteer@example.org"


def test_a_mail_server_that_is_down_is_asked_again(desk, smtp):
    desk.post(SCREEN, {"email": ADDRESS})
    smtp.sender_reply = "451 4.3.0 later"
    assert daily.send_due(at(7)) == 0
    smtp.sender_reply = None
    assert daily.send_due(at(7)) == 0  # It rests for some minutes.
    caches["process"].clear()
    assert daily.send_due(at(7)) == 1
    assert smtp.recipients == [ADDRESS]


def test_an_address_that_is_refused_for_good_holds_nobody_up(desk, smtp):
    other = signed_in(make_coordinator("paper", username="other"))
    desk.post(SCREEN, {"email": "gone@example.org"})
    other.post(SCREEN, {"email": ADDRESS})
    smtp.replies["gone@example.org"] = "550 5.1.1 unknown"
    assert daily.send_due(at(7)) == 1
    assert smtp.recipients == [ADDRESS]
    smtp.replies.clear()
    assert daily.send_due(at(7)) == 0


def test_the_address_is_sealed_for_its_account_and_moves_to_a_new_key(desk, user, settings):
    desk.post(SCREEN, {"email": ADDRESS})
    stored = DailyMail.objects.values_list("email", flat=True).get()
    assert ADDRESS.encode() not in bytes(stored)
    new = bytes(range(32))
    settings.DATA_KEYS = [new, *settings.DATA_KEYS]
    call_command("rotate_keys")
    settings.DATA_KEYS = [new]
    assert DailyMail.objects.get().email == ADDRESS
    other = make_coordinator(username="other")
    copied = DailyMail.objects.filter(user=user)
    copied.update(user_id=other.pk)
    with pytest.raises(encryption.Unreadable):
        _ = DailyMail.objects.get(user=other).email
