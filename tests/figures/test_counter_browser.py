"""The live count in a real Chromium: it follows, is patient, speaks rarely and fills the screen."""

import re
from datetime import timedelta

import pytest
from django.core.cache import caches
from django.utils import timezone

from petition.figures import history
from petition.models import Mend
from tests.accessibility import violations
from tests.browsing import WATCH_SHIFTS
from tests.making import State, make_case, make_signature

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("committed")]

LANGUAGES = ["ar", "fr", "en"]
JSON = "**/api/v1/counter.json"


def count(how_many: int, named: str = "signer", **fields) -> None:
    for n in range(how_many):
        make_signature(f"{named}{n}@example.org", State.COUNTED, **fields)
    caches["process"].clear()


def draw_a_past() -> None:
    """Hours and countries, so that every chart and table has something to show."""
    for hours in (3, 2, 1, 0):
        history.draw_up(timezone.now() - timedelta(hours=hours))
        count(12, f"h{hours}-", country=("MA", "LB", "FR", "PS")[hours])
    caches["process"].clear()


def opened(open_page, path="/en/counter/", **options):
    """The page under a clock that stands still unless it is moved, and what it asks for."""
    page = open_page(**options)
    page.clock.install(time=timezone.now())
    asked = []
    page.on("response", lambda a: asked.append(a.status) if "counter.json" in a.url else None)
    page.goto(path)
    page.clock.pause_at(timezone.now() + timedelta(minutes=1))
    all_arrived(page)
    asked.clear()
    return page, asked


def all_arrived(page) -> None:
    """Wait until nothing is under way: a figure that is still on its way was made before what the
    test does next, and the server would remember it."""
    for _ in range(1_000):
        page.evaluate("() => fetch('/healthz').then(answer => answer.text())")
        if not page.under_way:
            return
    raise AssertionError([request.url for request in page.under_way])


def pass_seconds(page, seconds: float) -> None:
    """Let time pass and what is under way arrive, step by step as it would."""
    for _ in range(round(seconds / 5)):
        page.clock.run_for(5_000)
        all_arrived(page)


def until_it_shows(page, total: str) -> None:
    """Let time pass until the figure has run to its end. That an answer has arrived does not say
    that the page has read it: time that passed before that would not move the figure."""
    for _ in range(100):
        page.clock.run_for(1_000)
        if page.inner_text(".counter__total") == total:
            return
    raise AssertionError(page.inner_text(".counter__total"))


def test_an_unchanged_figure_is_not_sent_again(open_page):
    page, asked = opened(open_page)
    pass_seconds(page, 35)
    assert asked[0] in (200, 304)
    assert set(asked[1:]) == {304}
    assert 3 <= len(asked) <= 4


def clocks(page) -> list[str]:
    """What the clocks of UTC and of Rabat say."""
    return page.locator(".live time[data-offset]").all_inner_texts()


def minutes(text: str) -> int:
    hours, rest = re.search(r"(\d\d):(\d\d)", text).groups()
    return int(hours) * 60 + int(rest)


def apart(page) -> int:
    utc, rabat = map(minutes, clocks(page))
    return (rabat - utc) % (24 * 60)


@pytest.mark.parametrize("language", LANGUAGES)
def test_figure_bar_and_share_follow_and_time_is_told_in_three_zones(open_page, language):
    page, _ = opened(open_page, f"/{language}/counter/", timezone_id="Asia/Tokyo")
    here = page.inner_text(".live [data-here]")
    assert re.search(r"\d\d:\d\d", here)
    there = apart(page)
    assert there in (0, 60)
    assert minutes(here) - minutes(clocks(page)[0]) in (9 * 60, 9 * 60 - 24 * 60)
    count(1234 // 100, "later")
    pass_seconds(page, 15)
    until_it_shows(page, "12")
    assert apart(page) == there  # The script has Rabat's clock from the page.
    assert page.locator(".counter__bar").evaluate("e => e.value") == 12
    assert page.inner_text(".counter__goal bdi >> nth=0").strip("\u200e\u200f").startswith("0")
    assert page.inner_text(".counter__goal bdi >> nth=1").startswith("1")


def test_the_figure_runs_where_motion_is_welcome_and_jumps_where_it_is_not(open_page):
    frames = """() => { window.seen = new Set(); new MutationObserver(() =>
        window.seen.add(document.querySelector('.counter__total').textContent)
    ).observe(document.querySelector('.counter__total'),
              { subtree: true, childList: true, characterData: true }) }"""
    seen = {}
    for motion in ("no-preference", "reduce"):
        page, _ = opened(open_page, reduced_motion=motion)
        page.evaluate(frames)
        count(40, motion)
        pass_seconds(page, 15)
        until_it_shows(page, {"no-preference": "40", "reduce": "80"}[motion])
        seen[motion] = page.evaluate("[...window.seen]")
    assert len(seen["no-preference"]) > 3
    assert seen["no-preference"][-1] == "40"
    assert seen["reduce"] == ["80"]


def test_it_asks_less_and_less_while_there_is_no_answer_and_says_so(open_page):
    page, _ = opened(open_page)
    tried = []
    page.route(JSON, lambda route: (tried.append(1), route.abort()))
    pass_seconds(page, 75)
    assert len(tried) == 3  # After 10, 20 and 40 seconds more.
    assert "No connection" in page.inner_text("[data-wrong]")
    pass_seconds(page, 900)
    assert 6 <= len(tried) <= 8
    tried_before = len(tried)
    pass_seconds(page, 600)
    assert len(tried) - tried_before == 2  # Every five minutes, and no less often.
    page.unroute(JSON)
    count(2)
    with page.expect_response(JSON):
        page.evaluate("dispatchEvent(new Event('online'))")
    until_it_shows(page, "2")
    assert not page.locator("[data-wrong]").is_visible()


def test_it_waits_while_nobody_looks_and_asks_at_once_when_somebody_does(open_page):
    page, asked = opened(open_page)
    hide = """hidden => { Object.defineProperty(document, 'hidden',
        { value: hidden, configurable: true });
        document.dispatchEvent(new Event('visibilitychange')) }"""
    page.evaluate(hide, True)
    page.evaluate("dispatchEvent(new Event('online'))")
    pass_seconds(page, 60)
    assert asked == []
    count(3)
    with page.expect_response(JSON):
        page.evaluate(hide, False)
    until_it_shows(page, "3")


def test_on_a_slow_or_dear_line_it_asks_less_often(open_page):
    page = open_page()
    page.add_init_script(
        "Object.defineProperty(navigator, 'connection', { value: { saveData: true } })"
    )
    page.clock.install(time=timezone.now())
    asked = []
    page.on("request", lambda r: asked.append(1) if "counter.json" in r.url else None)
    page.goto("/en/counter/")
    pass_seconds(page, 300)
    assert 4 <= len(asked) <= 6


def test_screen_readers_hear_of_it_at_most_once_a_minute(open_page):
    page, _ = opened(open_page)
    page.evaluate("""() => { window.said = []; new MutationObserver(() =>
        window.said.push(document.querySelector('[data-said]').textContent)
    ).observe(document.querySelector('[data-said]'), { childList: true, subtree: true }) }""")
    assert page.locator(".counter__total").evaluate("e => !e.closest('[aria-live], [role=status]')")
    assert page.locator("[data-said]").get_attribute("role") == "status"
    for n in range(6):
        count(1, f"a{n}-")
        pass_seconds(page, 20)
    said = page.evaluate("window.said")
    assert 1 <= len(said) <= 2
    assert said[-1].startswith("Confirmed signatures: ")


def test_charts_and_tables_follow_and_stay_as_they_were_opened(noon, open_page):
    draw_a_past()
    page, _ = opened(open_page)
    page.evaluate("document.getElementById('days-table').open = true")
    pass_seconds(page, 60)
    count(7, "fresh")
    pass_seconds(page, 15)
    page.locator("#flow tbody td", has_text="55").first.wait_for()
    assert page.locator("#days-table").evaluate("e => e.open")
    assert page.locator("#days-table tbody td").first.inner_text() == "55"


def test_what_came_too_early_is_said_and_shown_later_all_the_same(open_page):
    """Within a minute of the last time nothing is said; after it no new figure may come."""
    draw_a_past()
    page, _ = opened(open_page)
    pass_seconds(page, 60)
    count(7, "fresh")
    pass_seconds(page, 15)
    first = page.inner_text("[data-said]")
    assert first.startswith("Confirmed signatures: ")
    count(1, "last")
    pass_seconds(page, 15)
    assert page.inner_text("[data-said]") == first
    pass_seconds(page, 140)
    page.locator("#flow tbody td", has_text="56").first.wait_for()
    assert page.inner_text("[data-said]") not in ("", first)


def test_the_whole_screen_of_a_studio_shows_what_it_is_and_where_it_comes_from(open_page):
    make_case("en", sample=True)  # That it says so takes its own place.
    caches["process"].clear()
    for width, height in ((1920, 1080), (1080, 1920), (1280, 720)):
        page = open_page(viewport={"width": width, "height": height})
        page.goto("/fr/counter/")
        page.evaluate("document.querySelector('.counter__total bdi').textContent = '1 000 000'")
        page.click("[data-full-screen]")
        page.locator(".live:fullscreen").wait_for()
        figure = page.locator(".counter__total bdi").bounding_box()
        assert figure["width"] > width * 0.7
        # A person of good sight reads at ten metres what is 3 % of a screen of 1.2 m in height.
        for name in (
            ".live__sample",
            ".live__name",
            ".counter__title",
            ".counter__goal",
            ".live__address",
        ):
            assert page.locator(name).is_visible()
            size = page.locator(name).evaluate("e => parseFloat(getComputedStyle(e).fontSize)")
            assert size >= min(width, height) * 0.03
        assert page.inner_text(".live__address").endswith("/fr/counter/")
        spread = page.locator(".live").evaluate(
            "e => [e.scrollWidth - e.clientWidth, e.scrollHeight - e.clientHeight]"
        )
        assert max(spread) <= 0
        assert violations(page) == []
        page.keyboard.press("Escape")
        page.evaluate("document.fullscreenElement && document.exitFullscreen()")
        page.locator(".live:not(:fullscreen)").wait_for()
        assert not page.locator(".live__name").is_visible()


def test_without_a_full_screen_there_is_no_button_for_it(open_page):
    page = open_page()
    page.add_init_script(
        "Object.defineProperty(Document.prototype, 'fullscreenEnabled', { get: () => false })"
    )
    page.goto("/ar/counter/")
    assert not page.locator("[data-full-screen]").is_visible()


@pytest.mark.parametrize("language", LANGUAGES)
def test_without_javascript_everything_is_there(phone, language):
    draw_a_past()
    for width in (320, 360):
        phone.set_viewport_size({"width": width, "height": 740})
        for path in ("counter/", "counter/figures/"):
            phone.goto(f"/{language}/{path}")
            for details in phone.locator("summary").all():
                details.click()
            box = phone.locator("html").evaluate("e => [e.scrollWidth, e.clientWidth]")
            assert box[0] <= box[1], path
    phone.goto(f"/{language}/counter/")
    assert phone.inner_text(".counter__total") == "48"
    assert not phone.locator("[data-full-screen]").is_visible()
    assert phone.locator("[data-here]").evaluate("e => !e.textContent")
    phone.locator(".map").scroll_into_view_if_needed()
    phone.wait_for_load_state("networkidle")
    assert phone.locator(".map").evaluate("e => e.complete && e.naturalWidth > 0")


def test_time_and_bars_run_from_right_to_left_in_arabic(phone):
    draw_a_past()
    edges = {}
    for language in ("ar", "en"):
        phone.goto(f"/{language}/counter/")
        columns = [c.bounding_box()["x"] for c in phone.locator("#hours .chart__came").all()]
        first = phone.locator("#countries .bar rect").first.bounding_box()
        last = phone.locator("#countries .bar rect").last.bounding_box()
        ends = [e.bounding_box()["x"] for e in phone.locator("#hours .chart__ends span").all()]
        edges[language] = (columns, first, last, ends)
    columns, first, last, ends = edges["en"]
    assert columns == sorted(columns)
    assert ends == sorted(ends)
    assert first["x"] == pytest.approx(last["x"], abs=1)
    columns, first, last, ends = edges["ar"]
    assert columns == sorted(columns, reverse=True)
    assert ends == sorted(ends, reverse=True)
    assert first["x"] + first["width"] == pytest.approx(last["x"] + last["width"], abs=1)


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_page_of_the_count_breaks_a_rule_of_accessibility(open_page, language):
    draw_a_past()
    Mend.objects.create(count=-2, rules=1)
    page = open_page()
    broken = {}
    for path in ("counter/", "counter/figures/"):
        page.goto(f"/{language}/{path}")
        page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
        broken[path] = violations(page)
    assert {where: what for where, what in broken.items() if what} == {}


def test_the_map_has_its_place_before_it_is_there(open_page):
    page = open_page()
    page.route("**/map.svg", lambda route: route.abort())
    page.goto("/ar/counter/")
    box = page.locator(".map").bounding_box()
    assert box["height"] == pytest.approx(box["width"] * 0.57, abs=8)


@pytest.mark.parametrize("width", [360, 1280])
def test_nothing_moves_while_the_count_loads(open_page, width):
    draw_a_past()
    page = open_page(viewport={"width": width, "height": 800})
    page.add_init_script(WATCH_SHIFTS)
    page.route("**/*.woff2", lambda route: route.abort())
    for language in LANGUAGES:
        page.goto(f"/{language}/counter/")
        page.wait_for_load_state("networkidle")
        page.locator(".map").scroll_into_view_if_needed()
        page.wait_for_load_state("networkidle")
        assert page.evaluate("window.moved") <= 0.01, language
