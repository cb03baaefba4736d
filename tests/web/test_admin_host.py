"""The desk on a host of its own: there alone, and with cookies that go nowhere else."""

import pytest
from django.test import Client

from tests.making import PASSWORD, make_coordinator
from tests.test_settings import manage

pytestmark = pytest.mark.django_db
HOST = "desk.example.org"


@pytest.fixture
def apart(settings):
    settings.ADMIN_HOST = HOST
    settings.ALLOWED_HOSTS = ["testserver", HOST]


def ask(path: str, host: str):
    return Client().get(path, headers={"Host": host})


@pytest.mark.parametrize("path", ["/admin/", "/admin", "/admin/login/", "/admin/petition/case/"])
def test_elsewhere_there_is_no_desk(apart, path):
    answer = ask(path, "testserver")
    assert answer.status_code == 404
    assert "login" not in answer.content.decode()


def test_it_is_at_its_host(apart):
    assert ask("/admin/login/", HOST).status_code == 200
    assert ask("/", HOST)["Location"] == "/admin/"


@pytest.mark.parametrize("path", ["/ar/", "/en/sign/", "/api/v1/counter.json", "/fr/cases/x/?y=1"])
def test_whatever_is_public_is_at_the_site(apart, settings, path):
    answer = ask(path, HOST)
    assert (answer.status_code, answer["Location"]) == (302, settings.SITE_URL + path)
    assert ask(path, "testserver").status_code in (200, 404)


def test_both_serve_what_both_need(apart):
    for host in (HOST, "testserver"):
        sheet = ask("/static/css/desk.css", host)
        assert sheet.status_code == 200
        sheet.close()
        assert ask("/healthz", host).status_code == 200


def test_a_coordinator_signs_in_there(apart, settings):
    settings.TWO_FACTOR = False
    make_coordinator(username="sample", is_superuser=True)
    desk = Client(headers={"Host": HOST})
    posted = desk.post("/admin/login/", {"username": "sample", "password": PASSWORD})
    assert posted.status_code == 302
    assert desk.get("/admin/").status_code == 200


def test_without_it_the_desk_is_where_it_was():
    assert ask("/admin/login/", "testserver").status_code == 200


@pytest.mark.once
@pytest.mark.parametrize(
    ("host", "prefix", "path"), [(HOST, "__Host-", "/"), (None, "__Secure-", "/admin/")]
)
def test_its_cookies_are_named_as_browsers_hold_them_to(host, prefix, path):
    shown = manage("diffsettings", "--all", ADMIN_HOST=host).stdout
    for name in ("SESSION", "CSRF", "LANGUAGE"):
        assert f"{name}_COOKIE_NAME = '{prefix}" in shown
        assert f"{name}_COOKIE_PATH = '{path}'" in shown
        assert f"{name}_COOKIE_SECURE = True" in shown
    if host:
        assert HOST in shown.split("ALLOWED_HOSTS")[1].split("\n")[0]
