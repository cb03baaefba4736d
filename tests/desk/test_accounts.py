"""What administrators do with accounts, and what they cannot, however they post it."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client

from petition.desk import accounts, roles
from petition.models import Authenticator, Entry
from tests.desk.coming_in import sign_in
from tests.making import PASSWORD, make_authenticator, make_coordinator, prove, verified

pytestmark = pytest.mark.django_db

USERS = "/admin/auth/user/"
NEW = "another-password-of-a-test-72"
CODES = ["111122223333", "444455556666"]  # The recovery codes of made-up authenticators.


@pytest.fixture(autouse=True)
def _as_in_production(settings):
    settings.TWO_FACTOR = True


@pytest.fixture
def administrator():
    return make_coordinator("administrator", username="sample-administrator")


@pytest.fixture
def desk(client, administrator):
    """The client of an administrator who is no superuser."""
    verified(client, administrator)
    return client


@pytest.fixture
def superuser():
    return make_coordinator(username="sample-superuser", is_superuser=True)


def change(user) -> str:
    return f"{USERS}{user.pk}/change/"


def as_posted(user, *names: str, active: bool = True, **more) -> dict:
    """What a browser posts from an account's page with these roles chosen."""
    body = {"groups": [g.pk for g in Group.objects.filter(name__in=names)]} | more
    return body | ({"is_active": "on"} if active else {})


def roles_of(user) -> set[str]:
    return {group.name for group in User.objects.get(pk=user.pk).groups.all()}


def details() -> list[dict]:
    return [entry.detail for entry in Entry.objects.order_by("number")]


# --- What an administrator does ---


def test_an_administrator_adds_a_coordinator_who_can_sign_in(desk):
    page = desk.get(f"{USERS}add/").content.decode()
    for name in roles.NAMES.values():
        assert str(name) in page
    for hidden in ("is_superuser", "user_permissions", "is_staff", "usable_password"):
        assert hidden not in page
    body = {"username": "new-one", "password1": NEW, "password2": NEW} | as_posted(None, "press")
    assert desk.post(f"{USERS}add/", body).status_code == 302
    user = User.objects.get(username="new-one")
    assert (user.is_staff, user.is_superuser, user.is_active) == (True, False, True)
    assert roles_of(user) == {"press"}
    entry = Entry.objects.get()
    assert (entry.actor, entry.act) == ("sample-administrator", "account")
    assert entry.subject == "account new-one"
    assert entry.detail == {"what": "added", "roles": "press", "active": "true"}
    answer = Client().post("/admin/login/", {"username": "new-one", "password": NEW})
    assert answer.status_code == 302


def test_a_weak_password_or_a_long_name_is_refused(desk):
    for name, password in [("new-one", "12345678"), ("n" * 51, NEW), ("sample-administrator", NEW)]:
        body = {"username": name, "password1": password, "password2": password}
        assert desk.post(f"{USERS}add/", body).status_code == 200
    assert User.objects.count() == 1
    assert details() == []


def test_roles_are_given_and_taken_and_both_are_recorded(desk):
    user = make_coordinator("moderator", username="other-coordinator")
    assert desk.post(change(user), as_posted(user, "editor", "paper")).status_code == 302
    assert roles_of(user) == {"editor", "paper"}
    assert details() == [{"what": "changed", "roles": "moderator → editor, paper"}]
    desk.post(change(user), as_posted(user, "editor", "paper"))
    assert len(details()) == 1  # Nothing changed: nothing to record.


def test_who_is_deactivated_is_out_at_once_and_stays_out_when_active_again(desk):
    user = make_coordinator("moderator", username="other-coordinator")
    other = Client()
    verified(other, user)
    assert other.get("/admin/").status_code == 200
    desk.post(change(user), as_posted(user, "moderator", active=False))
    assert other.get("/admin/").status_code == 302
    assert details() == [{"what": "changed", "active": "true → false"}]
    desk.post(change(user), as_posted(user, "moderator"))
    assert other.get("/admin/").status_code == 302


def test_a_new_password_ends_the_sessions_and_is_never_recorded(desk):
    user = make_coordinator("moderator", username="other-coordinator")
    other = Client()
    verified(other, user)
    body = {"new_password1": NEW, "new_password2": NEW, "own_code": CODES[0]}
    assert desk.get(f"{USERS}{user.pk}/password/").status_code == 200
    assert desk.post(f"{USERS}{user.pk}/password/", body).status_code == 302
    assert "messages" not in desk.cookies  # A cookie of the path / would be sent to public pages.
    assert User.objects.get(pk=user.pk).check_password(NEW)
    assert other.get("/admin/")["Location"].startswith("/admin/login/")
    assert {"what": "password set"} in details()
    assert desk.post(f"{USERS}{user.pk}/password/", {"new_password1": "a"}).status_code == 200
    assert User.objects.get(pk=user.pk).check_password(NEW)


def test_resetting_a_second_factor_is_asked_first_and_ends_the_sessions(desk):
    user = make_coordinator("moderator", username="other-coordinator")
    other = Client()
    verified(other, user)
    reset = f"{USERS}{user.pk}/two-factor/"
    assert reset in desk.get(change(user)).content.decode()
    assert desk.get(reset).status_code == 200
    assert Authenticator.objects.filter(user=user).exists()
    asked_next = desk.post(reset, {"own_code": CODES[0]})["Location"]
    assert asked_next == f"{USERS}{user.pk}/password/"
    assert not Authenticator.objects.filter(user=user).exists()
    assert not User.objects.get(pk=user.pk).has_usable_password()
    assert desk.get(asked_next).status_code == 200
    assert other.get("/admin/two-factor/")["Location"].startswith("/admin/login/")
    entry = Entry.objects.latest("number")
    assert (entry.act, entry.actor) == ("two factor", "sample-administrator")
    assert entry.detail == {"what": "reset"}


@pytest.mark.parametrize("code", ["", "000000", "another"])
def test_who_finds_an_administrators_screen_open_changes_no_sign_in(desk, code):
    user = make_coordinator("moderator", username="other-coordinator")
    device = make_authenticator(user)
    body = {"new_password1": NEW, "new_password2": NEW, "own_code": code}
    answer = desk.post(f"{USERS}{user.pk}/password/", body)
    assert answer.status_code == 200
    assert 'name="own_code"' in answer.content.decode()
    assert desk.post(f"{USERS}{user.pk}/two-factor/", {"own_code": code}).status_code == 200
    assert User.objects.get(pk=user.pk).check_password(PASSWORD)
    assert Authenticator.objects.get(user=user).secret == device.secret
    assert details() == []


# --- First passwords ---


def new_one(desk) -> User:
    """An account as an administrator makes it."""
    body = {"username": "new-one", "password1": NEW, "password2": NEW} | as_posted(None, "press")
    assert desk.post(f"{USERS}add/", body).status_code == 302
    return User.objects.get(username="new-one")


def test_a_password_that_somebody_else_gave_opens_nothing_but_the_choice_of_another(desk):
    user = new_one(desk)
    other = Client()
    assert sign_in(other, "new-one", NEW).status_code == 302
    prove(other, make_authenticator(user))
    for path in ("/admin/", "/admin/petition/export/tallies/", "/admin/daily/"):
        answer = other.get(path, follow=True)
        assert answer.redirect_chain[-1][0] == "/admin/password_change/"
    body = {"old_password": NEW, "new_password1": NEW, "new_password2": NEW}
    said = other.post("/admin/password_change/", body, headers={"Accept-Language": "en"})
    assert "Choose another password than the present one." in said.content.decode()
    own = "a-password-of-my-own-51"
    body |= {"new_password1": own, "new_password2": own}
    assert other.post("/admin/password_change/", body).status_code == 302
    assert other.get("/admin/").status_code == 200
    # And it stays chosen.
    again = Client()
    sign_in(again, "new-one", own)
    prove(again, Authenticator.objects.get(user=user), steps=1)
    assert again.get("/admin/").status_code == 200


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_a_first_password_that_nobody_used_in_time_ends(desk, monkeypatch, language):
    new_one(desk)
    monkeypatch.setattr(accounts, "FIRST_PASSWORD_LASTS", timedelta(seconds=-1))
    other = Client(headers={"Accept-Language": language})
    answer = sign_in(other, "new-one", NEW)
    words = {"ar": "ثلاثة أيام", "fr": "trois jours", "en": "within three days"}[language]
    assert words in answer.content.decode()
    assert answer.status_code == 403
    assert other.get("/admin/two-factor/").status_code == 302


def test_who_has_used_a_given_password_for_long_is_asked_for_another_and_never_shut_out(
    desk, monkeypatch
):
    """As everybody whose account was made before this rule."""
    device = make_authenticator(new_one(desk))
    monkeypatch.setattr(accounts, "FIRST_PASSWORD_LASTS", timedelta(seconds=-1))
    other = Client()
    assert sign_in(other, "new-one", NEW).status_code == 302
    prove(other, device)
    assert other.get("/admin/", follow=True).redirect_chain[-1][0] == "/admin/password_change/"


def test_changing_ones_password_needs_the_second_factor_first(desk):
    new_one(desk)
    other = Client()
    sign_in(other, "new-one", NEW)
    assert other.get("/admin/password_change/")["Location"].startswith("/admin/login/")


# --- What an administrator cannot ---


def test_posting_more_than_the_page_has_gives_no_power(desk):
    user = make_coordinator("moderator", username="other-coordinator")
    other = Group.objects.create(name="everything")
    power = {
        "is_superuser": "on",
        "is_staff": "",
        "user_permissions": [p.pk for p in Permission.objects.all()[:5]],
        "username": "renamed",
        "password": "x",
    }
    desk.post(change(user), as_posted(user, "moderator", **power))
    added = {"username": "new-one", "password1": NEW, "password2": NEW, **power}
    desk.post(f"{USERS}add/", added | {"username": "new-one", "is_active": ""})
    assert {u.username for u in User.objects.all()} == {
        "sample-administrator", "other-coordinator", "new-one",
    }  # fmt: skip
    for each in User.objects.all():
        assert (each.is_superuser, each.is_staff) == (False, True)
        assert not each.user_permissions.exists()
    body = as_posted(user) | {"groups": [other.pk]}
    assert desk.post(change(user), body).status_code == 200
    assert roles_of(user) == {"moderator"}


def test_nobody_gives_up_their_own_administration_or_account(desk, administrator):
    for body in (as_posted(administrator, "moderator"), as_posted(administrator)):
        page = desk.post(change(administrator), body)
        assert page.status_code == 200
        assert "errornote" in page.content.decode()
    page = desk.post(change(administrator), as_posted(administrator, "administrator", active=False))
    assert page.status_code == 200
    administrator.refresh_from_db()
    assert administrator.is_active
    assert roles_of(administrator) == {"administrator"}
    body = as_posted(administrator, "administrator", "press")
    assert desk.post(change(administrator), body).status_code == 200  # Another has to give it.
    assert roles_of(administrator) == {"administrator"}
    assert details() == []


def test_an_administrator_cannot_touch_a_superuser(desk, superuser):
    device = make_authenticator(superuser)
    page = desk.get(change(superuser))
    assert page.status_code == 200
    assert "password/" not in page.content.decode().split('id="content"')[1]
    assert desk.post(change(superuser), as_posted(superuser, active=False)).status_code == 403
    body = {"new_password1": NEW, "new_password2": NEW, "password1": NEW, "password2": NEW}
    assert desk.get(f"{USERS}{superuser.pk}/password/").status_code == 403
    assert desk.post(f"{USERS}{superuser.pk}/password/", body).status_code == 403
    assert desk.post(f"{USERS}{superuser.pk}/two-factor/").status_code == 403
    superuser.refresh_from_db()
    assert superuser.is_active
    assert superuser.check_password(PASSWORD)
    assert Authenticator.objects.filter(pk=device.pk).exists()
    assert details() == []


def test_nobody_is_deleted(desk, superuser):
    user = make_coordinator(username="other-coordinator")
    verified(root := Client(), superuser)
    for client in (desk, root):
        assert client.post(f"{USERS}{user.pk}/delete/", {"post": "yes"}).status_code == 403
        body = {"action": "delete_selected", "_selected_action": [user.pk], "post": "yes"}
        client.post(USERS, body)
    assert User.objects.filter(pk=user.pk).exists()


def test_ones_own_password_is_changed_by_who_knows_it(desk, administrator):
    path = f"{USERS}{administrator.pk}/password/"
    body = {"new_password1": NEW, "new_password2": NEW}
    assert desk.post(path, body)["Location"] == "/admin/password_change/"
    assert User.objects.get(pk=administrator.pk).check_password(PASSWORD)


@pytest.mark.parametrize("role", sorted(set(roles.NAMES) - {"administrator"}))
def test_no_other_role_sees_an_account(client, role):
    user = make_coordinator(role, username="other-coordinator")
    verified(client, user)
    for path in (
        "",
        "add/",
        f"{user.pk}/change/",
        f"{user.pk}/password/",
        f"{user.pk}/two-factor/",
    ):
        assert client.get(USERS + path).status_code == 403
        assert client.post(USERS + path, {"is_active": "on"}).status_code == 403
    assert "/auth/" not in client.get("/admin/").content.decode()


@pytest.mark.parametrize(
    "query",
    ["password__startswith=md5", "is_superuser=1", "groups__name=press", "q=md5", "o=password"],
)
def test_the_list_tells_nothing_by_its_address(desk, superuser, query):
    shown = desk.get(f"{USERS}?{query}").content.decode()
    assert "sample-superuser" in shown
    assert "sample-administrator" in shown
    assert "md5$" not in shown


def test_roles_and_permissions_have_no_screen(desk, superuser):
    verified(root := Client(), superuser)
    for client in (desk, root):
        for path in ("/admin/auth/group/", "/admin/auth/group/add/", "/admin/auth/permission/"):
            assert client.get(path).status_code == 404
        assert "is_superuser" not in client.get(change(superuser)).content.decode()


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_every_screen_of_accounts_opens_in_every_language(desk, language):
    user = make_coordinator("moderator", username="other-coordinator")
    for path in ("", "add/", f"{user.pk}/change/", f"{user.pk}/history/", f"{user.pk}/password/",
                 f"{user.pk}/two-factor/"):  # fmt: skip
        page = desk.get(USERS + path, headers={"Accept-Language": language})
        assert page.status_code == 200, path
        assert f'lang="{language}"' in page.content.decode()
    assert desk.get(f"{USERS}999999/password/").status_code == 404
