"""Writes every page in every language, width and theme to var/screenshots/: `make screenshots`."""

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path

PORT = 8765
BASE = f"http://127.0.0.1:{PORT}"
OUT = Path("var/screenshots")

os.environ |= {
    "DEBUG": "0",
    "SECRET_KEY": "for-screenshots-alone-and-nothing-else-0123456789-0123456789",
    "DATA_KEYS": "c2NyZWVuc2hvdHMtc2NyZWVuc2hvdHMtc2NyZWVuc2g",
    "LOG_KEY": "YmVuY2htYXJrcy1iZW5jaG1hcmtzLWJlbmNobWFya3M",
    "SITE_URL": BASE,
    "SECURE_SSL_REDIRECT": "0",
    "RATELIMIT_ENABLE": "0",
    "DATABASE_URL": f"sqlite:///{Path('var/screenshots.sqlite3').resolve()}",
    "DJANGO_SETTINGS_MODULE": "campaign_site.settings",
}

import django

django.setup()

from django.core.management import call_command
from django.utils import timezone
from playwright.sync_api import sync_playwright

from bench.waiting import wait_for_site
from petition.ground import links
from petition.models import ConsentText, News, NewsText, Signature, Tally
from tests.making import make_profiles

WIDTHS = (320, 390, 768, 1280)
PAGES = {
    "home": "", "sign": "sign/", "sent": "sign/sent/", "signed": "signed/", "tracks": "tracks/",
    "track": "tracks/fate/", "news": "news/", "story": "news/sample/",
    "press": "press/", "press-small-dark": "press/?size=small&theme=dark", "api": "press/api/",
    "counter": "counter/", "figures": "counter/figures/", "check": "counter/check/",
    "collect": "collect/",
    "about": "about/", "privacy": "privacy/", "withdrawn": "withdrawn/",
    "cases": "cases/", "case-named": "cases/named/", "case-pseudonym": "cases/pseudonym/",
    "case-withheld": "cases/withheld/", "case-child": "cases/child/",
    "case-arabic-only": "cases/arabic-only/",
    "not-found": "nothing/", "link-expired": "confirm/x/",
}  # fmt: skip


def prepare() -> Signature:
    """A fresh database with a count and profiles to show and one pending fictional signature;
    static files."""
    Path("var/screenshots.sqlite3").unlink(missing_ok=True)
    call_command("migrate", verbosity=0)
    # By its own process: the settings look at the command line for it.
    subprocess.run([sys.executable, "manage.py", "collectstatic", "--noinput", "-v0"], check=True)
    Tally.objects.filter(dimension="total").update(count=123_456)
    sample_story()
    make_profiles()
    call_command("historian", once=True)  # A log to check.
    return Signature.objects.create(
        name="Sample Signer",
        email="someone@example.org",
        mailbox=b"sample",
        country="MA",
        language="ar",
        consent=ConsentText.objects.first(),
    )


def sample_story() -> None:
    """In Arabic alone: the other pages show how they say so."""
    story = News.objects.create(slug="sample", publish_at=timezone.now(), created_by="sample")
    NewsText.objects.create(
        news=story,
        language="ar",
        title="مثال: عنوان خبر",
        summary="ملخّص مثاليّ لا يقول شيئًا عن الواقع.",
        body="## عنوان فرعي\n\nنصّ مثاليّ.",
        changed_by="sample",
    )


@contextmanager
def site_running():
    """The site as production runs it, on PORT."""
    site = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "campaign_site.wsgi", "-b", f"127.0.0.1:{PORT}"],
        stderr=subprocess.DEVNULL,
    )
    try:
        wait_for_site(PORT)
        yield
    finally:
        site.terminate()
        site.wait()


def mailed(signature: Signature) -> dict[str, str]:
    """The pages behind a letter's links."""
    kinds = ("confirm", "withdraw", "unsubscribe")
    return {kind: f"{kind}/{links.token(kind, signature.reference)}/" for kind in kinds}


def shoot(signature: Signature) -> int:
    taken = 0
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=chromium, args=["--no-sandbox", "--disable-gpu"]
        )
        for theme in ("light", "dark"):
            for width in WIDTHS:
                context = browser.new_context(
                    viewport={"width": width, "height": 900}, color_scheme=theme
                )
                page = context.new_page()
                for language in ("ar", "fr", "en"):
                    for name, path in (PAGES | mailed(signature)).items():
                        page.goto(f"{BASE}/{language}/{path}")
                        shot = OUT / f"{name}-{language}-{width}-{theme}.png"
                        page.screenshot(path=shot, full_page=True)
                        taken += 1
                    page.goto(f"{BASE}/{language}/sign/")
                    page.fill("[name=name]", "<b>")
                    page.click("form button")
                    shot = OUT / f"errors-{language}-{width}-{theme}.png"
                    page.screenshot(path=shot, full_page=True)
                    taken += 1
                context.close()
        browser.close()
    return taken


if __name__ == "__main__":
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    signature = prepare()
    with site_running():
        print(f"{shoot(signature)} pictures in {OUT}/")
