"""How a session of the desk ends, and what its cookies are for."""

import io
import re
import time
from datetime import timedelta
from hashlib import sha256

import pytest
from django.contrib.sessions.models import Session
from django.test import Client
from django.utils import timezone

from petition.desk import two_factor
from petition.models import Authenticator, Entry
from petition.signing import abuse
from tests.desk.coming_in import is_in, sign_in
from tests.making import (
    PASSWORD,
    make_authenticator,
    make_coordinator,
    prove,
    verified,
)
from tests.signing.test_privacy import dump
from tests.signing.test_races import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("second_factor")]


# --- Sessions ---


def test_a_session_ends_eight_hours_after_the_sign_in_however_busy(client, coordinator):
    device = make_authenticator(coordinator)
    sign_in(client)
    prove(client, device)
    age(client, 8 * 60 * 60 - 60)
    assert is_in(client)
    age(client, 8 * 60 * 60)
    key = client.session.session_key
    assert client.get("/admin/")["Location"].startswith("/admin/login/")
    assert not Session.objects.filter(pk=key).exists()


def age(client, seconds):
    session = client.session
    session["signed_in_at"] = time.time() - seconds
    session.save()


def test_signing_in_anew_begins_the_eight_hours_and_asks_for_a_code_anew(client, coordinator):
    verified(client, coordinator)
    age(client, 7 * 60 * 60)
    sign_in(client)
    assert time.time() - client.session["signed_in_at"] < 60
    assert not is_in(client)


def test_a_session_ends_after_half_an_hour_without_a_click(client, coordinator):
    device = make_authenticator(coordinator)
    sign_in(client)
    answer = prove(client, device)
    assert answer.cookies["sessionid"]["max-age"] == 30 * 60
    sessions = Session.objects.filter(pk=client.session.session_key)
    sessions.update(expire_date=timezone.now() + timedelta(minutes=1))
    assert is_in(client)
    left = sessions.get().expire_date - timezone.now()
    assert timedelta(minutes=29) < left <= timedelta(minutes=30)
    sessions.update(expire_date=timezone.now())
    assert not is_in(client)


def test_changing_the_password_ends_the_other_sessions(committed, client, coordinator):
    device = verified(client, coordinator)
    other = Client()
    other.force_login(coordinator)
    prove(other, device, steps=1)
    assert is_in(other)
    new = "another-password-of-a-test-72"
    body = {"old_password": PASSWORD, "new_password1": new, "new_password2": new}
    assert client.post("/admin/password_change/", body).status_code == 302
    assert is_in(client)
    assert not is_in(other)
    assert Entry.objects.get().detail == {"what": "password set"}
    assert new.encode() not in dump()


def test_who_finds_the_screen_open_cannot_try_passwords_on_it(client, coordinator, monkeypatch):
    verified(client, coordinator)
    monkeypatch.setattr(abuse, "SIGN_INS_PER_NETWORK", "3/h")
    body = {"old_password": "wrong", "new_password1": PASSWORD, "new_password2": PASSWORD}
    statuses = [client.post("/admin/password_change/", body).status_code for _ in range(4)]
    assert statuses == [200, 200, 200, 429]
    assert not Entry.objects.exists()


def test_the_desks_cookies_are_for_the_desk_alone(client, coordinator):
    sign_in(client)
    client.post("/admin/language/", {"language": "fr", "next": "/admin/"})
    client.get("/admin/two-factor/")
    assert set(client.cookies) == {"sessionid", "csrftoken", "django_language"}
    for cookie in client.cookies.values():
        assert cookie["path"] == "/admin/"
        assert cookie["httponly"]
        assert cookie["samesite"] == "Strict"


@pytest.mark.parametrize(
    ("language", "word"), [("ar", "كلمة المرور"), ("fr", "Mot de passe"), ("en", "Password")]
)
def test_the_desk_speaks_the_language_that_was_chosen_on_any_of_its_pages(client, language, word):
    page = client.get("/admin/login/?next=/admin/petition/").content.decode()
    for name in ("العربية", "Français", "English"):
        assert f">{name}</button>" in page
    body = {"language": language, "next": "/admin/login/?next=/admin/petition/"}
    page = client.post("/admin/language/", body, follow=True).content.decode()
    assert f'lang="{language}"' in page
    assert word in page
    elsewhere = {"language": language, "next": "https://elsewhere.example/"}
    assert "elsewhere" not in client.post("/admin/language/", elsewhere)["Location"]


@pytest.mark.postgres
@pytest.mark.usefixtures("committed")
def test_one_recovery_code_opens_once_however_many_try_it_at_the_same_instant():
    user = make_coordinator("moderator")
    make_authenticator(user, recovery="111122223333 444455556666")

    def prove_it():
        try:
            return two_factor.prove(user, "1111 2222 3333") is not None
        except two_factor.TooEarly:
            return False

    assert at_once([prove_it] * 8).count(True) == 1


def test_who_knows_the_password_cannot_lock_its_owner_out_for_long(coordinator):
    device = make_authenticator(coordinator)
    for _ in range(30):
        device.throttle_increment()
    _, why = device.verify_is_allowed()
    assert (why["locked_until"] - timezone.now()).total_seconds() <= 5 * 60


def test_a_page_that_asks_by_itself_keeps_nobody_signed_in(client):
    client.force_login(make_coordinator("delivery"))
    client.cookies["sessionid"]["path"] = "/"
    verified_session = Session.objects.get()
    ends = timezone.now() + timedelta(seconds=60)
    Session.objects.update(expire_date=ends)
    client.get("/admin/petition/export/progress.json")
    assert Session.objects.get(pk=verified_session.pk).expire_date == ends


def test_a_large_body_is_refused_before_anybody_signed_in(client):
    body = {"username": "x", "file": io.BytesIO(b"x" * 4_000_000)}
    assert client.post("/admin/login/", body).status_code == 413


def test_a_form_from_before_the_sign_in_is_answered_in_the_persons_language():
    client = Client(enforce_csrf_checks=True)
    page = client.post("/admin/login/", {"username": "x"}, headers={"Accept-Language": "ar"})
    assert page.status_code == 403
    assert 'lang="ar"' in page.content.decode()
    assert "<style" not in page.content.decode()


def test_who_signs_out_leaves_nothing_in_the_browser(client, coordinator):
    client.force_login(coordinator)
    response = client.post("/admin/logout/")
    assert response["Clear-Site-Data"] == '"cache", "storage"'


# --- Where somebody is signed in ---


def others(coordinator, how_many: int) -> list[Client]:
    found = []
    for _ in range(how_many):
        other = Client()
        verified_by_recovery(other, coordinator)
        found.append(other)
    return found


def verified_by_recovery(client, coordinator) -> None:
    """Each app code opens once: made-up accounts have recovery codes enough."""
    sign_in(client)
    device = Authenticator.objects.get(user=coordinator)
    code, *rest = device.recovery_codes
    assert client.post("/admin/two-factor/", {"code": code}).status_code == 302
    assert rest


@pytest.fixture
def many_codes(coordinator):
    make_authenticator(coordinator, recovery=" ".join(f"{n:012}" for n in range(20)))


def test_a_coordinator_sees_their_sessions_and_ends_another(client, coordinator, many_codes):
    verified_by_recovery(client, coordinator)
    first, second = others(coordinator, 2)
    page = client.get("/admin/sessions/", headers={"Accept-Language": "en"}).content.decode()
    marks = re.findall(r'name="session" value="(\w+)"', page)
    assert len(marks) == 2
    assert "This is where you are now." in page
    assert client.session.session_key not in page
    client.post("/admin/sessions/", {"session": marks[0]})
    assert [is_in(each) for each in (client, first, second)].count(True) == 2
    assert is_in(client)
    client.post("/admin/sessions/")
    assert [is_in(each) for each in (client, first, second)] == [True, False, False]


def test_nobody_ends_the_session_of_another(client, coordinator, many_codes):
    other = Client()
    verified(other, make_coordinator("moderator", username="other-coordinator"))
    mark = sha256(other.session.session_key.encode()).hexdigest()[:16]
    verified_by_recovery(client, coordinator)
    client.post("/admin/sessions/", {"session": mark})
    client.post("/admin/sessions/")
    assert is_in(other)


def test_an_account_has_five_sessions_at_once_and_the_oldest_ends(client, coordinator, many_codes):
    found = others(coordinator, 7)
    assert [is_in(each) for each in found] == [False] * 2 + [True] * 5


def test_who_knows_the_password_alone_ends_no_session(client, coordinator, many_codes):
    verified_by_recovery(client, coordinator)
    for _ in range(8):
        sign_in(Client())
    assert is_in(client)
    (other,) = others(coordinator, 1)
    assert is_in(client)
    assert is_in(other)
