"""Who comes in to the desk: password and second factor, and the limits of trying."""

import re
from datetime import timedelta

import pytest
from axes.handlers.proxy import AxesProxyHandler
from django.contrib import admin
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.cache.backends import locmem
from django.test import Client
from django.utils import timezone

from petition.models import Authenticator, Entry
from petition.signing import abuse
from tests.desk.coming_in import is_in, sign_in
from tests.making import (
    PASSWORD,
    app_code,
    make_authenticator,
    make_coordinator,
    prove,
)
from tests.signing.test_privacy import dump

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("second_factor")]

ON_THE_WAY_IN = {"login/", "logout/", "language/", "two-factor/", "two-factor/codes/"}


def screens(patterns=None, before=""):
    """The path of every screen of the desk, with 1 for whatever stands in it."""
    for pattern in admin.site.get_urls() if patterns is None else patterns:
        route = re.sub(r"<[^>]+>", "1", before + str(pattern.pattern))
        if route.startswith("^") or "(" in route:
            continue
        if hasattr(pattern, "url_patterns"):
            yield from screens(pattern.url_patterns, route)
        else:
            yield route
    if patterns is None:
        yield from ["petition/", "auth/", "nothing/"]


# --- The second factor ---


def test_the_password_alone_opens_no_screen(client):
    user = make_coordinator(username="sample-superuser", is_superuser=True)
    make_authenticator(user)
    sign_in(client, user.username)
    paths = set(screens()) - ON_THE_WAY_IN
    assert len(paths) > 40
    for path in paths:
        for answer in (client.get(f"/admin/{path}"), client.post(f"/admin/{path}", {"a": "b"})):
            assert answer.status_code == 302, path
            assert answer["Location"].startswith("/admin/login/?next="), path


def test_the_password_leads_to_the_second_factor_and_then_to_the_page_that_was_wanted(
    client, coordinator
):
    device = make_authenticator(coordinator)
    wanted = "/admin/petition/signature/"
    page = client.get(wanted, follow=True)
    body = {"username": coordinator.username, "password": PASSWORD, "next": wanted}
    page = client.post(page.redirect_chain[-1][0], body, follow=True)
    assert (
        page.redirect_chain[-1][0] == "/admin/two-factor/?next=%2Fadmin%2Fpetition%2Fsignature%2F"
    )
    asks = page.content.decode()
    assert 'autocomplete="one-time-code"' in asks
    assert 'inputmode="numeric"' in asks
    assert 'signature/"' not in asks.replace(f'value="{wanted}"', "")  # No screen is named yet.
    body = {"code": app_code(device.secret), "next": wanted}
    assert client.post("/admin/two-factor/", body)["Location"] == wanted
    assert client.get(wanted).status_code == 200


@pytest.mark.parametrize("wanted", ["https://elsewhere.example/", "//elsewhere.example", "x:y"])
def test_nobody_is_led_elsewhere_after_the_code(client, coordinator, wanted):
    device = make_authenticator(coordinator)
    sign_in(client)
    body = {"code": app_code(device.secret), "next": wanted}
    assert client.post("/admin/two-factor/", body)["Location"] == "/admin/"


def test_a_code_opens_once(client, coordinator):
    device = make_authenticator(coordinator)
    sign_in(client)
    assert prove(client, device).status_code == 302
    assert is_in(client)
    other = Client()
    sign_in(other)
    assert prove(other, device).status_code == 422
    assert not is_in(other)


def test_a_code_may_be_a_step_early_or_late_and_no_more(client, coordinator):
    device = make_authenticator(coordinator)
    for steps, status in [(-2, 422), (3, 422), (1, 302)]:
        Authenticator.objects.update(throttling_failure_count=0)
        sign_in(client)
        assert prove(client, device, steps).status_code == status


def test_a_code_may_be_typed_in_the_digits_of_the_language(client, coordinator):
    device = make_authenticator(coordinator)
    sign_in(client)
    arabic = app_code(device.secret).translate(str.maketrans("0123456789", "٠١٢٣٤٥٦٧٨٩"))
    for typed in (f" {arabic[:3]} {arabic[3:]} ", "١١١١-٢٢٢٢-٣٣٣٣"):
        sign_in(client)
        assert client.post("/admin/two-factor/", {"code": typed}).status_code == 302
        assert is_in(client)
        client.post("/admin/logout/")


def test_a_recovery_code_opens_once_and_is_recorded(client, coordinator):
    make_authenticator(coordinator)
    sign_in(client)
    assert client.post("/admin/two-factor/", {"code": "1111 2222 3333"}).status_code == 302
    assert is_in(client)
    entry = Entry.objects.get()
    assert (entry.actor, entry.act) == (coordinator.username, "two factor")
    assert entry.subject == "account sample-coordinator"
    assert entry.detail == {"what": "used a recovery code", "left": 1}
    other = Client()
    sign_in(other)
    assert other.post("/admin/two-factor/", {"code": "1111 2222 3333"}).status_code == 422
    assert not is_in(other)


def test_after_a_wrong_code_even_the_right_one_has_to_wait(client, coordinator):
    device = make_authenticator(coordinator)
    sign_in(client)
    assert client.post("/admin/two-factor/", {"code": "000000000000"}).status_code == 422
    Authenticator.objects.update(throttling_failure_count=6)
    answer = prove(client, device)
    assert answer.status_code == 429
    assert 25 <= int(answer["Retry-After"]) <= 32
    assert not is_in(client)
    Authenticator.objects.update(
        throttling_failure_timestamp=timezone.now() - timedelta(seconds=33)
    )
    assert prove(client, device).status_code == 302


def test_another_accounts_second_factor_in_the_session_opens_nothing(client, coordinator):
    make_authenticator(coordinator)
    others = make_authenticator(make_coordinator(username="other-coordinator"))
    client.force_login(coordinator)
    assert prove(client, others).status_code == 422
    session = client.session
    session["otp_device_id"] = others.persistent_id
    session.save()
    assert not is_in(client)


def test_the_proof_changes_the_key_of_the_session(client, coordinator):
    device = make_authenticator(coordinator)
    sign_in(client)
    before = client.session.session_key
    prove(client, device)
    assert client.session.session_key != before
    assert not Session.objects.filter(pk=before).exists()


def test_who_cannot_prove_it_can_sign_out(client, coordinator):
    make_authenticator(coordinator)
    sign_in(client)
    client.post("/admin/logout/")
    assert client.get("/admin/two-factor/")["Location"].startswith("/admin/login/")


def test_a_stranger_and_an_account_without_desk_are_led_to_the_sign_in(client):
    assert client.get("/admin/two-factor/")["Location"].startswith("/admin/login/")
    client.force_login(User.objects.create_user("no-coordinator"))
    assert client.get("/admin/two-factor/")["Location"].startswith("/admin/login/")
    assert client.post("/admin/two-factor/codes/")["Location"].startswith("/admin/login/")
    assert not Authenticator.objects.exists()


def test_on_a_development_machine_the_password_is_enough(client, coordinator, settings):
    settings.TWO_FACTOR = False
    assert sign_in(client).status_code == 302
    assert is_in(client)


# --- Limits ---


def test_five_wrong_passwords_close_the_door_for_that_name_and_network_alone(client, coordinator):
    answers = [sign_in(client, password=f"wrong-{n}") for n in range(5)]
    assert [answer.status_code for answer in answers] == [200] * 4 + [429]
    answer = sign_in(client)
    assert answer.status_code == 429
    assert answer["Retry-After"] == "900"
    assert "no-store" in answer["Cache-Control"]
    assert "_auth_user_id" not in client.session
    assert sign_in(Client(), REMOTE_ADDR="192.0.2.7").status_code == 302
    assert sign_in(client).status_code == 429  # A success elsewhere does not open it here.
    make_coordinator(username="other-coordinator")
    assert sign_in(Client(), "other-coordinator").status_code == 302


@pytest.mark.parametrize(
    ("language", "words"), [("en", "Too many attempts"), ("ar", 'dir="rtl"'), ("fr", 'lang="fr"')]
)
def test_a_locked_door_answers_in_the_persons_language_and_names_nobody(client, language, words):
    for _ in range(5):
        answer = sign_in(client, "zz-unknown-zz", HTTP_ACCEPT_LANGUAGE=language)
    assert answer.status_code == 429
    page = answer.content.decode()
    assert words in page
    assert "15" in page
    assert "zz-unknown-zz" not in page


def test_trying_on_does_not_lengthen_the_lock(client, coordinator, monkeypatch):
    for _ in range(5):
        sign_in(client, password="wrong")
    counted = AxesProxyHandler.get_implementation().cache
    (key,) = [key for key in locmem._caches[""] if ":axes-" in key]
    ends = locmem._expire_info[""][key]
    sign_in(client, password="wrong")
    assert locmem._expire_info[""][key] == ends
    counted.clear()
    assert sign_in(client).status_code == 302


def test_the_right_password_forgives_the_wrong_ones_before_it(client, coordinator):
    for _ in range(3):
        for _ in range(4):
            assert sign_in(client, password="wrong").status_code == 200
        assert sign_in(client).status_code == 302


def test_one_network_cannot_try_one_password_on_many_names(client, coordinator):
    statuses = {sign_in(client, f"name-{n}", "spring-2026").status_code for n in range(100)}
    assert statuses == {200}
    answer = sign_in(client)
    assert answer.status_code == 429
    assert 0 < int(answer["Retry-After"]) <= 3600
    assert sign_in(Client(), REMOTE_ADDR="192.0.2.7").status_code == 302


def test_a_lost_cache_neither_locks_out_nor_breaks(
    client, coordinator, settings, monkeypatch, caplog
):
    redis = {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": "redis://127.0.0.1:1/0",
    }
    settings.CACHES = settings.CACHES | {"default": redis}
    monkeypatch.setattr(AxesProxyHandler, "implementation", None)
    assert [sign_in(client, password="wrong").status_code for _ in range(6)] == [200] * 6
    assert sign_in(client).status_code == 302
    assert "The cache does not answer" in caplog.text


def test_attempts_leave_no_name_no_network_and_no_password_behind(
    committed, client, coordinator, caplog
):
    caplog.set_level("DEBUG")
    for _ in range(7):
        sign_in(client, "zz-typed-name-zz", "zz-typed-password-zz", REMOTE_ADDR="192.0.2.77")
    sign_in(client, REMOTE_ADDR="192.0.2.77")
    client.post("/admin/logout/", REMOTE_ADDR="192.0.2.77")
    said = "\n".join(r.getMessage() for r in caplog.records if r.name != "django.db.backends")
    assert "AXES" in said
    for place in (said, dump().decode(), repr(locmem._caches)):
        assert "zz-typed" not in place
        assert "192.0.2.77" not in place
    assert coordinator.username not in said


def test_a_network_is_known_by_what_means_nothing_without_the_data_key(rf, settings):
    request = rf.post("/", REMOTE_ADDR="192.0.2.1")
    known = abuse.network_index(request)
    assert abuse.network_index(request) == known
    settings.DATA_KEYS = [b"n" * 32]
    assert abuse.network_index(request) != known
