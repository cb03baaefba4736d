"""Nu HTML checker, Lighthouse, Schemathesis and what goes over the wire: `make audit`. Needs node,
npm and java.

The first two come from the npm registry into var/audit/; the site runs as in production.
"""

import gzip
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from bench import contract
from bench.screenshots import BASE, PAGES, PORT, mailed, prepare, site_running
from petition.figures import embeds
from tests.making import make_figures

TOOLS = Path("var/audit")
LANGUAGES = ("ar", "fr", "en")
MEASURED = ("ar/", "fr/", "en/", "ar/sign/", "ar/cases/", "ar/cases/named/", "ar/press/",
            "fr/press/api/", "embed/ar/counter/",
            "ar/counter/", "ar/counter/check/", "ar/collect/")  # fmt: skip
CHROME = "--headless --no-sandbox --disable-gpu --disable-background-networking --disable-sync"


def get(path: str, data: bytes | None = None) -> bytes:
    """A body as it goes over the wire, whatever the status."""
    request = Request(BASE + path, data, {"Accept-Encoding": "gzip"})
    try:
        return urlopen(request).read()
    except HTTPError as error:
        return error.read()


def nu(private: dict[str, str]) -> None:
    pages = TOOLS / "pages"
    shutil.rmtree(pages, ignore_errors=True)
    pages.mkdir(parents=True)
    for language in LANGUAGES:
        for name, path in (PAGES | private).items():
            (pages / f"{language}-{name}.html").write_bytes(unzip(get(f"/{language}/{path}")))
        for size in embeds.SIZES:
            frame = unzip(get(f"/embed/{language}/counter/?size={size}"))
            (pages / f"{language}-embed-{size}.html").write_bytes(frame)
        wrong = unzip(get(f"/{language}/sign/", b"name=<b>"))
        (pages / f"{language}-errors.html").write_bytes(wrong)
        large = unzip(get(f"/{language}/sign/", b"x" * 70_000))
        (pages / f"{language}-too-large.html").write_bytes(large)
    jar = TOOLS / "node_modules/vnu-jar/build/dist/vnu.jar"
    found = subprocess.run(["java", "-jar", jar, pages], capture_output=True, text=True).stderr
    count = len(list(pages.iterdir()))
    print(f"Nu HTML checker: {count} pages, {len(found.splitlines())} errors and warnings")
    print(found, end="")


def wire() -> None:
    for language in LANGUAGES:
        html = get(f"/{language}/")
        linked = re.findall(r'(?:href|src)="(/static/(?:css|js)/[^"]+)"', unzip(html).decode())
        styles, scripts = (
            sum(len(get(path)) for path in linked if path.endswith(ending))
            for ending in (".css", ".js")
        )
        print(f"Wire /{language}/: HTML {len(html)}, CSS {styles}, JS {scripts} bytes")
        rest = sum(len(get(f"/{language}/{path}")) for path in ("sign/sent/", "sign/", "signed/"))
        print(f"  journey without JS and fonts: {len(html) + styles + rest} bytes")


def lighthouse() -> None:
    for path in MEASURED:
        report = measured(path) or measured(path)  # Chromium sometimes fails to start at once.
        if not report:
            sys.exit(f"Lighthouse failed twice on /{path}.")
        scores = {name: round(c["score"] * 100) for name, c in report["categories"].items()}
        shift = report["audits"]["cumulative-layout-shift"]["numericValue"]
        print(f"Lighthouse /{path}: {scores}, CLS {shift:.3f}")


def measured(path: str) -> dict | None:
    """Lighthouse's report on a page; None where it failed."""
    command = [
        TOOLS / "node_modules/.bin/lighthouse",
        f"{BASE}/{path}",
        "--quiet",
        "--output=json",
        f"--chrome-flags={CHROME}",
    ]
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium")
    environment = os.environ | {"CHROME_PATH": chromium}
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    return json.loads(done.stdout) if done.returncode == 0 else None


def unzip(body: bytes) -> bytes:
    return gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body


if __name__ == "__main__":
    if not (shutil.which("npm") and shutil.which("java")):
        sys.exit("npm or java is missing. Install them with: apt-get install -y npm default-jre")
    TOOLS.mkdir(parents=True, exist_ok=True)
    subprocess.run(
        ["npm", "install", "--silent", "--prefix", TOOLS, "lighthouse@12", "vnu-jar"], check=True
    )
    private = mailed(prepare())
    make_figures()
    with site_running():
        print(f"The site on port {PORT}, as in production\n")
        nu(private)
        wire()
        contract.run()
        lighthouse()
