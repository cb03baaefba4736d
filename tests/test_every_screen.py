"""Every screen is opened: as a stranger and in each role, in each language, every link and every
form that asks, with the sample data and one audit entry of each kind.

A screen fails where it answers with an error or leads to one, shows a word of another language, or
shows what a template left behind.
"""

import json
import re
from collections import Counter, deque
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

import django.contrib.admin
import pytest
from babel.messages.pofile import read_po
from django.conf import settings
from django.contrib.staticfiles import finders
from django.core.cache import caches
from django.core.management import call_command
from django.db import transaction
from django.test import Client
from django.test.utils import override_settings
from django.urls import Resolver404, resolve

from petition.desk import roles
from petition.models import Case
from tests.glossary import avoided
from tests.making import make_coordinator, make_entries

pytestmark = [pytest.mark.django_db, pytest.mark.once]

HOST = "http://testserver"
# Of screens that differ by their row alone, and of filters by what is chosen, so many are opened.
OF_A_KIND = 1
# They change something although they are asked for by GET, or end the session.
LEFT_OUT = re.compile(r"/admin/(logout|jsi18n|language)/|/dev/")
LEFTOVERS = re.compile(
    r"\{\{|\{%|\{#|%\}|&lt;(?:a|p|b|span|strong|div)\b|object at 0x|%\((?:\w+)\)s"
)
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "wbr"}
# What is not prose: code, addresses, what people type elsewhere.
NO_WORDS = {"script", "style", "code", "pre", "kbd", "samp", "textarea", "svg"}
NOT_PROSE = re.compile(
    r"https?://\S+|[\w•.+-]+@[\w•.-]+|\b(?i:sample)[-\w.]*|\b[\w-]+\.(?:invalid|example|org|json|csv|svg)\b"
    r"|\b[a-z]+(?:-[a-z0-9]+)+\b|/[\w./{}-]+|\b(?=\w*\d)\w{6,}(?:-\w{4,})*\b|&\w+;"
)
# Names, formats and codes that are the same in every language.
SAME_EVERYWHERE = {
    "ar", "fr", "en", "csv", "json", "xlsx", "pdf", "png", "svg", "html", "api", "openapi", "rfc",
    "utc", "qr", "oembed", "atom", "iso", "x", "facebook", "whatsapp", "telegram", "signal", "ok",
    "excel", "python", "javascript", "get", "etag", "cors", "utf", "markdown", "avif", "webp",
    "jpeg", "mb", "kb", "aes", "zip", "natural", "earth", "gaza", "wordpress", "url", "iframe",
    "mit", "cc", "by", "http", "https", "title", "px", "testserver", "google", "recaptcha", "ip",
    "org", "world", "atlas", "isc", "aegis", "freeotp", "authenticator", "ascii", "cr", "lf",
    "alpha", "unarchiver", "the",  # The Unarchiver, a program.
    "id", "false", "other", "ma", "lb",  # Values of the API.
}  # fmt: skip


class Page(HTMLParser):
    """What a page leads to, and the words that it shows in its own language."""

    def __init__(self, html: str):
        super().__init__()
        self.links, self.forms, self.words, self._open = [], [], [], []
        self.language = ""
        self.feed(html)

    def handle_starttag(self, tag, attributes):
        about = dict(attributes)
        if tag == "html":
            self.language = about.get("lang", "")
        if tag not in VOID:
            self._open.append((tag, about.get("lang")))
        self.links += [about[n] for n in ("href", "src") if about.get(n)]
        self.links += [part.split()[0] for part in (about.get("srcset") or "").split(",") if part]
        if tag == "form":
            get = about.get("method", "get").lower() == "get"
            self.forms.append((about.get("action") or "", []) if get else None)
        if self.forms and self.forms[-1] and about.get("name"):
            self.forms[-1][1].append((about["name"], about.get("value") or ""))
            self._select = about["name"] if tag == "select" else None
        if tag == "option" and self.forms and self.forms[-1] and getattr(self, "_select", None):
            self.forms[-1][1].append((self._select, about.get("value") or ""))
        if self._is_ours():
            shown = [about.get(n) for n in ("alt", "title", "aria-label", "placeholder")]
            if tag == "input" and about.get("type") in ("submit", "button", "reset"):
                shown.append(about.get("value"))
            self.words += [text for text in shown if text]

    def handle_endtag(self, tag):
        while self._open and any(tag == name for name, _ in self._open):
            if self._open.pop()[0] == tag:
                break

    def handle_data(self, data):
        if data.strip() and self._is_ours():
            self.words.append(data.strip())

    def _is_ours(self) -> bool:
        other = any(lang and lang != self.language for _, lang in self._open)
        return not other and not NO_WORDS & {tag for tag, _ in self._open}


def leaves(value) -> list[str]:
    if isinstance(value, str):
        return [value.partition("{n}")[0]]
    inner = value.values() if isinstance(value, dict) else value or []
    return [leaf for item in inner for leaf in leaves(item)]


# What the sample coordinators typed, which stands on every desk as they typed it.
TYPED = sorted(
    {
        leaf
        for path in (settings.BASE_DIR / "petition/campaign/shipped").glob("*/samples.json")
        for leaf in leaves(json.loads(path.read_text("utf-8")))
        if len(leaf) > 3
    },
    key=len,
    reverse=True,
)


def prose(texts) -> list[str]:
    """Words of two letters or more, without addresses, references and what people typed."""
    shown = " \n ".join(texts)
    for typed in TYPED:
        shown = shown.replace(typed, " ")
    cleaned = NOT_PROSE.sub(" ", shown)
    return [w.lower() for w in re.findall(r"[^\W\d_]{2,}(?:['’][^\W\d_]+)?", cleaned)]


def catalogue(path: Path, language: str | None):
    with path.open("rb") as file:
        for message in read_po(file, locale=language):
            ids = message.id if isinstance(message.id, tuple) else (message.id,)
            strings = message.string if isinstance(message.string, tuple) else (message.string,)
            yield [i for i in ids if i], [s for s in strings if s]


@pytest.fixture(scope="module")
def english_only() -> set[str]:
    """Words of the English interface, ours and Django's, that no French text of ours has."""
    french = [
        p.read_text("utf-8") for p in settings.BASE_DIR.glob("petition/campaign/shipped/fr/*")
    ]
    ours = settings.BASE_DIR / "locale/fr/LC_MESSAGES/django.po"
    admin = Path(django.contrib.admin.__file__).parent / "locale/fr/LC_MESSAGES/django.po"
    english = []
    for ids, strings in [*catalogue(ours, "fr"), *catalogue(admin, "fr")]:
        english += ids
        french += strings
    return {w for w in prose(english) if w.isascii()} - set(prose(french)) - SAME_EVERYWHERE


def foreign(page: Page, english_only: set[str]) -> set[str]:
    words = prose(page.words)
    if page.language == "ar":
        return {w for w in words if re.match("[a-z]", w)} - SAME_EVERYWHERE
    if page.language == "fr":
        return {w for w in words if w in english_only}
    return set()


@pytest.fixture(scope="module")
def site(django_db_setup, django_db_blocker):
    """The sample data and every kind of entry, once for all who look."""
    with django_db_blocker.unblock(), transaction.atomic(), override_settings(DEBUG=True):
        call_command("load_sample_data", verbosity=0)
        make_entries()
        TYPED.extend(Case.objects.values_list("slug", flat=True))
        with override_settings(DEBUG=False):
            yield
        transaction.set_rollback(True)


class Crawl:
    """Opens what it finds, to the end; `wrong` says what was not right, and where."""

    def __init__(self, client: Client, english_only: set[str], stay_in: str, rooms: str = "/"):
        self.client, self.english_only, self.stay_in = client, english_only, stay_in
        self.rooms = rooms  # Links are followed from here on; others are opened alone.
        self.seen, self.kinds, self.wrong, self.opened = set(), Counter(), [], 0
        self.waiting = deque()

    def run(self, *starts: str) -> None:
        for start in starts:
            self.find(start, "")
        while self.waiting:
            self.open(*self.waiting.popleft())

    def find(self, address: str, where: str) -> None:
        parts = urlsplit(urljoin(HOST + where, address))
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        if f"{parts.scheme}://{parts.netloc}" != HOST or path in self.seen:
            return
        if LEFT_OUT.match(parts.path):
            return
        self.seen.add(path)
        if parts.path.startswith("/static/"):
            if not finders.find(parts.path.removeprefix("/static/")):
                self.wrong.append(f"{where} → {path}: no such file")
            return
        if self.kinds_are_full(parts):
            return
        self.waiting.append((path, where))

    def kinds_are_full(self, parts) -> bool:
        try:
            match = resolve(parts.path)
        except Resolver404:
            return False  # Opened, and found wrong.
        language = parts.path.split("/")[1] if parts.path.count("/") > 1 else ""
        if language in ("ar", "fr", "en") and language != self.stay_in:
            return True
        asked = tuple(sorted(name for name, value in parse_qsl(parts.query) if value))
        kind = (match.route, asked)
        self.kinds[kind] += 1
        return self.kinds[kind] > OF_A_KIND

    def open(self, path: str, where: str) -> None:
        response = self.client.get(path)
        self.opened += 1
        if response.status_code in (301, 302, 303):
            self.find(response["Location"], path)
            return
        if response.status_code != 200:
            self.wrong.append(f"{where} → {path}: {response.status_code}")
            return
        if response.streaming:
            b"".join(response.streaming_content)
            return
        if not response.headers.get("Content-Type", "").startswith("text/html"):
            return
        self.look(response.content.decode(), path)

    def look(self, html: str, path: str) -> None:
        page = Page(html)
        shown = " ".join(page.words)
        if found := LEFTOVERS.search(shown):
            self.wrong.append(f"{path}: {found.group()!r} is shown")
        if words := foreign(page, self.english_only):
            self.wrong.append(f"{path}: {', '.join(sorted(words))}")
        if "/consenttext/" in path:
            shown = ""  # The first consent texts: never changed, since people agreed to them.
        if words := avoided(shown, self.stay_in):
            self.wrong.append(f"{path}: the glossary avoids {', '.join(sorted(set(words)))}")
        if not path.startswith(self.rooms):
            return
        for link in page.links:
            self.find(link, path)
        for form in filter(None, page.forms):
            action, fields = form
            asked = urljoin(path, action).partition("?")[0]
            for chosen in [dict(fields), *({name: value} for name, value in fields)]:
                self.find(f"{asked}?{urlencode(chosen)}", path)


@pytest.fixture
def nothing_remembered():
    for name in settings.CACHES:
        caches[name].clear()


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_a_stranger_opens_every_page(site, nothing_remembered, language, english_only):
    crawl = Crawl(Client(), english_only, language)
    crawl.run(f"/{language}/", "/sitemap.xml", "/robots.txt", "/.well-known/security.txt")
    assert "\n".join(crawl.wrong) == ""
    assert crawl.opened > 40


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
@pytest.mark.parametrize("role", roles.ROLES)
def test_a_coordinator_opens_every_screen_of_the_role(
    site, nothing_remembered, role, language, english_only
):
    client = Client()
    with transaction.atomic():
        client.force_login(make_coordinator(role, username=f"sample-{role}"))
        client.cookies["django_language"] = language
        crawl = Crawl(client, english_only, language, "/admin/")
        crawl.run("/admin/")
        transaction.set_rollback(True)
    assert "\n".join(crawl.wrong) == ""
    assert crawl.opened > 4
