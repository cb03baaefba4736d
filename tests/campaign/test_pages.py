"""The pages: what each is made of, in each language."""

import re

import pytest
from django.core.cache import caches
from django.db import DatabaseError, connection

from petition.campaign import texts
from petition.models import Text, TextVersion
from tests.making import State, filled_form, link, make_signature
from tests.test_house import INLINE

pytestmark = pytest.mark.django_db

PATHS = ["", "sign/", "sign/sent/", "signed/", "withdrawn/", "tracks/", "tracks/fate/",
         "tracks/legislation/", "tracks/protection/", "news/", "counter/",
         "counter/figures/", "about/", "privacy/", "nothing/"]  # fmt: skip
DIRECTIONS = {"ar": "rtl", "fr": "ltr", "en": "ltr"}


@pytest.mark.parametrize("language", DIRECTIONS)
@pytest.mark.parametrize("path", [*PATHS, "press/", "press/api/"])
def test_every_page_is_what_the_house_promises(client, language, path):
    response = client.get(f"/{language}/{path}")
    page = response.content.decode()
    assert response.status_code == (404 if path == "nothing/" else 200)
    assert f'<html lang="{language}" dir="{DIRECTIONS[language]}">' in page
    for other in DIRECTIONS:
        assert f'hreflang="{other}" href="http://testserver/{other}/{path}"' in page
    assert page.count("<h1") == 1
    assert not re.search(INLINE, page)
    loaded = r'<(?!a )[^>]*(?:src|href|action)="(https?://[^"]+)"'
    outside = re.findall(loaded, page)
    assert all(address.startswith("http://testserver/") for address in outside)
    assert not response.cookies
    assert "Cookie" not in response.get("Vary", "")
    assert "{%" not in page
    assert "{{" not in page
    cached = "no-store" if path == "nothing/" else "public"
    assert cached in response["Cache-Control"]
    policy = response["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


@pytest.mark.parametrize("cookie", ["csrftoken=bad", "sessionid=x", "django_language=fr"])
def test_a_cookie_that_somebody_sends_makes_no_difference(client, cookie):
    plain = client.get("/ar/")
    response = client.get("/ar/", HTTP_COOKIE=cookie)
    assert response.content == plain.content
    assert not response.cookies
    assert response["Vary"] == plain["Vary"] == "Accept-Encoding"
    assert client.get("/", HTTP_COOKIE="django_language=fr")["Location"] == "/ar/"


@pytest.mark.parametrize("language", DIRECTIONS)
def test_pages_behind_a_mailed_link_are_kept_by_no_cache(client, smtp, language):
    from petition.letters import sending

    client.post(f"/{language}/sign/", filled_form())
    sending.send_due()
    for kind in ("confirm", "withdraw"):
        response = client.get(link(kind, smtp.mails[0]))
        page = response.content.decode()
        assert f'<html lang="{language}" dir="{DIRECTIONS[language]}">' in page
        assert page.count("<h1") == 1
        assert "no-store" in response["Cache-Control"]
        assert "noindex" in response["X-Robots-Tag"]
        assert not response.cookies


@pytest.mark.parametrize(
    ("language", "goal"),
    [("ar", "<bdi>1,000,000</bdi>"), ("fr", "<bdi>1\u202f000\u202f000</bdi>"),
     ("en", "<bdi>1,000,000</bdi>")],
)  # fmt: skip
def test_the_home_page_shows_total_goal_and_progress(client, language, goal):
    make_signature(state=State.COUNTED)
    page = client.get(f"/{language}/").content.decode()
    assert '<p class="counter__total"><bdi>1</bdi></p>' in page
    assert goal in page
    assert re.search(r'<progress[^>]* value="1" max="1000000" aria-label="[^"]+"', page)


@pytest.mark.usefixtures("pages_in_memory")
def test_the_home_page_costs_no_statement_once_it_is_warm(client, django_assert_num_queries):
    client.get("/fr/")
    with django_assert_num_queries(0):
        assert client.get("/fr/").status_code == 200


@pytest.mark.parametrize(
    ("asked", "language"),
    [("fr-CA,fr;q=0.9", "fr"), ("en", "en"), ("ar-MA", "ar"), ("de,es;q=0.5", "ar"), ("", "ar")],
)
def test_the_root_leads_to_the_language_that_the_browser_asks_for(client, asked, language):
    response = client.get("/", headers={"Accept-Language": asked})
    assert (response.status_code, response["Location"]) == (302, f"/{language}/")
    assert "Accept-Language" in response["Vary"]


def test_an_edited_text_is_on_the_page_and_its_markup_is_harmless(client):
    Text.objects.filter(slug="about", language="en").update(
        body="New words. <script>alert(1)</script> [x](javascript:alert(1))"
    )
    caches["process"].clear()
    page = client.get("/en/about/").content.decode()
    assert "New words." in page
    assert "<script>" not in page
    assert 'href="javascript:' not in page


@pytest.mark.parametrize(
    "link",
    ["javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "ftp://x", "//x.example",
     "other/", "vbscript:x"],
)  # fmt: skip
def test_a_link_leads_to_a_page_or_a_mailbox_and_nowhere_else(client, link):
    body = f"[bad]({link}) [page](/en/sign/) [web](https://example.org/) [mail](mailto:a@b.org)"
    Text.objects.filter(slug="about", language="en").update(body=body)
    page = client.get("/en/about/").content.decode()
    prose = page.partition('<div class="prose">')[2].partition("</div>")[0]
    hrefs = re.findall(r'href="([^"]*)"', prose)
    assert hrefs == ["/en/sign/", "https://example.org/", "mailto:a@b.org"]


def test_a_text_brings_no_picture_from_another_host(client):
    Text.objects.filter(slug="about", language="en").update(body="![x](https://example.org/x.png)")
    assert "<img" not in client.get("/en/about/").content.decode()


@pytest.mark.parametrize("path", PATHS)
def test_a_page_whose_texts_are_missing_says_the_shipped_ones(client, path):
    whole = client.get(f"/ar/{path}").content
    TextVersion.objects.all().delete()
    Text.objects.all().delete()
    caches["process"].clear()
    assert client.get(f"/ar/{path}").content == whole


@pytest.mark.parametrize("path", ["signed/", "about/", "sign/", "tracks/"])
def test_pages_of_texts_cost_no_statement_once_they_are_warm(
    client, django_assert_num_queries, path
):
    client.get(f"/ar/{path}")
    with django_assert_num_queries(0):
        assert client.get(f"/ar/{path}").status_code == 200


@pytest.mark.parametrize("slug", ["fate", "legislation", "protection"])
def test_each_track_says_what_is_asked_and_the_law_of_the_visits(client, slug):
    page = client.get(f"/fr/tracks/{slug}/").content.decode()
    asks = page.partition('<h2 id="asks-title">')[2]
    assert "Comité international de la Croix-Rouge" in asks
    assert "gouvernements" in asks
    assert "article 126" in asks
    assert "article 143" in asks


def test_the_name_of_the_campaign_is_a_text_also_where_something_is_wrong(client):
    Text.objects.filter(slug="site", language="en").update(title="Our name", summary="Our aim.")
    caches["process"].clear()
    page = client.get("/en/about/").content.decode()
    assert "– Our name</title>" in page
    assert '<meta property="og:site_name" content="Our name">' in page
    assert '">Our name</a>' in page
    assert (
        '<meta name="description" content="Our aim.">' in client.get("/en/sign/").content.decode()
    )

    def down(*args, **kwargs):
        raise DatabaseError

    caches["process"].delete("texts-en")
    client.raise_request_exception = False
    with connection.execute_wrapper(down):
        response = client.get("/en/about/")
    assert response.status_code == 500
    assert "– Our name</title>" in response.content.decode()


def test_the_tracks_are_the_campaigns_three(client):
    assert [t.slug for t in texts.tracks("en")] == ["fate", "legislation", "protection"]
    titles = [t.title for t in texts.tracks("ar")]
    assert titles == ["الكشف عن المصير", "التصدي للتشريعات", "الحماية الصحية والقانونية"]
    assert client.get("/en/tracks/other/").status_code == 404


@pytest.mark.parametrize("language", DIRECTIONS)
def test_an_error_page_needs_no_database(client, language, monkeypatch):
    client.raise_request_exception = False

    def down(*args, **kwargs):
        raise DatabaseError

    with connection.execute_wrapper(down):
        response = client.get(f"/{language}/")
    page = response.content.decode()
    assert response.status_code == 500
    assert f'<html lang="{language}" dir="{DIRECTIONS[language]}">' in page
    assert page.count("<h1") == 1


@pytest.mark.parametrize("path", ["/en/", "/en/sign/", "/en/about/", "/api/v1/counter.json"])
def test_pages_can_only_be_read_or_used_as_meant(client, path):
    assert client.delete(path).status_code == 405


def test_a_page_is_sent_compressed_and_not_sent_again_unchanged(client):
    first = client.get("/ar/about/", headers={"Accept-Encoding": "gzip"})
    assert first["Content-Encoding"] == "gzip"
    again = client.get(
        "/ar/about/", headers={"Accept-Encoding": "gzip", "If-None-Match": first["ETag"]}
    )
    assert again.status_code == 304


@pytest.mark.parametrize(
    ("path", "body", "status"),
    [
        ("/en/sign/", {"name": "x"}, 422),
        ("/en/sign/sent/", {"code": "x"}, 422),
        ("/en/sign/", filled_form(), 303),
        ("/en/sign/", filled_form(email="b@example.org"), 429),
    ],
)
def test_what_somebody_typed_is_kept_by_no_cache(client, settings, path, body, status):
    if status == 429:
        settings.SIGN_RATE = "1/h"
        client.post(path, body)
    response = client.post(path, body)
    assert response.status_code == status
    assert "no-store" in response["Cache-Control"]
    assert "public" not in response["Cache-Control"]


def test_a_missing_page_is_kept_by_no_cache(client):
    response = client.get("/en/tracks/other/")
    assert "no-store" in response["Cache-Control"]
