"""At one moment every page, file and picture says the same, and it is what a recount finds."""

import csv
import io
import re
from datetime import date

import pytest
from django.core.cache import caches
from django.db.models import Sum
from django.utils import timezone

from petition.figures import history
from petition.models import Sheet, Signature
from petition.paper import sheets
from petition.signing import lifecycle, tallies
from tests.making import State, make_coordinator, make_signature

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]


TODAY = timezone.now().date()


def page(client, address: str) -> str:
    return client.get(address).content.decode()


def said(client, path: str) -> dict:
    return client.get(f"/api/v1/{path}").json()


def table(client, path: str) -> dict[str, int]:
    text = page(client, f"/api/v1/{path}")
    rows = csv.DictReader(io.StringIO(text, newline=""))
    return {row["dimension"]: int(row["count"]) for row in rows if row["value"] in ("", str(TODAY))}


def last_hour(client) -> int:
    lines = page(client, "/api/v1/history.csv").splitlines()
    return int(lines[-1].split(",")[lines[0].split(",").index("total")])


def example(client, path: str) -> dict:
    answer = said(client, "openapi.json")["paths"][path]["get"]["responses"]["200"]
    return answer["content"]["application/json"]["example"]


def on_page(client, address: str) -> int:
    shown = re.search(r'class="counter__total">\s*<bdi>([0-9,.\s]+)</bdi>', page(client, address))
    return int(re.sub(r"\D", "", shown[1]))


def shown(client, address: str, before: str, after: str = "<") -> int:
    """The number that stands between two pieces of a page."""
    (found,) = re.findall(rf"{before}([0-9]+){after}", re.sub("</?bdi>", "", page(client, address)))
    return int(found)


def received(client) -> int:
    """What the page on which all adds up calls counted."""
    return shown(client, "/en/counter/figures/", r"<b>Counted</b>.*?<b>")


TOTALS = {
    "the counter": lambda client: on_page(client, "/en/counter/"),
    "the counter in Arabic": lambda client: on_page(client, "/ar/counter/"),
    "the counter in French": lambda client: on_page(client, "/fr/counter/"),
    "what adds up": received,
    "a frame": lambda client: shown(client, "/embed/ar/counter/", "<strong>"),
    "a badge": lambda client: shown(client, "/fr/counter.svg", r'font-size="36"[^>]*>'),
    "a quotation": lambda client: shown(client, "/en/press/", "prisons had ", " confirmed"),
    "home": lambda client: on_page(client, "/en/"),
    "home in Arabic": lambda client: on_page(client, "/ar/"),
    "counter.json": lambda client: said(client, "counter.json")["total"],
    "tallies.json": lambda client: said(client, "tallies.json")["total"],
    "tallies.json, last day": lambda client: said(client, "tallies.json")["by_day"][-1]["total"],
    "tallies.json, states": lambda client: said(client, "tallies.json")["states"]["counted"],
    "tallies.csv": lambda client: table(client, "tallies.csv")["total"],
    "tallies.csv, last day": lambda client: table(client, "tallies.csv")["day_total"],
    "history.json": lambda client: said(client, "history.json")["hours"][-1]["total"],
    "history.csv": last_hour,
    "a day": lambda client: said(client, f"history/{TODAY}.json")["total"],
    "a day as CSV": lambda client: table(client, f"history/{TODAY}.csv")["total"],
    "OpenAPI, counter": lambda client: example(client, "/counter.json")["total"],
    "OpenAPI, tallies": lambda client: example(client, "/tallies.json")["total"],
    "OpenAPI, day": lambda client: example(client, "/history/{day}.json")["total"],
}
TABLES = {
    f"{source}, {name}": (read, name)
    for source, read in {
        "tallies": lambda client: said(client, "tallies.json"),
        "a day": lambda client: said(client, f"history/{TODAY}.json"),
        "OpenAPI": lambda client: example(client, "/tallies.json"),
    }.items()
    for name in ("by_country", "by_track", "by_language")
}


@pytest.fixture
def counted() -> int:
    """Online and on paper, with some that left: how many signatures the rows themselves tell."""
    signed = [
        make_signature(f"s{n}@example.org", State.COUNTED, country="MA" if n % 3 else "LB")
        for n in range(40)
    ]
    make_signature("pending@example.org")
    lifecycle.move(signed[0], State.HELD, reason="automated")
    lifecycle.move(signed[1], State.WITHDRAWN, **Signature.ERASED)
    first, second = (make_coordinator("paper", username=name) for name in ("first", "second"))
    (sheet,) = sheets.make("fr", 1, first)
    lines = {"country": "FR", "place": "Paris", "date": date(2026, 3, 31), "collector": "K7",
             "valid": 17, "struck": 2}  # fmt: skip
    for person in (first, second):
        sheets.enter(sheet.pk, person, **lines)
    caches["process"].clear()
    assert tallies.recount() == []
    lines = Sheet.objects.counted().aggregate(lines=Sum("valid"))["lines"]
    return Signature.objects.counted().count() + lines


def test_every_total_is_what_a_recount_finds(client, counted):
    assert counted == 38 + 17
    assert {name: read(client) for name, read in TOTALS.items()} == dict.fromkeys(TOTALS, counted)


def test_every_table_adds_up_to_that_total(client, counted):
    sums = {
        name: sum(cell["count"] for cell in read(client)[by]) for name, (read, by) in TABLES.items()
    }
    assert sums == dict.fromkeys(TABLES, counted)


@pytest.mark.parametrize("name", ["country", "track", "language"])
def test_the_page_has_the_numbers_of_the_tables(client, counted, name):
    places = {"country": "countries", "track": "tracks", "language": "languages"}
    text = re.sub("</?bdi>", "", page(client, "/en/counter/"))
    section = text.partition(f'id="{places[name]}"')[2].partition("</section>")[0]
    numbers = re.findall(r"<td>([0-9,]+)</td>", section)
    cells = said(client, "tallies.json")[f"by_{name}"]
    assert sorted(int(n) for n in numbers) == sorted(cell["count"] for cell in cells)
    assert {tables["count"] for tables in said(client, f"history/{TODAY}.json")[f"by_{name}"]} == {
        cell["count"] for cell in cells
    }


def test_each_source_tells_online_and_paper_apart(client, counted):
    for path in ("counter.json", "tallies.json", f"history/{TODAY}.json"):
        figures = said(client, path)
        assert (figures["online"], figures["paper"]) == (38, 17)


def test_what_came_less_what_left_is_the_total(client, counted):
    today = said(client, "counter.json")["today"]
    assert today["came"] - today["left"] == counted
    assert history.now().today.net == counted
    day = said(client, f"history/{TODAY}.json")
    left = day["withdrawn"] + day["set_aside"] + day["taken_out"]
    assert (day["came"], left) == (today["came"], today["left"])
