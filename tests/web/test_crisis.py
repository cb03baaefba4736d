"""On a bad day pages stand still and signing goes on; a copy works without the site."""

import re
from html.parser import HTMLParser
from io import StringIO

import pytest
from django.core.cache import caches
from django.core.management import call_command
from django.core.signals import request_finished, request_started
from django.core.wsgi import get_wsgi_application
from django.db import OperationalError, close_old_connections, connection
from django.test import Client

from petition.ground import waiting
from petition.models import Signature
from petition.signing import tallies
from petition.web import installation, mirror, pages
from tests.log.making import append, counted, program
from tests.making import State, filled_form, make_case, make_signature

pytestmark = pytest.mark.django_db

SAID = {"ar": "تعرض هذه الصفحة", "fr": "Cette page", "en": "This page shows how things stood on"}


@pytest.fixture(autouse=True)
def _as_a_test_client_does():
    """A server ends old connections around each request, and with them a test's transaction."""
    around = (request_started, request_finished)
    for signal in around:
        signal.disconnect(close_old_connections)
    yield
    for signal in around:
        signal.connect(close_old_connections)


@pytest.fixture
def asker(settings):
    """One process: what it keeps of a page stays with it."""
    settings.PAGE_MEMORY_BYTES = 64_000_000
    return Client()


def crisis(state: str) -> None:
    call_command("crisis", state, stdout=StringIO())
    caches["process"].clear()  # As after the seconds for which a process believes the former.


def one_more() -> None:
    make_signature(f"more{Signature.objects.count()}@example.org", State.COUNTED)
    tallies.mend()
    caches["process"].clear()


def total(page: str) -> str:
    shown = re.search(r'class="counter__total"[^>]*>(.*?)</p>', page, re.DOTALL).group(1)
    return re.sub("<[^>]+>", "", shown).strip()


def age_pages(monkeypatch, seconds=30):
    """As if so much time had passed since pages were made."""
    clock = pages.time.monotonic
    monkeypatch.setattr(pages.time, "monotonic", lambda: clock() + seconds)


def test_pages_stand_still_with_their_moment_and_signing_goes_on(asker, monkeypatch):
    before = asker.get("/en/").content.decode()
    crisis("on")
    one_more()
    age_pages(monkeypatch)
    page = asker.get("/en/")
    assert total(page.content.decode()) == total(before)
    assert SAID["en"] in page.content.decode()
    assert int(page["Age"]) >= 30
    assert asker.post("/en/sign/", filled_form()).status_code == 303
    crisis("off")
    page = asker.get("/en/").content.decode()
    assert SAID["en"] not in page
    assert total(page) != total(before)


def test_after_five_minutes_a_page_is_made_anew(asker, monkeypatch):
    before = asker.get("/en/").content.decode()
    crisis("on")
    one_more()
    age_pages(monkeypatch, 301)
    assert total(asker.get("/en/").content.decode()) != total(before)


def test_figures_for_programs_and_profiles_keep_their_own_rule(asker, monkeypatch):
    asker.get("/api/v1/counter.json")
    asker.get("/en/cases/")
    crisis("on")
    one_more()
    age_pages(monkeypatch)
    assert asker.get("/api/v1/counter.json").json()["total"] == 1
    assert SAID["en"] not in asker.get("/en/cases/").content.decode()


def test_the_command_says_which_it_is():
    for state in ("on", "off"):
        call_command("crisis", state, stdout=StringIO())
        out = StringIO()
        call_command("crisis", stdout=out)
        assert out.getvalue() == f"Crisis: {state}.\n"


def test_a_database_that_hangs_delays_no_page_by_more_than_a_moment():
    seen = []

    def hang(*args, **kwargs):
        seen.append(waiting.left())
        raise OperationalError("hangs")

    with connection.execute_wrapper(hang):
        assert not installation.in_crisis()
        assert not installation.in_crisis()  # Not asked again at once.
    assert len(seen) == 1
    assert seen[0] <= installation.PAGE_WAITS_SECONDS


def test_a_process_begins_though_the_database_hangs():
    seen = []

    def hang(*args, **kwargs):
        seen.append(waiting.left())
        raise OperationalError("hangs")

    with connection.execute_wrapper(hang):
        installation.stop_where_wrong(installation.check_keys)
    assert max(seen) <= installation.START_WAITS_SECONDS


class Links(HTMLParser):
    def __init__(self, page: str):
        super().__init__()
        self.found = []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        self.found += [v for k, v in attributes if k in ("href", "src") and tag != "base"]


@pytest.fixture
def copy(tmp_path):
    counted(3)
    append()
    mirror.write(get_wsgi_application(), tmp_path / "copy")
    return tmp_path / "copy"


def test_a_copy_leads_nowhere_but_within_itself_and_to_the_site(copy, settings):
    written = list(copy.rglob("*.html"))
    assert len(written) >= 3 * len(mirror.PAGES)
    for page in written:
        text = page.read_text("utf-8")
        assert "<form" not in text
        assert SAID[page.relative_to(copy).parts[0]] in text
        for link in Links(text).found:
            if re.match(r"https?://|mailto:|data:|[#?]", link):
                continue
            target = (page.parent / link.partition("#")[0].partition("?")[0]).resolve()
            assert target.is_file(), (page.name, link)


def test_a_copy_holds_no_profile(tmp_path):
    make_case("ar", "fr", "en")
    mirror.write(get_wsgi_application(), tmp_path)
    shown = Client().get("/en/cases/").content.decode()
    names = set(re.findall(r'/en/cases/([\w-]+)/"', shown))
    assert names
    for path in tmp_path.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert not any(name.encode() in content for name in names), path


def test_a_copy_of_the_log_can_be_checked_without_the_site(copy, capsys):
    assert program().main([str(copy / "log"), "--language", "en"]) == 0
    assert "The log counts" in capsys.readouterr().out
