# ruff: noqa: E501 - a list of what people and programs send.
"""What attackers send, at every form, parameter, header and path that a stranger reaches: never a 500,
nothing stored that was refused, and nothing of it comes back as markup."""

import random
from urllib.parse import quote

import pytest
from django.core.cache import caches
from django.test import Client

from petition.models import Attempt, Letter, Signature
from tests.budget import FUZZ, examples
from tests.corpus import ask, some
from tests.making import filled_form

pytestmark = [pytest.mark.django_db, pytest.mark.property, pytest.mark.once]

FIELDS = ("name", "email", "country", "track", "updates", "delivery", "consent", "consent_text",
          "altcha", "email_meant", "email_asked", "g-recaptcha-response")  # fmt: skip
PAGES = ("", "sign/", "sign/sent/", "cases/", "tracks/fate/", "news/", "counter/", "counter/figures/",
         "press/", "press/api/", "counter/check/", "signed/review/")  # fmt: skip
PARAMETERS = (
    "group",
    "after",
    "nationality",
    "track",
    "size",
    "theme",
    "receipt",
    "copy",
    "utm",
    "x",
)
HEADERS = ("User-Agent", "Referer", "Accept-Language", "X-Forwarded-For", "X-Request-ID", "Range",
           "If-None-Match", "If-Modified-Since", "Accept-Encoding", "Cookie", "Content-Language")  # fmt: skip
PATHS = ("/{}", "/en/{}/", "/en/cases/{}/", "/en/news/{}/", "/en/confirm/{}/", "/en/withdraw/{}/",
         "/en/unsubscribe/{}/", "/log/tile/{}", "/log/tile/0/{}", "/api/v1/history/{}.json",
         "/challenge/{}", "/portraits/{}-160.jpg", "/embed/{}/counter/", "/oembed?url={}", "/readyz/{}",
         "/en/counter/milestone-{}.png", "/admin/{}", "/static/{}")  # fmt: skip


@pytest.fixture
def stranger():
    """Sees a server's error as an answer, as everybody does."""
    return Client(raise_request_exception=False)


def stored() -> tuple[int, int, int]:
    return Signature.objects.count(), Attempt.objects.count(), Letter.objects.count()


@pytest.mark.parametrize("field", FIELDS)
def test_what_is_typed_into_the_sign_form_is_taken_or_refused(stranger, settings, field):
    settings.SIGN_RATE = "99999/h"
    for text in some(1):
        before = stored()
        fields = filled_form() | {field: text}
        answer = ask(stranger, "post", "/en/sign/", fields)
        assert answer.status_code in (303, 422, 400, 413)
        if answer.status_code != 303:
            assert stored() == before, (field, text[:40])


@pytest.mark.parametrize("field", ["email", "code"])
def test_what_is_typed_with_a_code_confirms_nothing(stranger, settings, field):
    settings.CONFIRM_RATE = "99999/h"
    for text in some(1):
        typed = {"email": "a@example.org", "code": "ABCD2345"} | {field: text}
        assert ask(stranger, "post", "/ar/sign/sent/", typed).status_code in (422, 429, 400)
        caches["default"].clear()


@pytest.mark.parametrize("header", HEADERS)
def test_headers_break_nothing(stranger, header):
    for text in some(0.25):
        value = (
            text.encode("utf-8", "replace").decode("latin-1").replace("\r", "").replace("\n", "")
        )
        ask(stranger, "get", "/fr/sign/", headers={header: value[:4000]})


@pytest.mark.parametrize("place", PATHS)
def test_paths_break_nothing(stranger, place):
    for text in some(0.2):
        part = quote(text[:300].encode("utf-8", "replace"), safe="")
        ask(stranger, "get", place.format(part))
        ask(stranger, "post", place.format(part), {"x": text[:300]})


@pytest.mark.parametrize("parameter", PARAMETERS)
def test_parameters_break_nothing(stranger, parameter):
    chance = random.Random(parameter if not FUZZ else None)  # noqa: S311
    for text in some(0.2):
        for page in chance.sample(PAGES, min(len(PAGES), examples(1))):
            ask(stranger, "get", f"/en/{page}", {parameter: text[:2000]})


BODIES = [
    (b"", "multipart/form-data"), (b"--x", "multipart/form-data; boundary=x"),
    (b"--x\r\nContent-Disposition: form-data; name=\"name\"\r\n\r\n", "multipart/form-data; boundary=x"),
    (b"--x\r\nContent-Disposition: form-data; name=\"f\"; filename=\"../../x\"\r\n\r\nx\r\n--x--", "multipart/form-data; boundary=x"),
    (b"x" * 1000, "multipart/form-data; boundary=" + "y" * 300), (b"{}", "application/json"), (b"<x/>", "text/xml"),
    (b"name=%", "application/x-www-form-urlencoded"), (b"name=%FF%FE", "application/x-www-form-urlencoded"),
    (b"&" * 2000, "application/x-www-form-urlencoded"), (b"a=1&" * 1500, "application/x-www-form-urlencoded"),
    (b"name=x", "application/x-www-form-urlencoded; charset=utf-16"), (b"name=x", "text/plain; charset=nothing"),
    (b"name=x", "\x00"), (b"\x1f\x8b" + b"0" * 100, "application/x-www-form-urlencoded"),
]  # fmt: skip


@pytest.mark.parametrize(
    "path", ["/en/sign/", "/en/sign/sent/", "/en/unsubscribe/x/", "/admin/login/"]
)
def test_bodies_that_no_browser_sends_are_refused(stranger, path):
    for body, kind in BODIES:
        before = stored()
        answer = stranger.generic("POST", path, body, content_type=kind)
        assert answer.status_code < 500, (path, kind)
        assert stored() == before


@pytest.mark.parametrize("method", ["put", "delete", "patch", "trace", "options", "head"])
def test_other_methods_change_nothing(stranger, method):
    before = stored()
    for page in PAGES:
        answer = getattr(stranger, method)(f"/en/{page}")
        assert answer.status_code < 500
    assert stored() == before
