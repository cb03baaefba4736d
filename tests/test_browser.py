"""The journey in a real Chromium, without JavaScript, as a supporter on a phone makes it."""

import os
import shutil

import pytest
from django.core.cache import caches
from playwright.sync_api import sync_playwright

from petition import mailbox, tallies
from petition.models import Signature
from tests.making import code, link

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("committed")]

PHONE = {"width": 360, "height": 740}
WORDS = {
    "ar": ("وقّعوا العريضة", "أؤكّد توقيعي", "شكرًا لكم: تأكّد توقيعكم"),
    "fr": (
        "Signer la pétition",
        "Confirmer ma signature",
        "Merci\u00a0: votre signature est confirmée",
    ),
    "en": ("Sign the petition", "Confirm my signature", "Thank you: your signature is confirmed"),
}


@pytest.fixture(scope="session")
def chromium():
    # Playwright's loop runs in this thread; Django would take its synchronous calls for a mistake.
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM") or shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu"],
        )
        yield browser
        browser.close()
    del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def phone(chromium, live_server, settings):
    """A page without JavaScript; fails where anything was asked of another host or went wrong."""
    settings.ALLOWED_HOSTS = ["localhost"]
    settings.SITE_URL = live_server.url
    context = chromium.new_context(
        viewport=PHONE, java_script_enabled=False, base_url=live_server.url
    )
    page = context.new_page()
    asked, said = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text))
    yield page
    assert [url for url in asked if not url.startswith(live_server.url)] == []
    expected = "Failed to load resource: the server responded with a status of 422"
    assert [text for text in said if not text.startswith(expected)] == []
    assert context.cookies() == []
    context.close()


def fill(page, **fields):
    page.fill("[name=name]", fields.get("name", "Sample Signer"))
    page.fill("[name=email]", fields.get("email", "someone@example.org"))
    page.select_option("[name=country]", fields.get("country", "LB"))
    page.check("[name=consent]")


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_a_supporter_signs_on_a_phone_without_javascript(phone, smtp, language):
    sign, confirm, thanks = WORDS[language]
    phone.goto(f"/{language}/")
    fill(phone)
    phone.click(f"form button:has-text('{sign}')")
    assert phone.url.endswith(f"/{language}/sign/sent/")
    mailbox.send_due()
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
    mailbox.send_due()
    phone.fill("[name=email]", "someone@example.org")
    phone.fill("[name=code]", code(smtp.mails[0]).lower())
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
@pytest.mark.parametrize("path", ["", "sign/", "sign/sent/", "tracks/", "about/", "privacy/"])
def test_no_page_is_wider_than_a_small_phone(phone, language, path):
    caches["process"].clear()
    phone.set_viewport_size({"width": 320, "height": 640})
    phone.goto(f"/{language}/{path}")
    box = phone.locator("html").evaluate("e => [e.scrollWidth, e.clientWidth]")
    assert box[0] <= box[1]
