# ruff: noqa: E501 - a list of what people and programs send.
"""What attackers send, at every form, parameter, header and path that a stranger reaches: never a 500,
nothing stored that was refused, and nothing of it comes back as markup."""

import random
import time
from urllib.parse import quote

import pytest
from django.core.cache import caches
from django.test import Client

from petition.models import Attempt, Letter, Signature
from tests.budget import FUZZ, examples
from tests.making import filled_form

pytestmark = [pytest.mark.django_db, pytest.mark.property, pytest.mark.once]

CORPUS = [
    # Markup, script, templates
    "<script>alert(1)</script>", "\"><img src=x onerror=alert(1)>", "'><svg/onload=alert(1)>",
    "javascript:alert(1)", "{{7*7}}", "{% debug %}", "${7*7}", "<!--", "]]>", "<!DOCTYPE x [<!ENTITY a 'b'>]>",
    "<?xml version='1.0'?><!DOCTYPE l [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;'>]><l>&b;</l>",
    # SQL, shells, formulas, paths
    "' OR '1'='1", "1; DROP TABLE petition_signature; --", "\\'; SELECT pg_sleep(9); --", "%27%20OR%201=1",
    "$(sleep 9)", "`sleep 9`", "| cat /etc/passwd", "=HYPERLINK(\"http://x\")", "@SUM(1)", "+1+1", "-1",
    "../../../../etc/passwd", "..%2f..%2f", "/proc/self/environ", "file:///etc/passwd",
    "http://169.254.169.254/", "C:\\con",
    # Lines, nulls, directions, look-alikes
    "a\r\nBcc: b@example.org", "a\nSet-Cookie: x=1", "\x00", "a\x00b", "\x1b[2J", "\u202etxt.exe", "\u2066x\u2069",
    "\u200b\u200c\u200d", "\ufeff", "ａｄｍｉｎ", "аdmin", "𝔞𝔡𝔪𝔦𝔫", "\u0301" * 40, "Z̷a̷l̷g̷o̷" * 20, "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
    "\U000e0041\U000e0042", "\u3164", "﷽" * 30, "ﷺ", "١٢٣", "𝟏𝟐𝟑",
    # Sizes and numbers
    "", " ", "A" * 5000, "أ" * 2000, "9" * 400, "1e309", "NaN", "Infinity", "-0", "0x41", "1_000", "٫", "99999999999999999999",
    # Shapes
    "[]", "{}", "[" * 200, "{\"a\":" * 50, "null", "true", "undefined", "a[]=1", "a=1&a=2", ";", "%", "%zz", "%00", "\\",
]  # fmt: skip
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
SECONDS_AT_MOST = 5  # A busy machine is slow; a bomb takes minutes.


@pytest.fixture
def stranger():
    """Sees a server's error as an answer, as everybody does."""
    return Client(raise_request_exception=False)


def some(share: float) -> list[str]:
    """A part of the corpus in the suite, all of it in `make fuzz`."""
    chance = random.Random() if FUZZ else random.Random(share)  # noqa: S311
    return CORPUS if FUZZ else chance.sample(CORPUS, round(len(CORPUS) * share))


def ask(stranger, method: str, path: str, *args, **options):
    began = time.monotonic()
    answer = getattr(stranger, method)(path, *args, **options)
    assert answer.status_code < 500, (method, path[:80], str(args)[:80], str(options)[:120])
    assert time.monotonic() - began < SECONDS_AT_MOST, (method, path[:80])
    if answer.streaming:
        answer.close()
        return answer
    page = answer.content
    if "html" in answer.headers.get("Content-Type", ""):
        for markup in (b"<script>alert", b"<img src=x", b"<svg/onload", b"49</"):
            assert markup not in page, (method, path[:80])
    assert "Bcc" not in answer.headers
    assert not any("\n" in value or "\r" in value for value in answer.headers.values())
    assert "x=1" not in answer.headers.get("Set-Cookie", "")
    return answer


def stored() -> tuple[int, int, int]:
    return Signature.objects.count(), Attempt.objects.count(), Letter.objects.count()


@pytest.mark.parametrize("field", FIELDS)
def test_what_is_typed_into_the_sign_form_is_taken_or_refused(stranger, settings, field):
    settings.SIGN_RATE = "99999/h"
    for text in CORPUS:
        before = stored()
        fields = filled_form() | {field: text}
        answer = ask(stranger, "post", "/en/sign/", fields)
        assert answer.status_code in (303, 422, 400, 413)
        if answer.status_code != 303:
            assert stored() == before, (field, text[:40])


@pytest.mark.parametrize("field", ["email", "code"])
def test_what_is_typed_with_a_code_confirms_nothing(stranger, settings, field):
    settings.CONFIRM_RATE = "99999/h"
    for text in CORPUS:
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
