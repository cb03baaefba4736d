"""The page for the press as a journalist uses it: copies, chooses, looks at what will be seen."""

import pytest
from django.core.cache import caches

from tests.accessibility import violations
from tests.making import State, make_signature

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("committed")]

CLIPBOARD = ["clipboard-read", "clipboard-write"]


@pytest.fixture
def press(open_page):
    make_signature(state=State.COUNTED)
    caches["process"].clear()
    return open_page(permissions=CLIPBOARD)


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_each_button_copies_what_it_stands_by(press, language):
    press.goto(f"/{language}/press/")
    buttons = press.locator("[data-copy]")
    assert buttons.count() == 5
    copied = []
    for n in range(5):
        buttons.nth(n).click()
        press.locator("[role=status]:not(:empty)").wait_for(state="attached")
        copied.append(press.evaluate("navigator.clipboard.readText()"))
        said = [press.locator("[role=status]").nth(other).inner_text() for other in range(5)]
        assert [bool(words) for words in said] == [other == n for other in range(5)]
    arabic, french, english, code, credit = copied
    assert "UTC" in arabic
    assert "«مليون توقيع»" in arabic or "“مليون توقيع”" in arabic
    assert "1\u202f000\u202f000" in french
    assert english.startswith("On ")
    assert "had 1 confirmed signature, out of a goal of 1,000,000." in english
    assert "\n" not in english
    assert code.startswith("<iframe ")
    assert code.endswith("</iframe>")
    assert credit.endswith("CC BY 4.0")


def test_the_page_of_thanks_still_copies_its_address(press):
    press.goto("/en/signed/")
    press.click("[data-copy]")
    press.locator("[role=status]:not(:empty)").wait_for(state="attached")
    copied = press.evaluate("navigator.clipboard.readText()")
    assert copied.endswith("/en/")
    assert copied.startswith("http")


def test_what_may_not_be_copied_is_selected(press):
    press.add_init_script(
        "navigator.clipboard.writeText = () => Promise.reject(new DOMException('no'))"
    )
    press.goto("/en/press/")
    press.click("[data-copy=quote-en]")
    press.wait_for_function("String(getSelection()).includes('1 confirmed signature')")
    assert press.locator("[role=status]:not(:empty)").count() == 0


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_size_and_colours_are_chosen_without_javascript_and_seen_at_once(open_page, language):
    page = open_page(java_script_enabled=False)
    page.goto(f"/{language}/press/")
    assert page.locator("[data-copy]:visible").count() == 0
    page.click(".filters a[href*='size=large']")
    page.click(".filters a[href*='theme=dark']")
    frame = page.locator("iframe")
    frame.scroll_into_view_if_needed()
    inside = page.frame_locator("iframe")
    inside.locator("progress").wait_for()
    assert "size=large" in page.inner_text("#embed-code")
    assert "theme=dark" in page.inner_text("#embed-code")
    shown = frame.get_attribute("src")
    assert "size=large" in shown
    assert "theme=dark" in shown
    assert f"/embed/{language}/counter/" in shown
    assert frame.bounding_box()["width"] <= 360


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_the_pages_break_no_rule_of_accessibility_and_fit_a_phone(open_page, language):
    make_signature(state=State.COUNTED)
    page = open_page()
    for path in ("press/", "press/?size=large&theme=dark", "press/api/"):
        page.set_viewport_size({"width": 360, "height": 740})
        page.goto(f"/{language}/{path}")
        page.wait_for_load_state("networkidle")
        assert violations(page) == [], path
        for width in (320, 360, 1280):
            page.set_viewport_size({"width": width, "height": 740})
            box = page.locator("html").evaluate("e => [e.scrollWidth, e.clientWidth]")
            assert box[0] <= box[1], (path, width)
