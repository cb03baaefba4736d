"""How a second factor is set up, exchanged and lost."""

import base64
import re
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from petition.desk import two_factor
from petition.models import Authenticator, Entry
from tests.desk.coming_in import is_in, sign_in
from tests.making import (
    app_code,
    make_authenticator,
    prove,
    verified,
)
from tests.signing.test_privacy import dump

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("second_factor")]


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
    assert client.post("/admin/two-factor/codes/", {"own_code": "1"}).status_code == 422
    assert "111122223333" in Authenticator.objects.get().recovery_codes
    Authenticator.objects.update(throttling_failure_count=0, throttling_failure_timestamp=None)
    code = {"own_code": "444455556666"}
    page = client.post("/admin/two-factor/codes/", code).content.decode()
    assert len(re.findall(r"\d{4} \d{4} \d{4}", page)) == 10
    assert "111122223333" not in Authenticator.objects.get().recovery_codes
    assert Entry.objects.latest("number").detail == {"what": "new recovery codes"}


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
