"""Films a supporter's journey on a slow phone, from the link to being counted: part of
`make screenshots`.

A phone of 360 pixels without JavaScript on a line as Chromium slows it down; in Arabic, French and
English. It prints what went over the wire and when the first text was there on each page, and
writes a picture of each step to var/journey/.
"""

import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from bench.screenshots import BASE, prepare, site_running
from petition.ground import links
from petition.models import Signature

OUT = Path("var/journey")
# Bytes a second, and the least milliseconds from a request to its answer. The first is
# WebPageTest's "Slow 3G", the second what Chromium's own tools call "3G", once "Slow 3G": there no
# text of any page can come before two seconds.
LINES = {"slow 3G": (50_000, 400), "3G of DevTools": (50_000, 2_000)}
FIRST_TEXT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"


@dataclass
class Journey:
    """What went over the wire, with headers, and when each page showed its first text."""

    page: Page
    bytes_read: int = 0
    fonts: int = 0
    texts: dict[str, float] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)

    def watch(self, line: str) -> None:
        session = self.page.context.new_cdp_session(self.page)
        session.send("Network.enable")
        rate, delay = LINES[line]
        session.send("Network.emulateNetworkConditions", {
            "offline": False, "latency": delay, "downloadThroughput": rate,
            "uploadThroughput": rate,
        })  # fmt: skip
        session.on("Network.responseReceived", self._received)
        session.on("Network.loadingFinished", self._finished)

    def _received(self, event: dict) -> None:
        self.kinds[event["requestId"]] = event["type"]

    def _finished(self, event: dict) -> None:
        size = int(event["encodedDataLength"])
        if self.kinds.get(event["requestId"]) == "Font":
            self.fonts += size
        else:
            self.bytes_read += size

    def note(self, name: str, language: str) -> None:
        self.page.wait_for_load_state("networkidle")
        self.texts[name] = self.page.evaluate(FIRST_TEXT) / 1000
        number = len(self.texts)
        self.page.screenshot(path=OUT / f"{language}-{number}-{name}.png")


def travel(page: Page, line: str, language: str) -> Journey:
    journey = Journey(page)
    journey.watch(line)
    page.goto(f"{BASE}/{language}/")
    journey.note("link", language)
    email = f"{language}-{line.replace(' ', '')}@example.org"
    page.fill("[name=name]", "Sample Signer")
    page.fill("[name=email]", email)
    page.select_option("[name=country]", "MA")
    page.check("[name=consent]")
    journey.page.locator("form.form button.button").click()
    page.wait_for_url("**/sign/sent/")
    journey.note("sent", language)
    signed = Signature.objects.latest("pk")
    page.goto(f"{BASE}/{language}/confirm/{links.token(links.CONFIRM, signed.reference)}/")
    journey.note("letter", language)
    page.locator("main form button").first.click()
    page.wait_for_url("**/signed/")
    journey.note("counted", language)
    signed.refresh_from_db()
    assert signed.state == "counted", "the journey did not end"
    return journey


def main() -> None:
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    prepare()
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "1"
    with site_running(), sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM") or shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu"],
        )
        for line in LINES:
            for language in ("ar", "fr", "en"):
                context = browser.new_context(
                    viewport={"width": 360, "height": 740}, java_script_enabled=False
                )
                found = travel(context.new_page(), line, language)
                texts = ", ".join(f"{name} {at:.1f} s" for name, at in found.texts.items())
                sizes = f"{found.bytes_read / 1000:.1f} KB (and {found.fonts / 1000:.0f} of fonts)"
                print(f"{line}, {language}: {sizes}; first text: {texts}")
                context.close()
        browser.close()
    print(f"{len(list(OUT.glob('*.png')))} pictures in {OUT}/")


if __name__ == "__main__":
    main()
