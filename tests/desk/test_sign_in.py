"""Who comes in to the desk: password and second factor, limits, and the ends of sessions."""

import base64
import io
import re
import time
from datetime import timedelta
from io import StringIO

import pytest
from axes.handlers.proxy import AxesProxyHandler
from django.contrib import admin
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.cache.backends import locmem
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone

from petition.desk import two_factor
from petition.models import Authenticator, Entry
from petition.signing import abuse
from tests.making import (
    PASSWORD,
    app_code,
    make_authenticator,
    make_coordinator,
    prove,
    verified,
)
from tests.signing.test_privacy import dump
from tests.signing.test_races import at_once

pytestmark = pytest.mark.django_db

ON_THE_WAY_IN = {"login/", "logout/", "language/", "two-factor/", "two-factor/codes/"}


@pytest.fixture(autouse=True)
def _as_in_production(settings):
    settings.TWO_FACTOR = True


@pytest.fixture
def coordinator():
    return make_coordinator("moderator", username="sample-coordinator")


def sign_in(client, user="sample-coordinator", password=PASSWORD, path="/admin/login/", **headers):
    return client.post(path, {"username": user, "password": password}, **headers)


def is_in(client) -> bool:
    return client.get("/admin/").status_code == 200


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


# --- Setting it up ---


def secret_on(page) -> str:
    typed = re.search(r'class="sign-in-secret" dir="ltr">([A-Z2-7 ]+)<', page.content.decode())
    return base64.b32decode(typed[1].replace(" ", "")).hex()


def test_the_first_sign_in_sets_up_a_second_factor_and_shows_recovery_codes_once(
    client, coordinator
):
    sign_in(client)
    page = client.get("/admin/two-factor/")
    assert "<svg" in page.content.decode()
    assert "no-store" in page["Cache-Control"]
    secret = secret_on(page)
    assert secret_on(client.get("/admin/two-factor/")) == secret
    assert client.post("/admin/two-factor/", {"code": "000000"}).status_code == 422
    assert not Authenticator.objects.exists()
    assert not is_in(client)
    typed = app_code(secret)  # The app may show the next one before this test ends.
    page = client.post("/admin/two-factor/", {"code": typed})
    codes = re.findall(r'<bdi dir="ltr">(\d{4} \d{4} \d{4})</bdi>', page.content.decode())
    assert len(set(codes)) == 10
    assert is_in(client)
    assert codes[0] not in client.get("/admin/two-factor/").content.decode()
    assert "second_factor_secret" not in client.session
    assert Entry.objects.get().detail == {"what": "set up"}
    other = Client()
    sign_in(other)
    assert other.post("/admin/two-factor/", {"code": typed}).status_code == 422
    Authenticator.objects.update(throttling_failure_count=0)
    assert other.post("/admin/two-factor/", {"code": codes[3]}).status_code == 302
    assert is_in(other)


def test_who_has_one_cannot_be_given_another_by_the_password_alone(client, coordinator):
    sign_in(client)
    secret = secret_on(client.get("/admin/two-factor/"))
    kept = make_authenticator(coordinator)
    with pytest.raises(two_factor.AlreadySetUp):
        two_factor.set_up(coordinator, secret, app_code(secret))
    assert client.post("/admin/two-factor/", {"code": app_code(secret)}).status_code == 422
    assert "<svg class" not in client.get("/admin/two-factor/").content.decode()
    assert not is_in(client)
    assert Authenticator.objects.get().secret == kept.secret


def test_each_session_is_offered_a_secret_of_its_own(client, coordinator):
    sign_in(client)
    other = Client()
    sign_in(other)
    assert secret_on(client.get("/admin/two-factor/")) != secret_on(other.get("/admin/two-factor/"))


def test_who_is_in_makes_new_recovery_codes_and_the_former_ones_end(client, coordinator):
    make_authenticator(coordinator)
    sign_in(client)
    assert client.post("/admin/two-factor/codes/")["Location"] == "/admin/two-factor/"
    assert len(Authenticator.objects.get().recovery_codes) == 2
    verified(client, coordinator)
    assert client.get("/admin/two-factor/codes/").status_code == 405
    page = client.post("/admin/two-factor/codes/").content.decode()
    assert len(re.findall(r"\d{4} \d{4} \d{4}", page)) == 10
    assert "111122223333" not in Authenticator.objects.get().recovery_codes
    assert Entry.objects.get().detail == {"what": "new recovery codes"}


def test_a_stolen_dump_opens_no_second_factor(committed, client, coordinator):
    sign_in(client)
    secret = secret_on(client.get("/admin/two-factor/"))
    assert secret not in repr(dict(client.session))
    before = dump()
    page = client.post("/admin/two-factor/", {"code": app_code(secret)}).content.decode()
    codes = re.findall(r"\d{4} \d{4} \d{4}", page)
    for text in (before, dump()):
        assert coordinator.username.encode() in text
        for hidden in (secret, codes[0], codes[0].replace(" ", "")):
            assert hidden.encode() not in text
            assert hidden.encode().hex().encode() not in text


def test_a_new_data_key_takes_the_second_factors_along(client, coordinator, settings):
    device = make_authenticator(coordinator)
    settings.DATA_KEYS = [b"n" * 32, *settings.DATA_KEYS]
    call_command("rotate_keys", stdout=StringIO())
    settings.DATA_KEYS = settings.DATA_KEYS[:1]
    client.force_login(coordinator)
    assert prove(client, device).status_code == 302
    settings.DATA_KEYS = [b"o" * 32]
    with pytest.raises(CommandError, match="Second factors that no key in DATA_KEYS reads: 1"):
        call_command("rotate_keys", stdout=StringIO())


def test_the_shell_lets_in_who_has_lost_everything(client, coordinator):
    verified(client, coordinator)
    call_command("reset_two_factor", coordinator.username, stdout=StringIO())
    assert not Authenticator.objects.exists()
    assert client.get("/admin/two-factor/")["Location"].startswith("/admin/login/")
    entry = Entry.objects.get()
    assert (entry.actor, entry.detail) == ("(system)", {"what": "reset"})
    with pytest.raises(CommandError, match="no account"):
        call_command("reset_two_factor", "nobody")


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
