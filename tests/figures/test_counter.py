"""The page of the count: one moment's figures, in numbers, charts and a map."""

import re
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from django.core.cache import caches
from django.utils import timezone, translation

from petition.figures import history
from petition.models import Hour, Mend, Sweep
from petition.paper import sheets
from petition.signing import lifecycle, tallies
from petition.templatetags import counter as tags
from petition.views import counter as views
from tests.making import State, make_case, make_coordinator, make_signature

pytestmark = [pytest.mark.django_db, pytest.mark.once]

DIRECTIONS = {"ar": "rtl", "fr": "ltr", "en": "ltr"}


def count(how_many: int, named: str = "signer", **fields) -> list:
    return [
        make_signature(f"{named}{n}@example.org", State.COUNTED, **fields) for n in range(how_many)
    ]


def count_on_paper(valid: int):
    people = [make_coordinator(username=name) for name in ("first", "second")]
    (sheet,) = sheets.make("ar", 1, people[0])
    for person in people:
        day = timezone.now().date()
        sheets.enter(sheet.number, person, country="MA", date=day, valid=valid, struck=0)
    return sheet


def page(client, path: str = "/en/counter/") -> str:
    caches["process"].clear()
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


def section(text: str, name: str) -> str:
    return text.partition(f'<section id="{name}"')[2].partition("</section>")[0]


def table(text: str) -> list[list[str]]:
    """The rows of the tables in a text, as words."""
    rows = re.findall(r"<tr[^>]*>(.*?)</tr>", text, re.DOTALL)
    cells = (re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in rows)
    return [[re.sub(r"<[^>]+>", " ", cell).strip() for cell in row] for row in cells]


def test_the_page_says_the_figure_of_now_online_and_on_paper_apart(client):
    count(3)
    count_on_paper(valid=5)
    text = page(client)
    assert '<p class="counter__total"><bdi>8</bdi></p>' in text
    rows = table(section(text, "channels"))
    assert rows[1:3] == [["On paper", "5", "62.5%"], ["Online", "3", "37.5%"]]


def test_it_says_what_came_today_what_left_and_why(client):
    history.draw_up()
    signers = count(6)
    lifecycle.move(signers[0], State.WITHDRAWN, **signers[0].ERASED)
    lifecycle.move(signers[1], State.HELD, reason="other")
    rows = table(section(page(client), "flow"))
    assert [row[1] for row in rows[1:]] == ["6", "1", "1", "0", "+4"]
    assert [row[2] for row in rows[1:]] == ["6", "1", "1", "0", "+4"]
    assert "gone down today" not in page(client)


def test_a_count_that_falls_says_so_and_leads_to_the_reasons(client):
    signers = count(3)
    history.draw_up(timezone.now() - timedelta(days=1))
    history.draw_up()
    for signer in signers[:2]:
        lifecycle.move(signer, State.REJECTED, reason="disposable")
    flow = section(page(client), "flow")
    assert table(flow)[-1][1] == "-2"
    assert "The count has gone down today" in flow
    assert 'href="/en/counter/figures/#corrections"' in flow


@pytest.mark.parametrize("language", DIRECTIONS)
def test_every_number_of_a_chart_is_in_its_table(client, language):
    now = timezone.now()
    for hours in (3, 2, 1):
        history.draw_up(now - timedelta(hours=hours))
        count(hours, f"h{hours}-")
    history.draw_up(now)
    text = page(client, f"/{language}/counter/")
    for name, moments in (("days", views.last_days(history.now())), ("hours", views.last_hours())):
        shown = section(text, name)
        assert shown.count('class="chart__came"') == len(moments)
        rows = table(shown)[1:]
        assert [row[1] for row in rows] == [str(m.flow.came) for m in reversed(moments)]
        assert [row[2] for row in rows] == [str(m.flow.left) for m in reversed(moments)]
    assert [row[1] for row in table(section(text, "hours"))[1:4]] == ["1", "2", "3"]


def test_tables_by_country_track_and_language_add_up_to_the_total_of_their_hour(client):
    count(25, country="MA", track_id="fate")
    count(13, "other", country="LB", language="fr")
    count(4, "few", country="IS")
    text = page(client)
    drawn = history.now().drawn
    for name in ("countries", "tracks", "languages"):
        rows = [row for row in table(section(text, name)) if row[1].isdigit()]
        assert sum(int(row[1]) for row in rows) == drawn.total == 42
        assert all(int(row[1]) % 10 == 0 for row in rows[:-1])
    assert "Iceland" not in text
    assert table(section(text, "countries"))[1][0] == "Morocco"
    assert "Their total is <bdi>42</bdi>" in text


def test_long_tables_fold(client):
    for code in (
        "MA",
        "LB",
        "PS",
        "EG",
        "TN",
        "ES",
        "BE",
        "FR",
        "DE",
        "IT",
        "SE",
        "NO",
        "FI",
        "JP",
    ):
        count(21, code, country=code)
    shown = section(page(client), "countries")
    open_part, _, folded = shown.partition("<details")
    assert 'id="countries-more"' in folded
    assert len(table(open_part)) == 1 + 12 + 1
    assert 1 <= len(table(folded)[1:]) <= 2


@pytest.mark.parametrize(
    ("moment", "utc", "rabat"),
    # Morocco's clock goes back by an hour in Ramadan, which began on 18 February 2026.
    [(datetime(2026, 7, 1, 14, 5, tzinfo=UTC), "14:05", "15:05"),
     (datetime(2026, 3, 1, 23, 30, tzinfo=UTC), "23:30", "23:30")],
)  # fmt: skip
def test_moments_are_told_in_utc_and_by_the_clock_of_rabat(moment, utc, rabat):
    assert f">{utc}</time>" in tags.utc_clock(moment)
    assert f">{rabat}</time>" in tags.rabat_clock(moment)


def test_a_change_is_told_with_its_sign():
    with translation.override("fr"):
        assert [re.sub(r"<[^>]+>", "", tags.change(n)) for n in (12_000, 0, -3)] == [
            "+12\u202f000", "0", "-3",
        ]  # fmt: skip
    with translation.override("ar"):
        assert tags.change(5) == '<bdi dir="ltr">+5</bdi>'


def test_the_page_costs_no_statement_once_it_is_warm(client, django_assert_num_queries):
    count(2)
    client.get("/fr/counter/")
    with django_assert_num_queries(0):
        assert client.get("/fr/counter/").status_code == 200


def test_caches_keep_the_count_for_seconds_and_the_map_for_minutes(client):
    assert "max-age=5," in client.get("/ar/counter/")["Cache-Control"]
    assert "max-age=300" in client.get("/ar/counter/map.svg")["Cache-Control"]
    assert "max-age=60" in client.get("/ar/counter/figures/")["Cache-Control"]


@pytest.mark.parametrize("language", DIRECTIONS)
def test_the_page_is_light(client, language):
    for code in (
        "MA",
        "LB",
        "PS",
        "EG",
        "TN",
        "ES",
        "BE",
        "FR",
        "DE",
        "IT",
        "SE",
        "NO",
        "FI",
        "JP",
    ):
        count(21, code, country=code)
    caches["process"].clear()
    response = client.get(f"/{language}/counter/", headers={"Accept-Encoding": "gzip"})
    assert response["Content-Encoding"] == "gzip"
    assert len(response.content) < 14_000


@pytest.mark.parametrize("language", DIRECTIONS)
def test_the_map_shades_the_countries_that_the_table_names(client, language):
    count(35, country="MA")
    count(12, "other", country="LB")
    count(4, "few", country="IS")
    caches["process"].clear()
    response = client.get(f"/{language}/counter/map.svg")
    text = response.content.decode()
    assert response["Content-Type"].startswith("image/svg+xml")
    name = {"ar": "المغرب", "fr": "Maroc", "en": "Morocco"}[language]
    assert f'<g class="one s1"><title>{name}: 30</title><path' in text
    assert text.count('<g class="one') == 1 + ("LB" in history.now().drawn.country.shown)
    assert ('direction="rtl"' in text) == (language == "ar")
    number = {"ar": "10,000", "fr": "10\u202f000", "en": "10,000"}[language]
    assert number in text
    assert len(text) < 45_000
    zipped = client.get(f"/{language}/counter/map.svg", headers={"Accept-Encoding": "gzip"})
    assert len(zipped.content) < 15_000


def test_the_style_of_the_map_is_the_only_one_that_its_policy_lets_in(client):
    response = client.get("/en/counter/map.svg")
    policy = response["Content-Security-Policy"]
    (styles,) = re.findall(r"style-src([^;]*)", policy)
    assert styles.split() == ["'self'", f"'sha256-{views.MAP_POLICY}'"]
    assert "unsafe" not in policy
    assert f"<style>{views.MAP_STYLE}</style>" in response.content.decode()


def luminance(colour: str) -> float:
    digits = colour if len(colour) == 6 else "".join(d * 2 for d in colour)
    parts = [int(digits[n : n + 2], 16) / 255 for n in (0, 2, 4)]
    parts = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def test_the_shades_of_the_map_differ_also_without_colour():
    light, _, dark = views.MAP_STYLE.partition("@media(prefers-color-scheme:dark)")
    for style, is_dark in ((light, False), (dark, True)):
        fills = dict(re.findall(r"\.(land|s\d)\{fill:#([0-9a-f]+)", style))
        shades = [luminance(fills[name]) + 0.05 for name in ("land", "s1", "s2", "s3", "s4", "s5")]
        assert shades == sorted(shades, reverse=not is_dark)
        ratios = [max(a, b) / min(a, b) for a, b in pairwise(shades)]
        assert min(ratios) >= 1.3, ratios


def test_pictures_say_that_their_figures_are_samples(client):
    assert "Sample data" not in page(client, "/en/counter/map.svg")
    make_case("en", sample=True)
    assert "<text" in page(client, "/en/counter/map.svg").partition("Sample data")[0]
    assert '<p class="live__sample">' in page(client)


def test_received_is_the_sum_of_the_states_and_counted_of_the_channels(client):
    count(13)
    count_on_paper(valid=5)
    for n in range(20):  # Whole tens: what lies between them is rounded by chance.
        make_signature(f"pending{n}@example.org")
    for n in range(10):
        make_signature(f"held{n}@example.org", State.HELD)
    rows = {
        re.split(r"\s+(?=[A-Z])", row[0])[0]: int(row[1])
        for row in table(page(client, "/en/counter/figures/").partition("</section>")[0])[1:]
    }
    assert rows == {
        "Online": 13, "On paper": 5, "Counted": 18, "Pending": 20, "Suspended": 10, "Rejected": 0,
        "Withdrawn": 0, "Expired": 0, "Received": 48,
    }  # fmt: skip


def test_counted_is_online_and_paper_of_the_same_moment(client, noon):
    count(3)
    text = page(client, "/en/counter/figures/")
    count(4, "later")
    history.draw_up(noon + timedelta(hours=1))
    later = page(client, "/en/counter/figures/")
    first = "".join(table(text.partition("</section>")[0])[1:4][n][1] for n in range(3))
    again = "".join(table(later.partition("</section>")[0])[1:4][n][1] for n in range(3))
    assert first == again == "303"


PAGES = (
    "counter/", "counter/figures/", "counter/map.svg", "counter.svg", "signed/",
)  # fmt: skip
FILES = ("counter.json", "tallies.json", "tallies.csv", "history.json", "history.csv")


@pytest.mark.parametrize("address", [f"/en/{x}" for x in PAGES] + [f"/api/v1/{x}" for x in FILES])
def test_figures_stand_where_the_database_is_behind_what_a_process_remembers(client, address):
    """As after a restore to a moment before."""
    count(3)
    history.now()
    Hour.objects.all().delete()
    assert client.get(address).status_code == 200


def test_each_correction_says_when_what_why_and_how_many(client):
    history.draw_up()
    sweep = Sweep.objects.create(
        country="MA", reason="disposable", by="sample", expected=12, state=Sweep.State.DONE,
        lowered=12, rules=tallies.RULES,
    )  # fmt: skip
    Mend.objects.create(count=3, rules=tallies.RULES)
    rows = table(page(client, "/en/counter/figures/").partition('id="corrections"')[2])[1:]
    assert [row[1:] for row in rows] == [
        ["Recounted", "the counter did not say what the signatures said", "+3", "version 1"],
        [f"Set aside  ({sweep.pk})", "disposable addresses", "-12", "version 1"],
    ]


def test_the_ledger_turns_pages_and_loses_no_line(client, monkeypatch):
    monkeypatch.setattr(views, "CORRECTIONS_A_PAGE", 2)
    for n in range(1, 6):
        Mend.objects.create(count=n, rules=1, made_at=timezone.now() - timedelta(days=n))
    found, path = [], "/en/counter/figures/"
    while path:
        text = page(client, path)
        found += [row[3] for row in table(text.partition('id="corrections"')[2])[1:]]
        older = re.search(r'href="(\?before=[^"#]+)#corrections" rel="next"', text)
        path = older and f"/en/counter/figures/{older[1]}"
    assert found == ["+1", "+2", "+3", "+4", "+5"]
    assert client.get("/en/counter/figures/?before=recount-999").status_code == 404


def test_there_may_be_no_correction_yet(client):
    assert "There has been none so far." in page(client, "/en/counter/figures/")


@pytest.mark.parametrize("path", ["", "counter/", "counter/figures/"])
def test_the_count_is_found_from_every_page(client, path):
    assert 'href="/fr/counter/"' in page(client, f"/fr/{path}")


def test_the_count_at_home_leads_to_its_page(client):
    main = page(client, "/ar/").partition("<main")[2].partition("</main>")[0]
    assert 'href="/ar/counter/"' in main


def test_search_engines_learn_of_the_count(client):
    text = client.get("/sitemap.xml").content.decode()
    assert "http://testserver/ar/counter/</loc>" in text
    assert "http://testserver/en/counter/figures/</loc>" in text


def test_the_days_of_the_table_and_the_files_are_really_there(client):
    count(3)
    addresses = set()
    for path in ("/en/counter/", "/en/counter/figures/"):
        main = page(client, path).partition("<main")[2].partition("</main>")[0]
        addresses |= set(re.findall(r'(?:href|src)="(/(?!static/)[^"#?]+)"', main))
    assert {"/api/v1/tallies.csv", "/api/v1/history.csv", "/api/v1/corrections.json"} <= addresses
    assert f"/api/v1/history/{timezone.now().date()}.json" in addresses
    assert {path: client.get(path).status_code for path in addresses} == dict.fromkeys(
        addresses, 200
    )
