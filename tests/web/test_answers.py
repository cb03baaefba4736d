"""How `/api/v1/` answers: names and dates of answers, memory, other sites, refusals."""

import gzip

import pytest
from django.test import Client
from django.utils import timezone
from django.utils.http import http_date

from petition.figures import history
from petition.models import Hour
from petition.web import pages
from tests.figures.test_api import FIXED, TODAY, forget, get, lines, said, sign, two_days  # noqa: F401

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.once,
    pytest.mark.usefixtures("noon", "pages_in_memory"),
]


@pytest.mark.parametrize("path", [*FIXED, f"history/{TODAY}.json", f"history/{TODAY}.csv"])
@pytest.mark.once
def test_an_answer_is_open_named_dated_and_licensed(client, path):
    sign(1)
    for headers in ({}, {"Accept-Encoding": "gzip, br"}):
        response = get(client, path, **headers)
        assert response.status_code == 200
        assert response["Access-Control-Allow-Origin"] == "*"
        assert "ETag" in response["Access-Control-Expose-Headers"]
        assert response["ETag"].startswith('"')
        assert response["Last-Modified"].endswith("GMT")
        assert "max-age=" in response["Cache-Control"]
        assert "stale-while-revalidate=" in response["Cache-Control"]
        assert "stale-if-error=" in response["Cache-Control"]
        assert '<https://creativecommons.org/licenses/by/4.0/>; rel="license"' in response["Link"]
        assert response["Vary"] == "Accept-Encoding"
        assert "Set-Cookie" not in response
    assert get(client, path, **{"Accept-Encoding": "gzip"})["Content-Encoding"] == "gzip"


@pytest.mark.parametrize("encoding", ["", "gzip"])
@pytest.mark.once
def test_each_encoding_has_a_strong_name_of_its_own(client, encoding):
    sign(1)
    plain = get(client, "tallies.json")
    asked = {"Accept-Encoding": encoding}
    first = get(client, "tallies.json", **asked)
    body = gzip.decompress(first.content) if encoding else first.content
    assert body == plain.content
    assert (first["ETag"] == plain["ETag"]) is (not encoding)
    again = get(client, "tallies.json", **asked, **{"If-None-Match": f'"x", {first["ETag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again["ETag"] == first["ETag"]
    assert again["Cache-Control"] == first["Cache-Control"]
    assert again["Access-Control-Allow-Origin"] == "*"


@pytest.mark.once
def test_who_knows_the_moment_only_is_told_that_nothing_changed_since(client):
    sign(1)
    first = get(client, "counter.json")
    since = {"If-Modified-Since": first["Last-Modified"]}
    assert get(client, "counter.json", **since).status_code == 304
    earlier = {"If-Modified-Since": http_date(timezone.now().timestamp() - 3600)}
    assert get(client, "counter.json", **earlier).status_code == 200


@pytest.mark.once
def test_a_changed_counter_is_sent_again(client):
    first = get(client, "counter.json")
    sign(1)
    forget()
    again = get(Client(), "counter.json", **{"If-None-Match": first["ETag"]})
    assert again.status_code == 200
    assert again.json()["total"] == 1


@pytest.mark.parametrize("path", FIXED)
@pytest.mark.once
def test_what_is_remembered_asks_the_database_nothing(client, path, django_assert_num_queries):
    get(client, path)
    with django_assert_num_queries(0):
        assert get(client, path).status_code == 200


@pytest.mark.once
def test_what_is_remembered_is_told_to_nobody_who_would_be_refused(client):
    plain = get(client, "counter.json")
    large = client.generic("GET", "/api/v1/counter.json", b"x" * 70_000)
    assert large.status_code == 413
    assert get(client, "counter.json", Host="elsewhere.example").status_code == 400
    head = client.head("/api/v1/counter.json")
    assert (head.status_code, head.content, head["ETag"]) == (200, b"", plain["ETag"])
    again = get(client, "counter.json")
    assert dict(again.headers) == dict(plain.headers)


@pytest.mark.once
def test_what_is_remembered_is_forgotten_within_seconds():
    assert pages.FRESH_SECONDS["application/json"] + history.REMEMBERED_SECONDS <= 5


@pytest.mark.once
def test_a_page_of_another_site_gets_leave_to_ask_whether_figures_changed(client):
    response = client.options(
        "/api/v1/counter.json",
        headers={
            "Origin": "https://newsroom.example",
            "Access-Control-Request-Method": "GET",
            "Access-Control-Request-Headers": "if-none-match",
        },
    )
    assert response.status_code == 204
    assert response["Allow"] == "GET, HEAD, OPTIONS"
    assert response["Access-Control-Allow-Origin"] == "*"
    assert "GET" in response["Access-Control-Allow-Methods"]
    assert "If-None-Match" in response["Access-Control-Allow-Headers"]
    assert int(response["Access-Control-Max-Age"]) >= 3600


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "TRACE"])
@pytest.mark.once
def test_nothing_can_be_done_but_read(method):
    client = Client(enforce_csrf_checks=True)
    for path in FIXED:
        response = client.generic(method, f"/api/v1/{path}")
        assert response.status_code == 405
        assert response["Allow"] == "GET, HEAD, OPTIONS"
        assert response.json()["status"] == 405


@pytest.mark.parametrize(
    ("status", "ask"),
    [
        (400, {"path": "counter.json", "content_type": "text/x; charset=latin-1", "data": b"x"}),
        (404, {"path": "nothing.json"}),
        (404, {"path": "history/2026-02-1.json"}),
        (403, {"path": "counter.json", "method": "POST", "headers": {"Origin": "https://x.example"}}),
        (412, {"path": "counter.json", "headers": {"If-Match": '"another"'}}),
        (413, {"path": "counter.json", "data": b"x" * 70_000}),
    ],
)  # fmt: skip
@pytest.mark.once
def test_whatever_is_wrong_is_told_as_a_problem(client, status, ask):
    ask = {"method": "GET"} | ask
    response = client.generic(ask.pop("method"), "/api/v1/" + ask.pop("path"), **ask)
    assert response.status_code == status
    assert response["Content-Type"] == "application/problem+json"
    assert response["Access-Control-Allow-Origin"] == "*"
    problem = response.json()
    assert problem["status"] == status
    assert problem["title"]
    assert problem["detail"]


@pytest.mark.once
def test_a_mistake_of_ours_is_told_as_a_problem(client, monkeypatch):
    def broken():
        raise RuntimeError("broken for a test")

    monkeypatch.setattr("petition.figures.api.counter", broken)
    client.raise_request_exception = False
    response = get(client, "counter.json")
    assert response.status_code == 500
    assert response["Content-Type"] == "application/problem+json"
    assert response["Access-Control-Allow-Origin"] == "*"


def test_no_answer_is_of_an_hour_that_nobody_drew_up(client):
    """The hour that has just ended is drawn up by whoever asks first."""
    assert not Hour.objects.exists()
    assert said(client, "history.json")["hours"][-1]["at"] >= f"{TODAY}"


@pytest.mark.parametrize("refused", ["gzip;q=0", "gzip; q=0.0, identity", "x-gzip", ""])
def test_who_does_not_want_it_compressed_gets_it_plain(client, refused):
    assert "Content-Encoding" not in get(client, "counter.json", **{"Accept-Encoding": refused})
    assert "Content-Encoding" not in get(client, "counter.json", **{"Accept-Encoding": refused})
    assert "Content-Encoding" in get(client, "counter.json", **{"Accept-Encoding": "br, gzip"})


def test_what_is_remembered_for_a_query_is_at_no_other_address(client):
    day = timezone.now().date()
    assert get(client, f"history.json?from={day}&to={day}").status_code == 200
    for other in (f"history.json{day}:{day}", f"history.json:{day}:{day}"):
        assert client.get(f"/api/v1/{other}").status_code == 404


@pytest.mark.parametrize("odd", ["x" * 3000, "a b", "a%0Ab", "%7F"])
def test_odd_addresses_that_nobody_has_are_answered_in_silence(client, odd):
    assert client.get(f"/api/{odd}").status_code == 404  # Warnings are errors here.
