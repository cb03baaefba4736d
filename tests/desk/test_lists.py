"""Lists of the desk: pages by key, narrowed by form, never counted and never skipped through."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from petition.letters import owing
from petition.signing import lifecycle
from tests.making import State, make_coordinator, make_signature

pytestmark = pytest.mark.django_db

LIST = "/admin/petition/signature/"


@pytest.fixture
def moderator(client):
    client.force_login(make_coordinator("moderator"))
    return client


def shown(page) -> list[int]:
    return [int(pk) for pk in re.findall(r'name="_selected_action" value="(\d+)"', _html(page))]


def link(page, rel) -> str | None:
    found = re.search(rf'href="([^"]+)" rel="{rel}"', _html(page))
    return found and found[1].replace("&amp;", "&")


def _html(page) -> str:
    assert page.status_code == 200
    return page.content.decode()


def test_every_row_is_on_exactly_one_page_forwards_and_backwards(moderator, monkeypatch):
    monkeypatch.setattr("petition.admin.reading.ReadOnlyAdmin.list_per_page", 4)
    at = timezone.now()
    # Several of the same moment, as when a program signs.
    made = [
        make_signature(f"sample{n}@example.org", signed_at=at - timedelta(minutes=n // 3)).pk
        for n in range(11)
    ]
    newest_first = sorted(made, key=lambda pk: (-(made.index(pk) // 3), pk), reverse=True)
    pages, page = [], moderator.get(LIST)
    for _ in range(10):  # A list that never ends is no list.
        pages.append(shown(page))
        older = link(page, "next")
        if not older:
            break
        page = moderator.get(LIST + older)
    assert [len(rows) for rows in pages] == [4, 4, 3]
    assert [pk for rows in pages for pk in rows] == newest_first
    back = moderator.get(LIST + link(page, "prev"))
    assert shown(back) == pages[1]
    assert shown(moderator.get(LIST + link(back, "prev"))) == pages[0]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("state=held", ["held"]),
        ("reason=automated", ["held"]),
        ("country=LB", ["lebanon"]),
        ("language=fr", ["french"]),
        ("track=fate", ["track"]),
        ("track=none", ["held", "lebanon", "french", "old"]),
        ("day=2026-03-05", ["old"]),
        ("confirmed=2026-03-06", ["old"]),
        ("channel=paper", []),
        ("channel=online&state=held&country=MA", ["held"]),
        ("country=XX", []),
        ("day=yesterday", []),
        ("day=9999-12-31", []),
        ("confirmed=0001-01-01", []),
    ],
)
def test_a_list_is_narrowed_by_each_of_its_filters(moderator, query, expected):
    rows = {
        "held": make_signature("held@example.org", State.COUNTED),
        "lebanon": make_signature("lebanon@example.org", country="LB"),
        "french": make_signature("french@example.org", language="fr"),
        "track": make_signature("track@example.org", track_id="fate"),
        "old": make_signature(
            "old@example.org", signed_at=datetime(2026, 3, 5, 23, 59, tzinfo=UTC)
        ),
    }
    lifecycle.move(rows["held"], State.HELD, reason="automated")
    lifecycle.move(rows["old"], State.COUNTED, confirmed_at=datetime(2026, 3, 6, 0, 1, tzinfo=UTC))
    found = shown(moderator.get(f"{LIST}?{query}"))
    assert sorted(found) == sorted(rows[name].pk for name in expected)


@pytest.mark.parametrize("name", ["letter", "sweep"])
def test_a_place_of_another_lists_shape_is_answered_with_the_beginning(moderator, name):
    response = moderator.get(f"/admin/petition/{name}/?after=2026-01-01~5", follow=True)
    assert response.status_code == 200


def test_the_filters_stay_while_one_turns_pages(moderator, monkeypatch):
    monkeypatch.setattr("petition.admin.reading.ReadOnlyAdmin.list_per_page", 1)
    for n in range(2):
        make_signature(f"sample{n}@example.org", country="LB")
        make_signature(f"other{n}@example.org", country="FR")
    first = moderator.get(f"{LIST}?country=LB")
    second = moderator.get(LIST + link(first, "next"))
    assert len(shown(first)) == len(shown(second)) == 1
    assert link(second, "next") is None
    assert 'value="LB" selected' in _html(second)


@pytest.mark.parametrize(
    "cursor",
    [
        "after=x",
        "after=1~2~3",
        "before=~",
        "after=2026~1",
        "after=",
        "after=0001-01-01T00:00:00%2B14:00~5",
        "before=9999-12-31T23:59:59-14:00~5",
    ],
)
def test_a_broken_place_in_a_list_is_answered_with_its_beginning(moderator, cursor):
    make_signature()
    response = moderator.get(f"{LIST}?{cursor}", follow=True)
    assert len(shown(response)) == 1


def test_a_list_counts_nothing_and_skips_nothing(moderator):
    for n in range(3):
        owing.owe(make_signature(f"sample{n}@example.org"), "confirm", "ar")
    for path in ("signature/", "signature/?state=pending", "letter/", "letter/?state=due"):
        with CaptureQueriesContext(connection) as captured:
            assert moderator.get(f"/admin/petition/{path}").status_code == 200
        statements = " ".join(query["sql"] for query in captured.captured_queries)
        assert "COUNT(" not in statements
        assert "OFFSET" not in statements
        assert len(captured) <= 25


def test_select_all_across_pages_cannot_be_posted_by_hand(moderator, monkeypatch):
    monkeypatch.setattr("petition.admin.reading.ReadOnlyAdmin.list_per_page", 1)
    first, second = (make_signature(f"s{n}@example.org", State.COUNTED) for n in range(2))
    posted = {
        "action": "hold", "_selected_action": [first.pk], "index": 0, "select_across": "1",
        "apply": "1", "reason": "other",
    }  # fmt: skip
    moderator.post(LIST, posted)
    second.refresh_from_db()
    assert second.state == State.COUNTED
