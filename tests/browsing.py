"""What tests in a real Chromium share: a phone, a page that is watched, and the form filled in."""

import re
from contextlib import contextmanager

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
WATCH_SHIFTS = """window.moved = 0; new PerformanceObserver(list => {
    for (const entry of list.getEntries()) window.moved += entry.value;
}).observe({ type: "layout-shift", buffered: true });"""


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


def fill(page, **fields):
    page.fill("[name=name]", fields.get("name", "Sample Signer"))
    page.fill("[name=email]", fields.get("email", "someone@example.org"))
    page.select_option("[name=country]", fields.get("country", "LB"))
    page.check("[name=consent]")


def read_pages_whole() -> None:
    """A click waits until the page that it leads to is there to its end: Playwright waits for its
    beginning alone, and on a busy machine the rest was not read yet when a test looked at it."""
    from playwright.sync_api import Locator, Page

    for kind, page_of in ((Page, lambda page: page), (Locator, lambda locator: locator.page)):
        if getattr(kind.click, "reads_whole", False):
            continue
        kind.click = _whole(kind.click, page_of)


def _whole(click, page_of):
    def click_and_read(self, *args, **options):
        click(self, *args, **options)
        page_of(self).wait_for_load_state("domcontentloaded")

    click_and_read.reads_whole = True
    return click_and_read
