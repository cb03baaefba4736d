"""The figures for programs: what each address says, and how it says it."""

import csv
import io
import json
from datetime import UTC, datetime, time, timedelta

import pytest
from django.core.cache import caches
from django.utils import timezone

from petition.figures import history
from petition.models import Signature, Sweep
from petition.signing import lifecycle
from tests.making import State, make_case, make_signature

pytestmark = [pytest.mark.django_db, pytest.mark.once, pytest.mark.usefixtures("noon")]

FIXED = (
    "counter.json", "tallies.json", "tallies.csv", "history.json", "history.csv",
    "corrections.json", "openapi.json",
)  # fmt: skip
MIDNIGHT = datetime.combine(timezone.now().date(), time(), UTC)
TODAY = MIDNIGHT.date()
YESTERDAY = TODAY - timedelta(days=1)


def get(client, path: str, **headers):
    return client.get(f"/api/v1/{path}", headers=headers)


def said(client, path: str) -> dict:
    response = get(client, path)
    assert response.status_code == 200, response.content
    return response.json()


def lines(client, path: str) -> list[dict]:
    text = get(client, path).content.decode()
    return list(csv.DictReader(io.StringIO(text, newline="")))


def forget() -> None:
    caches["process"].clear()


def sign(how_many: int, prefix: str = "s", **fields) -> list[Signature]:
    return [
        make_signature(f"{prefix}{n}@example.org", State.COUNTED, **fields) for n in range(how_many)
    ]


@pytest.fixture
def two_days():
    """12 came before yesterday's 10 o'clock and 2 until noon; today 3 more, and one of all left."""
    first = sign(12, "a", track_id="fate")
    history.draw_up(MIDNIGHT - timedelta(hours=14))
    sign(2, "b", country="LB")
    history.draw_up(MIDNIGHT - timedelta(hours=12))
    history.draw_up(MIDNIGHT + timedelta(seconds=2))
    sign(3, "c")
    lifecycle.move(first[0], State.HELD, reason="automated")


def test_the_counter_says_what_is_counted_now(client):
    make_signature("one@example.org", State.COUNTED)
    make_signature("two@example.org")
    held = make_signature("three@example.org", State.COUNTED)
    lifecycle.move(held, State.HELD, reason="other")
    figures = said(client, "counter.json")
    assert datetime.fromisoformat(figures.pop("updated_at")).tzinfo == UTC
    assert figures == {
        "total": 1, "online": 1, "paper": 0, "goal": 1_000_000,
        "today": {"came": 2, "left": 1}, "last_24_hours": {"came": 2, "left": 1},
        "licence": "CC BY 4.0",
    }  # fmt: skip


@pytest.mark.once
def test_every_answer_says_that_its_figures_are_made_up_where_they_are(client):
    assert "sample" not in said(client, "counter.json")
    make_case(sample=True)
    forget()
    for path in ("counter.json", "tallies.json", "history.json", f"history/{TODAY}.json",
                 "corrections.json"):  # fmt: skip
        assert said(client, path)["sample"] is True


def test_each_table_adds_up_to_the_total_of_its_moment(client):
    sign(43, "a", track_id="fate")
    sign(11, "b", country="LB", language="fr")
    figures = said(client, "tallies.json")
    assert figures["total"] == 54
    assert figures["by_country"][0]["country"] in ("MA", "LB")
    assert {cell["track"] for cell in figures["by_track"]} <= {"fate", "none", "other"}
    assert {cell["language"] for cell in figures["by_language"]} <= {"ar", "fr", "other"}
    for name in ("by_country", "by_track", "by_language"):
        assert figures[name][-1][name.removeprefix("by_")] == "other"
        *shown, rest = (cell["count"] for cell in figures[name])
        assert sum(shown) + rest == 54
        assert shown == sorted(shown, reverse=True)
        assert [count for count in shown if count < 10 or count % 10] == []
    states = figures["states"]
    assert states.pop("as_of") == figures["as_of"]
    assert states.pop("received") == sum(states.values()) == 54


def test_all_but_the_counter_stands_still_until_the_hour_is_over(client):
    sign(12)
    still = ("tallies.json", "tallies.csv", f"history/{TODAY}.json", "history.json")
    before = {path: get(client, path).content for path in still}
    assert json.loads(before["tallies.json"])["by_day"][-1]["total"] == 12
    sign(12, "later")
    forget()
    assert said(client, "counter.json")["total"] == 24
    assert {path: get(client, path).content for path in still} == before


def test_days_and_hours_tell_the_same_story(client, two_days):
    by_day = said(client, "tallies.json")["by_day"]
    assert by_day[-2] == {"day": f"{YESTERDAY}", "came": 14, "left": 0, "net": 14, "total": 14}
    yesterday = said(client, f"history/{YESTERDAY}.json")
    assert yesterday["is_over"]
    assert sum(hour["came"] for hour in yesterday["hours"]) == yesterday["came"]
    assert yesterday["hours"][-1]["total"] == yesterday["total"] == 14
    span = said(client, f"history.json?from={YESTERDAY}&to={YESTERDAY}")
    assert span["hours"] == yesterday["hours"]


def test_a_day_that_is_over_never_changes_again(client, two_days):
    before = get(client, f"history/{YESTERDAY}.json")
    assert before["Cache-Control"].startswith("public, max-age=604800")
    sign(30, "later")
    forget()
    assert get(client, f"history/{YESTERDAY}.json").content == before.content


def test_today_is_kept_shortly_and_as_of_its_last_hour(client, two_days):
    response = get(client, f"history/{TODAY}.json")
    assert response["Cache-Control"].startswith("public, max-age=60,")
    figures = response.json()
    assert not figures["is_over"]
    assert sum(cell["count"] for cell in figures["by_country"]) == figures["total"]
    assert figures["total"] - 14 == figures["came"] - figures["set_aside"]


def test_days_before_the_first_and_after_today_have_no_figures(client):
    sign(1)
    said(client, f"history/{TODAY}.json")
    for day in (TODAY + timedelta(days=1), "2001-01-01", "2026-02-30", "0000-00-00"):
        for form in ("json", "csv"):
            response = get(client, f"history/{day}.{form}")
            assert response.status_code == 404
            assert response["Content-Type"] == "application/problem+json"
            assert str(day) in response.json()["detail"]


@pytest.mark.parametrize(
    ("query", "first", "last"),
    [
        ("", TODAY - timedelta(days=6), TODAY),
        ("?from=2026-03-01&to=2026-03-31", "2026-03-01", "2026-03-31"),
        ("?from=2026-03-01", "2026-03-01", "2026-03-31"),
        ("?to=2026-03-10", "2026-03-04", "2026-03-10"),
        (f"?from={TODAY}", TODAY, TODAY),
        ("?from=9999-12-31", "9999-12-31", "9999-12-31"),
        ("?to=0001-01-02", "0001-01-01", "0001-01-02"),
    ],
)
@pytest.mark.once
def test_history_is_of_the_days_that_are_asked_for(client, query, first, last):
    figures = said(client, f"history.json{query}")
    assert (figures["from"], figures["to"]) == (str(first), str(last))


@pytest.mark.once
def test_one_span_is_never_taken_for_another(client):
    for day in ("", "2026-03-01", "2026-03-02"):
        figures = said(client, f"history.json?to={day}" if day else "history.json")
        assert figures["to"] == (day or str(TODAY))


def test_what_can_still_change_is_kept_shortly(client, two_days):
    spans = {
        f"?from={YESTERDAY}&to={YESTERDAY}": "max-age=604800,",
        f"?from={YESTERDAY}&to={TODAY}": "max-age=60,",
        f"?from={TODAY + timedelta(days=1)}": "max-age=60,",
    }
    for span, lifetime in spans.items():
        assert lifetime in get(client, f"history.json{span}")["Cache-Control"]


@pytest.mark.parametrize(
    ("query", "why"),
    [
        ("from=2026-03-01&to=2026-04-01", "32 days are asked for; at most 31"),
        ("from=2026-03-02&to=2026-03-01", "'from' (2026-03-02) must not be after 'to'"),
        ("from=2026-13-01", "'from' must be one day, written as 2026-02-10."),
        ("to=20260301", "'to' must be one day"),
        ("to=2026-3-1", "'to' must be one day"),
        ("to=", "'to' must be one day"),
        ("to=٢٠٢٦-٠٣-٠١", "'to' must be one day"),
        ("from=2026-03-01&from=2026-03-02", "'from' must be one day"),
        ("form=2026-03-01", "Unknown parameter 'form'; there are 'from' and 'to'."),
    ],
)
@pytest.mark.once
def test_history_says_what_is_wrong_with_what_is_asked_for(client, query, why):
    response = get(client, f"history.json?{query}")
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    assert "no-store" in response["Cache-Control"]
    assert why in response.json()["detail"]
    assert get(client, f"history.csv?{query}").json() == response.json()


def test_what_is_drawn_up_late_still_ends_the_day_before(client):
    sign(12)
    history.draw_up(MIDNIGHT - timedelta(hours=38))
    sign(4, "night")
    history.draw_up(MIDNIGHT - timedelta(hours=19))  # At five: nobody looked in between.
    before, yesterday, _ = said(client, "tallies.json")["by_day"][-3:]
    assert (before["came"], before["total"]) == (16, 16)
    assert (yesterday["came"], yesterday["total"]) == (0, 16)
    assert said(client, f"history/{before['day']}.json")["hours"][-1]["came"] == 4
    assert said(client, f"history/{YESTERDAY}.json")["came"] == 0


def test_what_is_asked_of_an_address_without_parameters_is_passed_over(client):
    assert get(client, "counter.json?_=1709280000").status_code == 200


def test_tables_say_the_same_as_json(client, two_days):
    figures = said(client, "tallies.json")
    rows = {(row["dimension"], row["value"]): row for row in lines(client, "tallies.csv")}
    assert rows["total", ""] == {
        "dimension": "total", "value": "", "count": str(figures["total"]),
        "as_of": figures["as_of"],
    }  # fmt: skip
    for name in ("country", "track", "language"):
        found = {value: int(row["count"]) for (kind, value), row in rows.items() if kind == name}
        assert found == {cell[name]: cell["count"] for cell in figures[f"by_{name}"]}
    for row in figures["by_day"]:
        for name in ("came", "left", "net", "total"):
            assert int(rows[f"day_{name}", row["day"]]["count"]) == row[name]
    for name, count in figures["states"].items():
        if name != "as_of":
            assert int(rows["state", name]["count"]) == count
    hours = said(client, "history.json")["hours"]
    assert lines(client, "history.csv") == [
        {name: str(value) for name, value in hour.items()} for hour in hours
    ]
    day = said(client, f"history/{YESTERDAY}.json")
    rows = {
        (row["dimension"], row["value"]): row for row in lines(client, f"history/{YESTERDAY}.csv")
    }
    assert rows["came", ""]["count"] == str(day["came"])
    assert rows["hour_total", day["hours"][-1]["at"]]["count"] == str(day["hours"][-1]["total"])


@pytest.mark.once
def test_csv_is_plain_ascii_that_programs_and_spreadsheets_read(client):
    sign(12)
    content = get(client, "tallies.csv").content
    assert content.startswith(b"dimension,value,count,as_of\r\n")
    assert content.isascii()


def test_the_ledger_says_when_how_many_and_why(client):
    moment = timezone.now().replace(microsecond=0)
    Sweep.objects.create(
        reason="disposable",
        by="sample",
        made_at=moment,
        state="done",
        expected=9,
        lowered=7,
        country="MA",
    )
    figures = said(client, "corrections.json")
    (line,) = figures["corrections"]
    assert line.pop("number")
    assert line == {
        "at": f"{moment:%Y-%m-%dT%H:%M:%SZ}", "kind": "set_aside", "reason": "disposable",
        "count": -7, "rules": 1, "is_over": True,
    }  # fmt: skip
    assert figures["rules"] == {"version": 1}
