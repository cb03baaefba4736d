"""The front page of the desk."""

import re
from datetime import date, timedelta

import pytest
from django.utils import timezone

from petition.desk import overview
from petition.letters import owing
from petition.models import Letter, Tally
from petition.paper import sheets
from petition.signing import lifecycle
from tests.making import State, make_coordinator, make_signature

pytestmark = pytest.mark.django_db


def front_page(client, language="en") -> str:
    return client.get("/admin/", headers={"Accept-Language": language}).content.decode()


def figure(page, label) -> str:
    tile = page[page.index(f">{label}<") :]
    return re.search(r"<bdi>([^<]+)</bdi>", tile)[1]


def test_the_front_page_says_what_waits_and_leads_to_it(client):
    client.force_login(make_coordinator("moderator"))
    make_signature("counted@example.org", State.COUNTED)
    held = make_signature("held@example.org")
    lifecycle.move(held, State.HELD, reason="other")
    bounced, due = (make_signature(f"p{n}@example.org") for n in range(2))
    owing.owe(bounced, "confirm", "ar")
    Letter.objects.update(state="refused", ended_at=timezone.now())
    owing.owe(due, "confirm", "ar")
    page = front_page(client)
    labels = ("Counted online today", "Counted online, in all", "Pending", "Suspended",
              "E-mails waiting", "Bounced e-mails")  # fmt: skip
    assert [figure(page, label) for label in labels] == ["1", "1", "2", "1", "1", "1"]
    for query in ("signature/?state=held", "letter/?state=refused", "letter/?state=due"):
        assert f'href="/admin/petition/{query}"' in page
        listed = client.get(f"/admin/petition/{query}").content.decode()
        assert listed.split("<tbody>")[1].count("<tr>") == 1


def test_sheets_that_wait_are_on_the_front_page(client):
    client.force_login(make_coordinator("paper"))
    first, second = make_coordinator(username="first"), make_coordinator(username="second")
    once, differing, _blank = sheets.make("ar", 3, first)
    count = {"country": "MA", "date": date(2026, 3, 1), "struck": 0}
    sheets.enter(once.number, first, valid=5, **count)
    sheets.enter(differing.number, first, valid=5, **count)
    sheets.enter(differing.number, second, valid=6, **count)
    page = front_page(client)
    assert figure(page, "Sheets to count again") == "1"
    assert figure(page, "Sheets in conflict") == "1"
    listed = client.get("/admin/petition/sheet/?state=conflict").content.decode()
    assert str(differing.number) in listed
    assert str(once.number) not in listed


def test_what_was_counted_on_paper_stands_apart_from_what_was_counted_online(client):
    client.force_login(make_coordinator("paper"))
    make_signature(state=State.COUNTED)
    people = [make_coordinator(username=name) for name in ("first", "second")]
    (sheet,) = sheets.make("ar", 1, people[0])
    for person in people:
        sheets.enter(
            sheet.number, person, country="MA", date=timezone.now().date(), valid=12, struck=0
        )
    page = front_page(client)
    assert figure(page, "Counted online today") == figure(page, "Counted online, in all") == "1"
    assert figure(page, "Counted on paper today") == "12"
    assert figure(page, "Counted on paper, in all") == "12"


def test_every_day_of_thirty_has_its_bar_and_its_row():
    today = timezone.now().date()
    Tally.objects.create(dimension="day", value=str(today - timedelta(days=29)), slot=0, count=4)
    Tally.objects.create(dimension="day", value=str(today - timedelta(days=30)), slot=0, count=9)
    Tally.objects.create(dimension="day", value=str(today), slot=1, count=3, channel="paper")
    Tally.objects.create(dimension="day", value=str(today), slot=0, count=2)
    days = overview.days(today)
    assert len(days) == 30
    assert [days[0].count, days[1].count, days[-1].count] == [4, 0, 5]


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_the_chart_has_its_figures_in_a_table(client, language):
    client.force_login(make_coordinator("press"))
    make_signature(state=State.COUNTED)
    page = front_page(client, language)
    assert page.count("<rect") == 30
    table = page[page.index("<details>") : page.index("</details>")]
    assert table.count("<tr>") == 31
    assert str(timezone.now().date()) in table


def test_who_may_not_see_rows_sees_the_figures_without_a_way_to_them(client):
    client.force_login(make_coordinator("press"))
    page = front_page(client)
    assert figure(page, "Suspended") == "0"
    assert "/admin/petition/signature/" not in page
    assert "/admin/petition/export/tallies/" in page


def test_a_long_queue_is_not_counted_to_its_end(monkeypatch):
    monkeypatch.setattr(overview, "COUNTED_UP_TO", 2)
    for n in range(4):
        owing.owe(make_signature(f"sample{n}@example.org"), "confirm", "ar")
    queue = overview.letters_due()
    assert (queue.shown, queue.or_more) == (2, True)


def test_who_has_no_rows_to_read_is_not_told_of_a_refusal(client):
    client.force_login(make_coordinator("press"))
    assert "permission" not in front_page(client)
