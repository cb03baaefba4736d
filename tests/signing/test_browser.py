"""The journey in a real Chromium, without JavaScript, as a supporter on a phone makes it."""

import pytest
from django.core.cache import caches

from petition.letters import sending
from petition.models import Signature
from petition.signing import tallies
from tests.browsing import WORDS, fill
from tests.making import State, code, link, make_signature

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("committed")]


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_a_supporter_signs_on_a_phone_without_javascript(phone, smtp, language):
    sign, confirm, thanks = WORDS[language]
    phone.goto(f"/{language}/")
    fill(phone)
    phone.click(f"form button:has-text('{sign}')")
    assert phone.url.endswith(f"/{language}/sign/sent/")
    sending.send_due()
    phone.goto(link("confirm", smtp.mails[0]))
    assert "Sample Signer" in phone.inner_text("main")
    phone.click(f"button:has-text('{confirm}')")
    assert phone.inner_text("h1") == thanks
    assert Signature.objects.get().state == "counted"
    assert tallies.read_counter().total == 1


def test_a_supporter_types_the_code_and_later_withdraws(phone, smtp):
    phone.goto("/ar/sign/")
    fill(phone)
    phone.click("form button")
    sending.send_due()
    phone.fill("[name=email]", "someone@example.org")
    phone.fill("[name=code]", code(smtp.mails[0]).lower())
    phone.click("form button")
    assert "Sample Signer" in phone.inner_text(".facts")
    phone.click("form button")
    assert phone.url.endswith("/ar/signed/")
    phone.goto(link("withdraw", smtp.mails[0]))
    phone.click("form button")
    assert phone.url.endswith("/ar/withdrawn/")
    assert tallies.read_counter().total == 0


def test_errors_are_focused_and_lead_to_their_fields(phone):
    phone.goto("/en/sign/")
    fill(phone, name="Kept Name", email="wrong")
    phone.click("form button")
    assert phone.locator(".error-summary").evaluate("e => e === document.activeElement")
    phone.click(".error-summary a")
    assert phone.locator("[name=email]").evaluate("e => e === document.activeElement")
    assert phone.input_value("[name=name]") == "Kept Name"
    assert phone.input_value("[name=email]") == "wrong"
    phone.fill("[name=email]", "right@example.org")
    phone.click("form button")
    assert phone.url.endswith("/en/sign/sent/")


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_the_journey_needs_a_keyboard_only(open_page, smtp, language):
    page = open_page()
    page.goto(f"/{language}/sign/")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    for text in ("Sample Signer", "someone@example.org", "L"):
        tab_to(page, ".field__input")
        page.keyboard.type(text)
    page.select_option("[name=country]", "LB")
    tab_to(page, "[name=consent]")
    page.keyboard.press("Space")
    tab_to(page, "form button")
    page.keyboard.press("Enter")
    page.wait_for_url("**/sign/sent/")
    sending.send_due()
    page.goto(link("confirm", smtp.mails[0]))
    tab_to(page, "form button")
    page.keyboard.press("Enter")
    page.wait_for_url("**/signed/")
    assert tallies.read_counter().total == 1


def tab_to(page, selector):
    for _ in range(30):
        page.keyboard.press("Tab")
        if page.evaluate("s => document.activeElement.matches(s)", selector):
            return
    raise AssertionError(f"no way by keyboard to {selector}")


def test_a_field_that_is_left_says_what_is_wrong_and_blocks_nothing(open_page):
    page = open_page()
    page.goto("/fr/sign/")
    page.fill("[name=email]", "wrong")
    page.keyboard.press("Tab")
    said = page.inner_text("#id_email-error")
    assert said == "Saisissez une adresse e-mail de la forme nom@example.org."
    page.fill("[name=email]", "right@example.org")
    page.keyboard.press("Tab")
    assert page.locator("#id_email-error").count() == 0
    page.fill("[name=email]", "wrong")
    press_slowly(page, "form button")
    page.locator(".error-summary").wait_for()


def press_slowly(page, selector):
    """As a finger does: what happens between down and up must not move the button away."""
    # Not every browser keeps what is looked at in its place when something above it grows.
    page.evaluate("() => { document.documentElement.style.overflowAnchor = 'none' }")
    button = page.locator(selector)
    button.scroll_into_view_if_needed()
    box = button.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + 4)
    page.mouse.down()
    page.evaluate("() => new Promise(requestAnimationFrame)")
    page.mouse.up()


def test_leaving_quickly_leaves_no_way_back_here(open_page):
    page = open_page()
    page.route("https://www.wikipedia.org/**", lambda route: route.fulfill(body="elsewhere"))
    page.goto("/en/about/")
    page.goto("/en/")
    asked_before = page.evaluate("history.length")
    page.evaluate("document.querySelector('[data-exit]').href = '/healthz'")
    page.click("[data-exit]")
    page.wait_for_url("**/healthz")
    assert page.evaluate("history.length") == asked_before


def test_the_phones_share_sheet_is_offered_where_there_is_one(open_page):
    page = open_page()
    page.goto("/ar/signed/")
    assert not page.locator("[data-share]").is_visible()
    page.add_init_script(
        "window.shared = []; navigator.share = async (what) => { window.shared.push(what) };"
    )
    page.goto("/ar/signed/")
    page.click("[data-share]")
    (shared,) = page.evaluate("window.shared")
    assert shared["url"].endswith("/ar/")
    assert "مليون توقيع" in shared["title"]


def test_the_counter_follows_while_somebody_looks(open_page):
    page = open_page()
    page.clock.install()
    page.goto("/fr/")
    for n in range(3):
        make_signature(f"sample{n}@example.org", State.COUNTED)
    caches["process"].clear()
    with page.expect_response("**/api/v1/counter.json"):
        page.clock.run_for(31_000)
    page.locator(".counter__total", has_text="3").wait_for()
    assert page.locator(".counter__bar").evaluate("e => e.value") == 3
