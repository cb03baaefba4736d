# ruff: noqa: E501 - lists of what may come.
"""What could come into the desk's forms and lists, from a hurried volunteer, a broken program or a
stolen session: never a 500, whatever a field or a parameter holds."""

import re
from datetime import date
from html.parser import HTMLParser

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from petition.models import Letter, Text, Track
from petition.paper import sheets
from tests.corpus import ask, some
from tests.making import (
    State,
    make_case,
    make_coordinator,
    make_mailing,
    make_person,
    make_signature,
)

pytestmark = [pytest.mark.django_db, pytest.mark.property, pytest.mark.once]

ADMIN = "/admin/petition/"
COUNT = {"country": "MA", "date": date(2026, 3, 1), "struck": 0}
SCREENS = {
    "sweep/new/": {}, "sheet/print/": {}, "sheet/enter/": {}, "sheet/import/": {},
    "sheet/{sheet}/settle/": {}, "sheet/{sheet}/void/": {}, "maildomain/add/": {},
    "case/new/": {}, "case/take-down/": {}, "case/{case}/consent/": {}, "case/{case}/text/en/": {},
    "case/{case}/risk/": {}, "case/{case}/portrait/": {}, "news/new/": {},
    "news/{news}/change/": {}, "text/{text}/change/": {}, "track/{track}/change/": {},
    "export/tallies/": {}, "export/delivery/": {}, "signature/{signature}/reveal/": {},
    "signature/": {}, "/admin/auth/user/add/": {}, "/admin/daily/": {},
    "/admin/password_change/": {}, "/admin/two-factor/": {},
}  # fmt: skip
LISTS = {
    "signature": ("state", "country", "track", "language", "day", "confirmed", "reason", "p", "q",
                  "o", "after", "channel", "e", "_changelist_filters"),
    "letter": ("state", "kind", "p", "q", "o"), "sweep": ("p", "o", "q"), "entry": ("act", "actor", "p", "q"),
    "sheet": ("state", "batch", "language", "p", "o"), "case": ("state", "track", "p", "q"),
    "news": ("p", "q", "o"), "export": ("p", "o"), "maildomain": ("judged", "p", "q"),
    "signature/funnel": ("day", "x"),
}  # fmt: skip
FILES = [
    b"", b"\x00" * 100, b"PK\x03\x04" + b"\x00" * 60, b"\xff\xfe\x00", b"\xd0\xcf\x11\xe0" * 20,
    b"number,country\n" + b"1," * 20_000, b"number;country\n\"" + b"a" * 9000, b"\x89PNG\r\n\x1a\n" + b"\x00" * 50,
    b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>", b"GIF89a" + b"\xff" * 40,
    b"%PDF-1.7\n%%EOF", b"=cmd|'/c calc'!A0\n", b"sep=\x00\nnumber", b"\xef\xbb\xbfnumber\n\xff",
]  # fmt: skip


class Forms(HTMLParser):
    """The forms of a page that are posted: where to, and what their fields hold."""

    def __init__(self, html: str):
        super().__init__()
        self.forms: list[tuple[str, dict[str, str], set[str]]] = []
        self.inside = False
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        about = dict(attributes)
        if tag == "form":
            self.inside = (about.get("method") or "").lower() == "post"
            if self.inside:
                self.forms.append((about.get("action") or "", {}, set()))
        name = about.get("name")
        if not self.inside or not name or name == "csrfmiddlewaretoken":
            return
        _action, fields, files = self.forms[-1]
        if about.get("type") == "file":
            files.add(name)
        elif tag in ("input", "select", "textarea", "button"):
            fields.setdefault(name, about.get("value") or "")

    def handle_endtag(self, tag):
        self.inside = self.inside and tag != "form"


@pytest.fixture
def desk():
    """An account that may do everything, and one of each thing."""
    client = Client(raise_request_exception=False)
    user = make_coordinator(username="superuser", is_superuser=True)
    client.force_login(user)
    signature = make_signature("one@example.org", State.COUNTED)
    Letter.objects.create(signature=signature, kind="confirm", language="en")
    (sheet,) = sheets.make("ar", 1, user)
    for name, valid in (("first", 3), ("second", 4)):
        sheets.enter(sheet.number, make_person(name), valid=valid, **COUNT)
    client.named = {
        "sheet": sheet.pk, "case": make_case("en").pk,
        "news": make_mailing().news_id, "text": Text.objects.first().pk,
        "track": Track.objects.first().pk, "signature": signature.pk,
    }  # fmt: skip
    return client


def address(desk, screen: str) -> str:
    return (screen if screen.startswith("/") else ADMIN + screen).format(**desk.named)


@pytest.mark.parametrize("screen", SCREENS)
def test_whatever_a_field_holds_is_answered(desk, settings, screen):
    settings.RATELIMIT_ENABLE = False
    path = address(desk, screen)
    page = desk.get(path)
    assert page.status_code == 200, path
    forms = [form for form in Forms(page.content.decode()).forms if form[1] or form[2]]
    assert forms, path
    for action, fields, files in forms:
        where = path if not action or action.startswith("?") else action
        if re.search(r"/logout/|/language/", where):
            continue
        for name in fields:
            for text in some(0.03, at_length=60):
                ask(desk, "post", where, fields | {name: text})
        for name in files:
            for content in FILES:
                for kind in ("a.csv", "a.xlsx", "a.png"):
                    upload = SimpleUploadedFile(kind, content)
                    ask(desk, "post", where, fields | {name: upload})


@pytest.mark.parametrize("name", LISTS)
def test_whatever_a_list_is_asked_for_is_answered(desk, name):
    for parameter in LISTS[name]:
        for text in some(0.05, at_length=100):
            ask(desk, "get", f"{ADMIN}{name}/", {parameter: text[:2000]})
