"""Renews the pictures of the volunteers' guide, docs/pictures/: part of `make screenshots`.

The desk with the sample data, as a coordinator who has every role sees it, in three languages.
"""

import os
import shutil
import subprocess
import sys
from io import BytesIO
from pathlib import Path

PORT = 8766
BASE = f"http://127.0.0.1:{PORT}"
OUT = Path("docs/pictures")
DATABASE = Path("var/guide.sqlite3")
os.environ |= {
    "DEBUG": "1",
    "SITE_URL": BASE,
    "RATELIMIT_ENABLE": "0",
    "DATABASE_URL": f"sqlite:///{DATABASE.resolve()}",
    "DJANGO_SETTINGS_MODULE": "campaign_site.settings",
}

import django

django.setup()

from django.core.management import call_command
from PIL import Image
from playwright.sync_api import Page, sync_playwright

from bench.waiting import wait_for_site
from petition.desk import roles
from petition.models import Case, Sheet, Signature
from tests.making import PASSWORD, make_coordinator

SIZE = {"width": 820, "height": 640}
COLOURS = 48  # Screens are flat: a palette makes a picture of 20 KB.


def screens() -> dict[str, str]:
    signature = Signature.objects.counted().latest("pk")
    case = Case.objects.order_by("pk")[9]
    sheet = Sheet.objects.filter(state=Sheet.State.ONCE).first() or Sheet.objects.first()
    return {
        "front-page": "",
        "find": "petition/signature/",
        "hold": f"petition/signature/{signature.pk}/change/",
        "bulk-removal": "petition/sweep/new/",
        "sheets": f"petition/sheet/enter/?number={sheet.pk}",
        "profile": f"petition/case/{case.pk}/change/",
        "take-down": "petition/case/take-down/",
    }


def shoot(page: Page, name: str, path: str) -> None:
    page.goto(f"{BASE}/admin/{path}")
    picture = Image.open(BytesIO(page.screenshot())).convert("RGB")
    picture.quantize(COLOURS).save(OUT / f"{name}.png", optimize=True)


def main() -> None:
    DATABASE.unlink(missing_ok=True)
    call_command("migrate", verbosity=0)
    call_command("load_sample_data", verbosity=0)
    user = make_coordinator(*roles.ROLES, username="sample-coordinator")
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir(parents=True)
    site = subprocess.Popen(
        [sys.executable, "manage.py", "runserver", "--noreload", f"127.0.0.1:{PORT}"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        wait_for_site(PORT)
        shown = screens()
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=os.environ.get("CHROMIUM") or shutil.which("chromium"),
                args=["--no-sandbox", "--disable-gpu"],
            )
            for language in ("en", "fr", "ar"):
                context = browser.new_context(viewport=SIZE, color_scheme="light")
                context.add_cookies(
                    [{"name": "django_language", "value": language, "url": f"{BASE}/"}]
                )
                page = context.new_page()
                page.goto(f"{BASE}/admin/")
                page.fill("[name=username]", user.username)
                page.fill("[name=password]", PASSWORD)
                page.click("#login-form [type=submit]")
                page.wait_for_url(f"{BASE}/admin/")
                for name, path in shown.items():
                    shoot(page, f"{language}-{name}", path)
                context.close()
            browser.close()
    finally:
        site.terminate()
    print(f"{len(list(OUT.glob('*.png')))} pictures in {OUT}/")


if __name__ == "__main__":
    main()
