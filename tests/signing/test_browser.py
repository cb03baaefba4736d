"""The journey in a real Chromium, without JavaScript, as a supporter on a phone makes it."""

import re
from contextlib import ExitStack, contextmanager

import pytest
from django.core.cache import caches

from petition.ground import links
from petition.letters import sending
from petition.models import Signature
from petition.signing import tallies
from tests.accessibility import violations
from tests.making import State, code, link, make_profiles, make_signature, make_story

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("committed")]

PHONE = {"width": 360, "height": 740}
WORDS = {
    "ar": ("وقّعوا العريضة", "تأكيد توقيعي", "شكرًا لكم: تأكّد توقيعكم"),
    "fr": (
        "Signer la pétition",
        "Confirmer ma signature",
        "Merci\u00a0: votre signature est confirmée",
    ),
    "en": ("Sign the petition", "Confirm my signature", "Thank you: your signature is confirmed"),
}


@pytest.fixture
def open_page(chromium, live_server, settings):
    """Opens pages in contexts of their own; fails where one asked another host, set a cookie or
    wrote to the console."""
    settings.ALLOWED_HOSTS = ["localhost"]
    settings.SITE_URL = live_server.url
    with ExitStack() as stack:

        def open_page(**options):
            return stack.enter_context(watched_page(chromium, live_server.url, **options))

        yield open_page


@contextmanager
def watched_page(chromium, url, **options):
    context = chromium.new_context(**{"viewport": PHONE, "base_url": url} | options)
    page = context.new_page()
    asked, said = [], []
    page.under_way = set()
    page.on("request", lambda request: asked.append(request.url))
    page.on("request", lambda request: page.under_way.add(request))
    page.on("requestfinished", lambda request: page.under_way.discard(request))
    page.on("requestfailed", lambda request: page.under_way.discard(request))
    page.on("console", lambda message: said.append(message.text))
    yield page
    assert [address for address in asked if not address.startswith(url)] == []
    expected = re.compile(r"Failed to load resource: (.* status of [45][0-9][0-9]|net::ERR_FAILED)")
    assert [text for text in said if not expected.match(text)] == []
    assert context.cookies() == []
    context.close()


@pytest.fixture
def phone(open_page):
    """A small phone without JavaScript."""
    return open_page(java_script_enabled=False)


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
@pytest.mark.parametrize(
    "path", ["", "sign/", "sign/sent/", "tracks/", "about/", "privacy/", "collect/"]
)
def test_no_page_is_wider_than_a_small_phone(phone, language, path):
    caches["process"].clear()
    phone.set_viewport_size({"width": 320, "height": 640})
    phone.goto(f"/{language}/{path}")
    box = phone.locator("html").evaluate("e => [e.scrollWidth, e.clientWidth]")
    assert box[0] <= box[1]


CASES = ["", "cases/", "cases/?group=child", "cases/?track=legislation", "tracks/protection/",
         "cases/named/", "cases/pseudonym/", "cases/withheld/", "cases/child/",
         "cases/arabic-only/"]  # fmt: skip


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_no_page_with_cases_is_wider_than_a_small_phone(phone, language):
    make_profiles()
    for width in (320, 360):
        phone.set_viewport_size({"width": width, "height": 640})
        for path in CASES:
            phone.goto(f"/{language}/{path}")
            box = phone.locator("html").evaluate("e => [e.scrollWidth, e.clientWidth]")
            assert box[0] <= box[1], path


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_no_page_with_cases_breaks_a_rule_of_accessibility(open_page, language):
    make_profiles()
    page = open_page()
    broken = {}
    for path in CASES:
        page.goto(f"/{language}/{path}")
        broken[path] = violations(page)
    assert {where: what for where, what in broken.items() if what} == {}


@pytest.mark.parametrize("width", [360, 1280])
def test_portraits_come_from_here_in_the_best_format_and_move_nothing(open_page, width):
    make_profiles()
    page = open_page(viewport={"width": width, "height": 800})
    page.add_init_script(WATCH_SHIFTS)
    page.route("**/*.woff2", lambda route: route.abort())
    for path in ("cases/", "cases/named/"):
        page.goto(f"/ar/{path}")
        page.wait_for_load_state("networkidle")
        shown = page.locator(".portrait img").first
        assert shown.evaluate("e => e.currentSrc.endsWith('.avif') && e.naturalWidth > 0")
        assert page.evaluate("window.moved") <= 0.01, path


def test_the_list_is_narrowed_and_a_profile_opened_without_javascript(phone):
    make_profiles()
    phone.goto("/en/cases/")
    phone.click(".filters >> text=Children")
    phone.click(".filters >> text=Health and legal protection")
    assert phone.url.endswith("/en/cases/?track=protection&group=child")
    assert phone.locator(".case").count() == 1
    phone.click(".case a")
    assert phone.inner_text("h1") == "Sample Pseudonym"
    assert phone.locator("img").count() == 0


PAGES = ["", "sign/", "sign/sent/", "signed/", "signed/review/", "withdrawn/", "tracks/",
         "collect/", "tracks/fate/", "about/", "privacy/", "news/", "news/arabic-only/",
         "counter/check/", "nothing/"]  # fmt: skip


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_no_page_or_state_breaks_a_rule_of_accessibility(open_page, smtp, language):
    make_story("arabic-only", "ar")
    page = open_page()
    page.goto(f"/{language}/sign/")
    fill(page)
    page.click("form button")
    sending.send_due()
    addresses = [f"/{language}/{path}" for path in PAGES]
    addresses += [link(kind, smtp.mails[0]) for kind in ("confirm", "withdraw", "confirm")]
    addresses[-1] = f"/{language}/confirm/wrong/"
    unsubscribe = links.token(links.UNSUBSCRIBE, Signature.objects.get().reference)
    addresses += [f"/{language}/unsubscribe/{token}/" for token in (unsubscribe, "wrong")]
    broken = {}
    for address in addresses:
        page.goto(address)
        broken[address] = violations(page)
    page.goto(f"/{language}/sign/")
    page.click("form button")
    broken["errors"] = violations(page)
    assert {where: what for where, what in broken.items() if what} == {}


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


FIRST_PAINT = """() => new Promise(done => new PerformanceObserver(list =>
    list.getEntriesByName("first-contentful-paint").length && done()
).observe({ type: "paint", buffered: true }))"""


WATCH_SHIFTS = """window.moved = 0; new PerformanceObserver(list => {
    for (const entry of list.getEntries()) window.moved += entry.value;
}).observe({ type: "layout-shift", buffered: true });"""


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
@pytest.mark.parametrize("width", [360, 412, 1280])
def test_nothing_moves_while_a_page_loads_apart_from_its_fonts(open_page, language, width):
    page = open_page(viewport={"width": width, "height": 800})
    page.add_init_script(WATCH_SHIFTS)
    page.route("**/*.woff2", lambda route: route.abort())
    for path in ("", "sign/", "about/"):
        page.goto(f"/{language}/{path}")
        page.wait_for_load_state("networkidle")
        assert page.evaluate("window.moved") <= 0.01, path


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
@pytest.mark.parametrize("width", [360, 412, 1280])
def test_little_moves_when_the_fonts_come_after_the_first_paint(open_page, language, width):
    """A line may break elsewhere: no other face has the same width for every word. How much moves
    hangs on the faces that the machine has; web.dev calls up to 0.1 good."""
    page = open_page(viewport={"width": width, "height": 800})
    page.add_init_script(WATCH_SHIFTS)
    fonts = []
    page.route("**/*.woff2", lambda route: fonts.append(route))
    page.goto(f"/{language}/", wait_until="commit")
    page.evaluate(FIRST_PAINT)
    assert fonts
    for font in fonts:
        font.continue_()
    page.unroute("**/*.woff2")
    page.evaluate("document.fonts.ready")
    page.wait_for_load_state("networkidle")
    assert page.evaluate("window.moved") <= 0.06


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


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_a_page_at_twice_the_size_or_in_forced_colours_stays_whole(open_page, language):
    page = open_page(viewport={"width": 640, "height": 800}, forced_colors="active")
    page.goto(f"/{language}/sign/")
    page.evaluate("document.documentElement.style.fontSize = '200%'")
    box = page.locator("html").evaluate("e => [e.scrollWidth, e.clientWidth]")
    assert box[0] <= box[1]
    assert page.locator("form button").evaluate("e => getComputedStyle(e).borderStyle") == "solid"


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_no_error_page_breaks_a_rule_of_accessibility(open_page, settings, language):
    settings.ROOT_URLCONF = "tests.error_urls"
    settings.SIGN_RATE = "1/d"
    page = open_page()
    broken = {}
    for status in (400, 403, 404, 410, 413, 500):
        page.goto(f"/{language}/error/{status}/")
        broken[status] = violations(page)
    for _ in range(2):
        page.goto(f"/{language}/sign/")
        fill(page)
        page.click("form button")
    assert page.input_value("[name=name]") == "Sample Signer"
    broken[429] = violations(page)
    assert {status: what for status, what in broken.items() if what} == {}


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


# --- The calculation that keeps programs out ------------------------------------------------------


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
