"""Writes a copy of the public pages, figures and log that any web server can serve, for the day on
which the site is blocked or seized.

Not in it: what can show a prisoner's profile, which nobody could take down from a copy, and forms.
"""

import re
import time
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from posixpath import normpath, relpath
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse
from django.utils import timezone, translation

from petition.ground import languages
from petition.log import merkle
from petition.models import LogHead
from petition.web import pages, warm

PAGES = ("home", "counter", "figures", "check", "press", "api", "collect", "about", "privacy")
FILES = ("counter_json", "tallies_json", "tallies_csv", "history_json", "history_csv",
         "corrections_json", "openapi")  # fmt: skip
ROOT = ("/favicon.ico", "/apple-touch-icon.png", "/static/verify_count.py")
TRIES, PAUSE_SECONDS = 10, 1
FORM = re.compile(rb"<form\b.*?</form>", re.DOTALL)
LINK = re.compile(rb"""\b(href|src)="(/[^"]*)\"""")
IN_CSS = re.compile(rb"""url\(["']?([^"')]+)["']?\)""")


class Unwritten(Exception):
    """Which address could not be copied."""


def write(application: Callable, directory: Path) -> int:
    """Copy everything into a directory; returns how many files. Raises Unwritten."""
    found: dict[str, tuple[bytes, str]] = {}
    waiting = [*_addresses(), *ROOT]
    while waiting:
        address = waiting.pop()
        if address in found:
            continue
        status, headers, body = _patiently(application, address)
        if status != 200:
            raise Unwritten(address)
        kind = headers.get("Content-Type", "")
        found[address] = body, kind
        if kind.startswith("text/html"):
            waiting += [
                link for _, link in LINK.findall(body) for link in [link.decode()]
                if link.startswith("/static/")
            ]  # fmt: skip
        if kind.startswith("text/css"):
            folder = PurePosixPath(address).parent
            waiting += [
                normpath(str(folder / link.decode())) for link in IN_CSS.findall(body)
                if not link.startswith((b"data:", b"/", b"#"))
            ]  # fmt: skip
    for address, (body, kind) in found.items():
        target = directory / _file(address)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(_page(body, address, found) if kind.startswith("text/html") else body)
    return len(found)


def _patiently(application: Callable, address: str) -> tuple[int, dict[str, str], bytes]:
    """An answer; asked for again where the site is too busy to give one."""
    for _ in range(TRIES - 1):
        answer = warm.answer(application, address)
        if answer[0] != 503:
            return answer
        time.sleep(PAUSE_SECONDS)
    return warm.answer(application, address)


def _addresses() -> list[str]:
    addresses = [reverse(name) for name in FILES]
    for code in languages.LANGUAGES:
        with translation.override(code):
            addresses += [reverse(name) for name in PAGES]
            addresses += [reverse("map"), reverse("picture")]
    return addresses + _log()


def _log() -> list[str]:
    head = LogHead.objects.exclude(checkpoint="").first()
    if head is None:
        return []
    found = ["/log/checkpoint", "/log/vkey"]
    level = 0
    while hashes := head.size >> 8 * level:
        for number in range(-(-hashes // merkle.WIDTH)):
            width = min(merkle.WIDTH, hashes - number * merkle.WIDTH)
            path = _number(number) + (f".p/{width}" if width < merkle.WIDTH else "")
            found += [f"/log/tile/{level}/{path}", *([f"/log/tile/entries/{path}"] * (not level))]
        level += 1
    return found


def _number(number: int) -> str:
    groups = [f"{number % 1000:03}"]
    while number >= 1000:
        number //= 1000
        groups.insert(0, f"x{number % 1000:03}")
    return "/".join(groups)


def _file(address: str) -> str:
    return address.lstrip("/") + ("index.html" if address.endswith("/") else "")


def _page(body: bytes, address: str, copied: dict) -> bytes:
    """A page with its moment and without forms and profiles; its links lead within the copy where
    that has the page, else to the site."""
    folder = str(PurePosixPath(f"/{_file(address)}").parent)

    def lead(match: re.Match[bytes]) -> bytes:
        name, link = match[1], match[2].decode()
        path = urlsplit(link).path
        if path in copied:
            to = relpath(f"/{_file(path)}", folder) + link.removeprefix(path)
        else:
            to = settings.SITE_URL + link
        return name + b'="' + to.encode() + b'"'

    language = address.split("/")[1]
    with translation.override(language if language in languages.LANGUAGES else None):
        body = pages.as_old(body, timezone.now())
    return LINK.sub(lead, FORM.sub(b"", body))
