"""The counter in other people's pages: frames, oEmbed and badges, as their servers see them."""

import json
import re
import struct
from datetime import UTC, datetime
from html import unescape
from xml.etree import ElementTree

import pytest
from django.core.cache import caches
from django.urls import reverse
from django.utils import timezone, translation

from petition.figures import embeds
from petition.models import Tally
from petition.signing import tallies
from petition.urls import urlpatterns
from petition.web.problems import problem
from tests.making import State, make_case, make_profiles, make_signature

pytestmark = [pytest.mark.django_db, pytest.mark.once]

LANGUAGES = ("ar", "fr", "en")
WRITTEN = {"ar": "123,456", "fr": "123\u202f456", "en": "123,456"}
GOAL = {"ar": "1,000,000", "fr": "1\u202f000\u202f000", "en": "1,000,000"}


ISOLATES = dict.fromkeys((0x2066, 0x2069))  # What sets parts of a line apart, and is not seen.


@pytest.fixture
def counted(monkeypatch):
    """123,456 counted on 9 March 2026, 07:05 UTC."""
    moment = datetime(2026, 3, 9, 7, 5, 59, 123456, tzinfo=UTC)
    monkeypatch.setattr(timezone, "now", lambda: moment)
    Tally.objects.filter(dimension="total").update(count=123_456, changed_at=moment)


@pytest.mark.parametrize("size", ["small", "medium", "large"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_frame_says_figure_goal_moment_and_source(client, counted, language, size):
    page = client.get(f"/embed/{language}/counter/?size={size}").content.decode()
    said = page.translate(ISOLATES)
    direction = "rtl" if language == "ar" else "ltr"
    assert f'<html lang="{language}" dir="{direction}" class="{size} auto">' in page
    assert f"<strong><bdi>{WRITTEN[language]}</bdi></strong>" in page
    assert GOAL[language] in page
    assert '<progress value="123456" max="1000000"' in page
    assert '<time datetime="2026-03-09T07:05:00Z">' in page
    assert "07:05 UTC" in said  # In whole minutes: within one an unchanged frame is a 304.
    assert "testserver</a>" in said
    for address in ("counter", "sign"):
        assert (
            f'href="http://testserver/{language}/{address}/" target="_blank" rel="noopener"' in page
        )


def test_a_frame_runs_nothing_and_knows_nobody(client, counted):
    client.cookies["sessionid"] = "somebody"
    response = client.get("/embed/ar/counter/", headers={"Accept-Language": "fr"})
    page = response.content.decode()
    assert not response.cookies
    assert "<script" not in page
    assert not re.search(r"<style|\sstyle=|\son[a-z]+=|http-equiv", page)
    assert response["Cache-Control"].startswith("public, max-age=30,")
    assert response["Content-Language"] == "ar"
    assert not {"Cookie", "Accept-Language"} & set(response.get("Vary", "").split(", "))
    assert 'name="robots" content="noindex"' in page
    assert '<link rel="canonical" href="http://testserver/ar/counter/">' in page


def test_a_frame_asks_again_by_itself_every_minute(client):
    assert client.get("/embed/ar/counter/")["Refresh"] == "60"


def test_anybody_may_frame_it_and_it_may_do_nothing(client):
    response = client.get("/embed/fr/counter/")
    policy = response["Content-Security-Policy"].split("; ")
    assert "frame-ancestors *" in policy
    assert {"script-src 'none'", "form-action 'none'", "connect-src 'none'"} <= set(policy)
    assert "X-Frame-Options" not in response


def test_an_unchanged_frame_keeps_the_policy_that_a_cache_has_of_it(client):
    first = client.get("/embed/fr/counter/")
    again = client.get("/embed/fr/counter/", headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 304
    assert "Content-Security-Policy" not in again
    assert "X-Frame-Options" not in again


def test_nothing_else_may_be_framed(client):
    make_profiles()
    paths = ["/admin/login/", "/embed/de/counter/", "/nothing/", "/oembed", "/api/v1/counter.json"]
    with translation.override("en"):
        paths += [
            reverse(pattern.name)
            for resolver in urlpatterns
            for pattern in getattr(resolver, "url_patterns", [])
            if "<" not in str(pattern.pattern)
        ]
        paths += [reverse("track", args=["fate"]), reverse("case", args=["named"])]
    assert len(paths) > 20
    for path in paths:
        response = client.get(path)
        assert response["X-Frame-Options"] == "DENY", path
        if not path.startswith("/api/"):  # Nothing of it runs: one header is enough.
            assert "frame-ancestors 'none'" in response["Content-Security-Policy"], path


def test_a_language_that_there_is_not_is_not_found(client):
    assert client.get("/embed/de/counter/").status_code == 404


@pytest.mark.parametrize("query", ["", "?size=huge&theme=pink", "?size=&theme="])
def test_an_unknown_size_or_theme_is_the_default_one(client, query):
    page = client.get(f"/embed/en/counter/{query}").content.decode()
    assert '<html lang="en" dir="ltr" class="medium auto">' in page


def test_a_frame_is_shown_also_before_anything_was_counted(client):
    Tally.objects.all().delete()
    page = client.get("/embed/en/counter/")
    assert page.status_code == 200
    assert "<strong><bdi>0</bdi></strong>" in page.content.decode()
    assert client.get("/en/counter.svg").status_code == 200
    assert client.get("/en/counter.png").status_code == 200


def test_the_bar_ends_at_the_goal_and_the_count_goes_on(client):
    Tally.objects.filter(dimension="total").update(count=1_234_567)
    page = client.get("/embed/en/counter/").content.decode()
    assert '<progress value="1000000" max="1000000"' in page
    assert "<strong><bdi>1,234,567</bdi></strong>" in page
    assert "123.4%" in page


def test_the_same_moment_has_one_figure_everywhere(client):
    for n in range(3):
        make_signature(f"sample{n}@example.org", State.COUNTED)
    figures = client.get("/api/v1/counter.json").json()
    page = client.get("/embed/en/counter/").content.decode()
    picture = client.get("/en/counter.svg").content.decode()
    assert figures["total"] == tallies.read_counter().total == 3
    assert "<strong><bdi>3</bdi></strong>" in page
    assert ">3</text>" in picture
    assert tallies.recount() == []


def test_sample_data_says_so_wherever_it_is_embedded(client, counted):
    real = client.get("/en/counter.png").content
    make_case("en", sample=True)
    caches["process"].clear()
    assert '<p class="made-up">Sample data</p>' in client.get("/embed/en/counter/").content.decode()
    picture = client.get("/en/counter.svg").content.decode()
    assert picture.count(">Sample data – One Million Signatures") == 2  # Title, and what is seen.
    assert client.get("/en/counter.png").content != real
    answer = ask(client).json()
    assert answer["sample"] is True
    assert answer["title"].startswith("Sample data – ")


# --- oEmbed ------------------------------------------------------------------------------------


def ask(client, **fields):
    return client.get("/oembed", {"url": "http://testserver/en/counter/"} | fields)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("rest", ["", "?utm_source=x", "#days"])
def test_oembed_knows_the_counter_page_of_each_language(client, language, rest):
    response = ask(client, url=f"http://testserver/{language}/counter/{rest}", format="json")
    answer = response.json()
    assert response["Content-Type"] == "application/json"
    assert response["Access-Control-Allow-Origin"] == "*"
    assert response["Cache-Control"].startswith("public, max-age=3600")
    assert (answer["version"], answer["type"], answer["cache_age"]) == ("1.0", "rich", 3600)
    assert answer["provider_url"] == f"http://testserver/{language}/"
    assert answer["thumbnail_url"] == f"http://testserver/{language}/share.png"
    assert (answer["thumbnail_width"], answer["thumbnail_height"]) == (1200, 630)
    frame = ElementTree.fromstring(answer["html"])  # noqa: S314 - Our own.
    assert frame.tag == "iframe"
    assert frame.attrib == {
        "src": f"http://testserver/embed/{language}/counter/?size=large",
        "width": str(answer["width"]),
        "height": str(answer["height"]),
        "title": answer["title"],
        "loading": "lazy",
        "referrerpolicy": "no-referrer",
        "frameborder": "0",
    }
    assert answer["provider_name"] in answer["title"]
    assert client.get(frame.attrib["src"]).status_code == 200


@pytest.mark.parametrize(
    ("room", "size"),
    [
        ({}, "large"),
        ({"maxwidth": "640", "maxheight": "320"}, "large"),
        ({"maxwidth": "639"}, "medium"),
        ({"maxheight": "319"}, "medium"),
        ({"maxwidth": "9999", "maxheight": "100"}, "small"),
        ({"maxwidth": "320"}, "small"),
        ({"maxwidth": "", "maxheight": ""}, "large"),
    ],
)
def test_oembed_never_answers_more_than_the_room_that_there_is(client, room, size):
    answer = ask(client, **room).json()
    chosen = embeds.SIZES[size]
    assert (answer["width"], answer["height"]) == (chosen.width, chosen.height)
    assert f"size={size}" in answer["html"]
    limits = {name: int(text) for name, text in room.items() if text}
    assert answer["width"] <= limits.get("maxwidth", 640)
    assert answer.get("thumbnail_width", 0) <= limits.get("maxwidth", 1200)
    assert answer.get("thumbnail_height", 0) <= limits.get("maxheight", 630)


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ({"url": ""}, 400),
        ({"maxwidth": "wide"}, 400),
        ({"maxwidth": "-1"}, 400),
        ({"maxheight": "٣٠٠"}, 400),
        ({"maxheight": "9" * 5000}, 400),
        ({"maxwidth": "319"}, 404),
        ({"maxheight": "0"}, 404),
        ({"format": "xml"}, 501),
        ({"url": "http://elsewhere.example/en/counter/"}, 404),
        ({"url": "http://testserver.elsewhere.example/en/counter/"}, 404),
        ({"url": "http://testserver@elsewhere.example/en/counter/"}, 404),
        ({"url": "javascript://testserver/en/counter/"}, 404),
        ({"url": "http://testserver/en/sign/"}, 404),
        ({"url": "http://testserver/de/counter/"}, 404),
        ({"url": "http://[/en/counter/"}, 404),
        ({"url": "/en/counter/"}, 404),
    ],
)
def test_oembed_says_what_is_wrong_in_a_way_that_programs_read(client, fields, status):
    response = ask(client, **fields)
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    assert response["Access-Control-Allow-Origin"] == "*"
    assert "no-store" in response["Cache-Control"]
    said = json.loads(response.content)
    assert said["status"] == status
    assert said["type"] == "about:blank"
    assert said["title"]
    assert said["detail"]


def test_no_cache_keeps_what_is_wrong():
    assert "no-store" in problem(404, "Nothing", "There is nothing.")["Cache-Control"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_counter_page_says_where_its_oembed_is(client, language):
    page = f"http://testserver/{language}/counter/"
    links = re.findall(r"<link [^>]*>", client.get(page).content.decode())
    (link,) = (link for link in links if 'type="application/json+oembed"' in link)
    assert 'rel="alternate"' in link
    answer = client.get(unescape(re.search(r'href="([^"]+)"', link).group(1))).json()
    assert answer == ask(client, url=page).json()


# --- Badges ------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_badge_is_real_text_in_its_own_direction(client, counted, language):
    response = client.get(f"/{language}/counter.svg")
    picture = ElementTree.fromstring(response.content)  # noqa: S314 - Our own.
    assert response["Content-Type"] == "image/svg+xml"
    assert response["Cache-Control"].startswith("public, max-age=60,")
    names = {element.tag.rpartition("}")[2] for element in picture.iter()}
    assert names == {"svg", "title", "rect", "g", "text"}
    said = " ".join(picture.itertext()).translate(ISOLATES)
    assert WRITTEN[language] in said
    assert "07:05 UTC" in said
    assert "testserver" in said
    group = next(e for e in picture.iter() if e.tag.endswith("}g"))
    assert group.attrib["direction"] == ("rtl" if language == "ar" else "ltr")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_badge_is_a_png_as_well(client, counted, language):
    response = client.get(f"/{language}/counter.png")
    assert response["Content-Type"] == "image/png"
    assert response["Cache-Control"].startswith("public, max-age=60,")
    assert struct.unpack(">II", response.content[16:24]) == (720, 260)


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_badges_are_light_or_dark(client, counted, kind):
    light = client.get(f"/en/counter.{kind}").content
    assert client.get(f"/en/counter.{kind}?theme=dark").content != light
    assert client.get(f"/en/counter.{kind}?theme=pink").content == light


@pytest.mark.parametrize("kind", ["svg", "png"])
def test_any_site_may_show_and_read_a_badge_also_an_unchanged_one(client, kind):
    first = client.get(f"/en/counter.{kind}")
    again = client.get(f"/en/counter.{kind}", headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 304
    for response in (first, again):
        assert response["Access-Control-Allow-Origin"] == "*"
        assert response["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert not response.cookies


def test_a_picture_is_typeset_at_most_once_a_minute(client):
    before = client.get("/en/counter.png").content
    make_signature(state=State.COUNTED)
    caches["process"].delete("counter")
    assert ">1</text>" in client.get("/en/counter.svg").content.decode()
    assert client.get("/en/counter.png").content == before
    caches["process"].clear()
    assert client.get("/en/counter.png").content != before
