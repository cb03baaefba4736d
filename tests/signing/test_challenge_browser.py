"""The calculation that keeps programs out, as a real Chromium makes it."""

import pytest

from petition.letters import sending
from petition.models import Signature
from tests.browsing import WORDS, fill
from tests.making import State, link

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("committed")]


def counted_after_signing(page, smtp) -> str:
    """Signs on an open form and presses the button of the letter; where that leads."""
    fill(page)
    page.click("form.form button.button")
    page.wait_for_url("**/sign/sent/")
    sending.send_due()
    page.goto(link("confirm", smtp.mails[-1]))
    page.get_by_role("button", name=WORDS["en"][1]).click()
    page.wait_for_url("**/signed/**")
    return page.locator("h1").inner_text()


def test_a_browser_solves_it_while_its_owner_types(open_page, smtp, settings):
    settings.CHALLENGE = "altcha"
    page = open_page()
    page.goto("/en/sign/")
    assert counted_after_signing(page, smtp) == WORDS["en"][2]
    assert Signature.objects.get().passed_challenge


def test_a_button_pressed_too_early_waits_and_says_so(open_page, smtp, settings):
    """Asked for late: the challenge comes after the press."""
    settings.CHALLENGE = "altcha"
    page = open_page()
    held = []
    page.route("**/challenge/sign", lambda route: held.append(route))
    page.goto("/en/sign/")
    fill(page)
    page.click("form.form button.button")
    page.get_by_text("One moment: your browser is doing a short calculation").wait_for()
    held[0].continue_()
    page.wait_for_url("**/sign/sent/")
    assert Signature.objects.get().passed_challenge


@pytest.mark.parametrize("browser", ["of today", "of before"])
def test_the_address_that_was_chosen_is_still_sent(open_page, smtp, settings, browser):
    settings.CHALLENGE = "altcha"
    page = open_page()
    if browser == "of before":  # Safari before 16.
        page.add_init_script("delete HTMLFormElement.prototype.requestSubmit")
    page.goto("/en/sign/")
    fill(page, email="someone@gmial.com")
    page.click("form.form > button.button")
    page.get_by_role("button", name="Sign with someone@gmail.com").click()
    page.wait_for_url("**/sign/sent/")
    assert Signature.objects.get().email == "someone@gmail.com"
    assert Signature.objects.get().passed_challenge


def test_without_javascript_nobody_is_locked_out_and_nobody_is_thanked_too_early(
    phone, smtp, settings
):
    settings.CHALLENGE = "altcha"
    phone.goto("/en/sign/")
    assert "You can sign all the same" in phone.locator("noscript p").inner_text()
    assert counted_after_signing(phone, smtp) == "Confirmed, not counted yet"
    assert Signature.objects.get().state == State.HELD


def test_a_script_that_failed_can_be_made_up_for_at_the_button(open_page, smtp, settings):
    settings.CHALLENGE = "altcha"
    page = open_page()
    page.route("**/challenge/sign", lambda route: route.abort())
    page.goto("/en/sign/")
    assert counted_after_signing(page, smtp) == WORDS["en"][2]


def test_who_goes_back_and_signs_for_another_solves_another(open_page, smtp, settings):
    settings.CHALLENGE = "altcha"
    page = open_page()
    page.goto("/en/sign/")
    for email in ("first@example.org", "second@example.org"):
        fill(page, email=email)
        page.click("form.form > button.button")
        page.wait_for_url("**/sign/sent/")
        page.go_back()
        page.wait_for_url("**/en/sign/")
    assert list(Signature.objects.values_list("passed_challenge", flat=True)) == [True, True]
