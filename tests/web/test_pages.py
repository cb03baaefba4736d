"""Public pages from memory: the same bytes for all who ask, bounded, and gone when they must be."""

import gzip
import threading
import time
from contextlib import contextmanager
from datetime import timedelta

import brotli
import pytest
from django.core.cache import caches
from django.db import OperationalError, connection
from django.test import Client
from django.utils import timezone

from petition.cases import acts
from petition.ground import memory
from petition.models import Case
from petition.web import pages
from tests.making import State, make_case, make_coordinator, make_signature

pytestmark = [pytest.mark.django_db, pytest.mark.once, pytest.mark.usefixtures("pages_in_memory")]


@pytest.fixture
def clock(monkeypatch):
    """Moves the clock that ages are measured by."""
    moved = {"by": 0.0}
    real = time.monotonic

    def forward(seconds: float) -> None:
        moved["by"] += seconds

    monkeypatch.setattr(time, "monotonic", lambda: real() + moved["by"])
    return forward


@contextmanager
def no_database():
    def refuse(execute, sql, params, many, context):
        raise OperationalError("gone")

    with connection.execute_wrapper(refuse):
        yield


def get(client, path, **headers):
    return client.get(path, headers=headers)


EVERY = ["", "sign/", "sign/sent/", "signed/", "counter/", "counter/figures/", "tracks/",
         "tracks/fate/", "cases/", "news/", "news/feed.atom", "press/", "press/api/", "about/",
         "privacy/", "counter.svg", "counter/map.svg"]  # fmt: skip


OTHERS = ["/embed/fr/counter/", "/sitemap.xml", "/robots.txt", "/api/v1/counter.json"]


@pytest.mark.parametrize("path", [*(f"/fr/{p}" for p in EVERY), *OTHERS])
def test_a_second_visitor_costs_no_statement(client, path, django_assert_num_queries):
    first = client.get(path)
    with django_assert_num_queries(0):
        second = client.get(path)
    assert (second.status_code, second.content) == (200, first.content)
    assert second["ETag"] == first["ETag"]
    assert "Set-Cookie" not in second
    names = {"Content-Security-Policy", "X-Content-Type-Options", "Referrer-Policy"}
    assert {n: second.get(n) for n in names} == {n: first.get(n) for n in names}


def test_each_encoding_is_the_same_page_under_its_own_name(client):
    plain = get(client, "/en/")
    assert not plain["ETag"].startswith("W/")
    for encoding, decompress in (("gzip", gzip.decompress), ("br", brotli.decompress)):
        packed = get(client, "/en/", **{"Accept-Encoding": encoding})
        assert packed["Content-Encoding"] == encoding
        assert decompress(packed.content) == plain.content
        assert len(packed.content) == int(packed["Content-Length"]) < len(plain.content) / 3
        assert packed["ETag"] != plain["ETag"]
        tag = {"Accept-Encoding": encoding, "If-None-Match": packed["ETag"]}
        assert get(client, "/en/", **tag).status_code == 304
    best = get(client, "/en/", **{"Accept-Encoding": "gzip, deflate, br, zstd"})
    assert best["Content-Encoding"] == "br"


def test_what_a_page_does_not_know_leads_to_the_same_entry(client, django_assert_num_queries):
    client.get("/en/cases/?track=fate")
    with django_assert_num_queries(0):
        for query in ("fbclid=x&track=fate", "track=fate&utm_source=a&utm_id=b", "track=fate&q"):
            assert client.get(f"/en/cases/?{query}").status_code == 200
    assert client.get("/en/cases/?track=nothing&gclid=1").status_code == 404
    assert "fbclid" not in client.get("/en/cases/?fbclid=x").content.decode()


def test_memory_stays_within_its_bytes_whoever_asks_for_what():
    client = Client()
    client.get("/en/")
    store = store_of(client)
    paths = ["/en/", "/ar/", "/fr/sign/", "/en/press/", "/en/counter/figures/"]
    for n in range(600):  # Some 9 MB, were each kept.
        client.get(f"{paths[n % 5]}?fbclid={n}&size={n}&before={n}&x{n}=1")
        client.get("/en/")
    assert store.bytes <= 4 << 20
    assert store.get("/en/?") is not None


def store_of(client) -> pages.Store:
    """The memory of the process that this client asks."""
    layer = client.handler._middleware_chain
    while not isinstance(layer, pages.PublicPages):
        layer = layer.__wrapped__ if hasattr(layer, "__wrapped__") else layer.get_response
    return layer.store


def test_what_was_counted_is_on_the_page_within_seconds(client, clock):
    """As a figure of its own: the time of day may say 42 too."""
    assert ">42<" not in client.get("/en/counter/").content.decode()
    for n in range(42):
        make_signature(f"s{n}@example.org", State.COUNTED)
    caches["process"].clear()
    clock(pages.FRESH_SECONDS["text/html"])
    assert ">42<" in client.get("/en/counter/").content.decode()


def test_a_profile_that_is_taken_down_is_gone_at_once(client, django_capture_on_commit_callbacks):
    case = make_case()
    paths = [f"/en/cases/{case.slug}/", f"/en/cases/{case.slug}/share.png"]
    assert [client.get(path).status_code for path in paths] == [200, 200]
    assert case.slug in client.get("/en/").content.decode()
    with django_capture_on_commit_callbacks(execute=True):
        acts.take_down(case.pk, make_coordinator("cases"), "asked for")
    assert [client.get(path).status_code for path in paths] == [410, 410]
    assert case.slug not in client.get("/en/").content.decode()
    with no_database():
        assert client.get(paths[0]).status_code in (410, 503)
        assert case.slug not in client.get("/en/").content.decode()


def test_another_process_hears_of_a_take_down_by_the_shared_cache(client):
    case = make_case()
    path = f"/en/cases/{case.slug}/"
    assert client.get(path).status_code == 200
    Case.objects.filter(pk=case.pk).update(take_down=None, consent=None)
    assert client.get(path).status_code == 200
    caches["default"].set("turn", "another process")
    caches["process"].clear()  # As after LISTEN_SECONDS.
    assert client.get(path).status_code == 404


def test_nothing_that_lapses_is_kept_beyond_its_moment(client, clock, monkeypatch):
    case = make_case()
    path = f"/en/cases/{case.slug}/"
    now = timezone.now()
    until = client.get(path)
    lapses = now + timedelta(seconds=1)
    case.consent.valid_until = lapses
    case.consent.save()
    memory.change()
    assert client.get(path)["Cache-Control"].count("max-age=0")
    monkeypatch.setattr(timezone, "now", lambda: lapses + timedelta(seconds=1))
    assert client.get(path).status_code == 404
    assert until.status_code == 200


STANDING = ["", "sign/", "sign/sent/", "signed/", "counter/", "tracks/", "about/", "privacy/",
            "press/"]  # fmt: skip
ASKING_NOTHING = {"sign/sent/"}  # Made anew, whatever the database does.
SAID = {
    "ar": "لا يمكن تحديث الموقع",
    "fr": "ne peut pas être mis à jour",
    "en": "cannot be updated",
}


@pytest.mark.parametrize("language", SAID)
def test_without_the_database_pages_stand_and_say_of_when_they_are(client, clock, language):
    for path in STANDING:
        assert SAID[language] not in client.get(f"/{language}/{path}").content.decode()
    clock(pages.OLD_SECONDS + 1)
    caches["process"].clear()
    with no_database():
        for path in STANDING:
            old = client.get(f"/{language}/{path}")
            assert old.status_code == 200, path
            if path not in ASKING_NOTHING:
                assert int(old["Age"]) > pages.OLD_SECONDS, path
                assert SAID[language] in old.content.decode(), path
    clock(memory.AN_HOUR)
    caches["process"].clear()
    caches["last_good"].clear()
    with no_database():
        gone = client.get(f"/{language}/counter/")
    assert (gone.status_code, gone["Retry-After"]) == (503, "5")


def test_another_process_has_the_last_good_copies(client):
    for path in STANDING:
        client.get(f"/en/{path}")
    caches["process"].clear()
    restarted = Client()
    with no_database():
        for path in STANDING:
            assert restarted.get(f"/en/{path}").status_code == 200, path


def test_an_old_home_page_shows_no_case_and_no_story(client, clock):
    case = make_case()
    assert case.slug in client.get("/en/").content.decode()
    clock(pages.OLD_SECONDS + 1)
    caches["process"].clear()
    for asked in (client, Client()):
        with no_database():
            home = asked.get("/en/")
        assert home.status_code == 200
        assert case.slug not in home.content.decode()
        assert 'id="sign"' in home.content.decode()


@pytest.mark.parametrize("path", ["cases/", "news/", "tracks/fate/", "cases/{slug}/"])
def test_what_can_show_a_case_ends_with_its_minute(client, clock, path):
    path = "/en/" + path.format(slug=make_case().slug)
    assert client.get(path).status_code == 200
    clock(30)
    with no_database():
        assert client.get(path).status_code == 200
    clock(31)
    with no_database():
        late = client.get(path)
    assert (late.status_code, late["Retry-After"]) == (503, "5")
    assert "Not available at the moment" in late.content.decode()


def test_the_form_answers_503_with_what_was_typed(client):
    client.get("/en/sign/")
    typed = {"name": "Sample Signer", "email": "typed@example.org", "country": "MA"}
    with no_database():
        answer = client.post("/en/sign/", typed | {"consent": "on"})
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    for value in ("Sample Signer", "typed@example.org", "could not be stored"):
        assert value in answer.content.decode()


@pytest.mark.parametrize("act", ["confirm", "withdraw", "unsubscribe"])
def test_a_mailed_link_says_that_nothing_was_changed(client, act):
    with no_database():
        for ask in (client.get, client.post):
            answer = ask(f"/en/{act}/{'x' * 40}/")
            if answer.status_code != 404:  # What is no token is found without the database.
                assert (answer.status_code, answer["Retry-After"]) == (503, "5")
                assert "Nothing was changed" in answer.content.decode()


def test_one_makes_a_page_while_others_get_the_former(client, clock):
    first = client.get("/en/counter/").content
    kept = store_of(client).get("/en/counter/?")
    clock(pages.FRESH_SECONDS["text/html"])
    answers = []
    with kept.maker:  # As while somebody makes it.
        asking = threading.Thread(target=lambda: answers.append(client.get("/en/counter/")))
        asking.start()
        asking.join(5)
    assert [a.content for a in answers] == [first]


def test_without_memory_every_page_is_made_for_who_asks(settings):
    settings.PAGE_MEMORY_BYTES = 0
    client = Client()
    assert "<strong>0" not in client.get("/en/counter/").content.decode()
    make_signature("s@example.org", State.COUNTED)
    caches["process"].clear()
    page = client.get("/en/counter/")
    assert ">1<" in page.content.decode().replace("<bdi>", "").replace("</bdi>", "")
    assert page["ETag"]
