"""A profile that may not be shown is gone: from every page at once, from caches within a minute."""

import re
from datetime import timedelta

import pytest
from django.core.cache import caches
from django.utils import timezone

from petition.cases import acts
from petition.models import Case
from petition.web import pages
from tests.cases.reading import consent_of, files, page
from tests.making import make_case, make_person, make_portrait

pytestmark = pytest.mark.django_db

LONGEST = 60  # Seconds for which anything of a case may be in a cache: docs/operating.md says so.


def everywhere(case: Case, portraits: set[str]) -> list[str]:
    return [f"/en/cases/{case.slug}/", f"/ar/cases/{case.slug}/share.png", *portraits]


def assert_gone(client, case: Case, portraits: set[str], status: int):
    for path in everywhere(case, portraits):
        for ask in (client.get, client.head):
            response = ask(path)
            assert response.status_code == status, path
            assert "no-store" in response["Cache-Control"]
            assert "public" not in response["Cache-Control"]
        words = client.get(path).content.decode()
        for told in ("Sample P", "arrested", "Sample s", "A sample"):
            assert told not in words
    caches["process"].clear()
    for path in ("/en/cases/", "/en/", "/en/tracks/protection/", "/sitemap.xml"):
        assert case.slug not in page(client, path)


def test_what_is_taken_down_is_gone_at_once_everywhere_and_back_as_it_was(client):
    case = make_case()
    make_portrait(case)
    portraits = files(page(client, f"/en/cases/{case.slug}/"))
    acts.take_down(case.pk, make_person("third"), "A sample reason")
    assert_gone(client, case, portraits, 410)
    for name in ("first", "second"):
        acts.put_back(case.pk, make_person(name))
    for path in everywhere(case, portraits):
        assert client.get(path).status_code == 200


@pytest.mark.parametrize(
    "end",
    [
        lambda case: acts.withdraw_consent(case.pk, make_person("third")),
        lambda case: acts.erase(case.pk, make_person("third"), "A sample reason"),
        lambda case: consent_of(case, valid_until=timezone.now()),
    ],
    ids=["withdrawn", "erased", "over"],
)
def test_what_may_not_be_shown_any_more_is_not_found(client, end):
    case = make_case()
    make_portrait(case)
    portraits = files(page(client, f"/en/cases/{case.slug}/"))
    end(case)
    assert_gone(client, case, portraits, 404)


def test_what_was_never_there_is_not_found(client):
    page(client, "/en/cases/nobody/", 404)
    page(client, "/en/cases/nobody/share.png", 404)


def longest(response) -> int:
    """Seconds for which any cache may serve an answer, stale or not."""
    said = response["Cache-Control"]
    stale = [int(n) for n in re.findall(r"stale-[\w-]+=(\d+)", said)]
    assert stale or "must-revalidate" in said
    return int(re.search(r"max-age=(\d+)", said)[1]) + max(stale, default=0)


def test_no_cache_shows_anything_of_a_case_for_longer_than_is_stated(client):
    case = make_case()
    make_portrait(case)
    html = page(client, f"/en/cases/{case.slug}/")
    paths = [*everywhere(case, files(html)), "/en/cases/", "/en/tracks/protection/", "/sitemap.xml"]
    for path in paths:
        response = client.get(path)
        assert response["Cache-Control"].startswith(("public", "max-age"))
        assert longest(response) <= LONGEST, path
        assert "stale-" not in response["Cache-Control"]
    # The process keeps it for a moment more.
    assert longest(client.get("/en/")) + pages.FRESH_SECONDS["text/html"] <= LONGEST


def test_a_profile_is_in_no_cache_when_its_consent_runs_out(client):
    case = make_case()
    for left in (20, 3_600):
        consent_of(case, valid_until=timezone.now() + timedelta(seconds=left))
        for path in (f"/en/cases/{case.slug}/", f"/en/cases/{case.slug}/share.png"):
            seconds = longest(client.get(path))
            assert left - 5 <= seconds <= left or seconds == LONGEST < left
