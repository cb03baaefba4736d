"""Opens the most important pages now and then in each web process, so that each has a last good
copy when the database goes, also those that nobody has asked for lately."""

import logging
import threading
import time
from collections.abc import Callable
from io import BytesIO
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse
from django.utils import translation

from petition.ground import languages

logger = logging.getLogger(__name__)

# Each once in so long, one after the other: all at once would take seconds from those who sign.
EVERY_SECONDS = 300
PAGES = ("home", "sign", "sent", "signed", "withdrawn", "counter", "figures", "tracks", "about",
         "privacy", "press", "api", "collect", "picture", "badge_svg")  # fmt: skip
FILES = ("counter_json", "tallies_json", "tallies_csv", "history_json", "history_csv",
         "corrections_json", "openapi")  # fmt: skip


def start(application: Callable) -> None:
    """Keep the pages of this process's WSGI application warm until it ends."""
    if settings.PAGE_MEMORY_BYTES:
        threading.Thread(target=_keep, args=[application], name="warm", daemon=True).start()


def _keep(application: Callable) -> None:
    pause = 0.0  # At first all at once: a database may go soon after a start.
    while True:
        found = addresses()
        for address in found:
            try:
                fetch(application, address)
            except Exception as error:
                logger.warning("A page could not be kept warm: %s", type(error).__name__)
            time.sleep(pause)
        pause = EVERY_SECONDS / len(found)


def addresses() -> list[str]:
    """What must have a last good copy, in each language."""
    found = [reverse(name) for name in FILES]
    for code in languages.LANGUAGES:
        found.append(reverse("embed", args=[code]))
        with translation.override(code):
            found += [reverse(name) for name in PAGES]
    return found


def fetch(application: Callable, address: str) -> int:
    """The status of the answer to a GET within this process, as a visitor would ask."""
    return answer(application, address)[0]


def answer(application: Callable, address: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers and body of the answer."""
    site = urlsplit(settings.SITE_URL)
    environ = {
        "REQUEST_METHOD": "GET", "PATH_INFO": address, "SCRIPT_NAME": "", "QUERY_STRING": "",
        "SERVER_NAME": site.hostname, "SERVER_PORT": str(site.port or 80),
        "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": site.netloc, "REMOTE_ADDR": "127.0.0.1",
        "HTTP_X_FORWARDED_PROTO": site.scheme, "wsgi.url_scheme": site.scheme,
        "wsgi.version": (1, 0), "wsgi.input": BytesIO(), "wsgi.errors": BytesIO(),
        "wsgi.multithread": True, "wsgi.multiprocess": True, "wsgi.run_once": False,
    }  # fmt: skip
    began: list[tuple[str, list]] = []
    parts = application(
        environ, lambda status, headers, exc_info=None: began.append((status, headers))
    )
    try:
        body = b"".join(parts)
    finally:
        parts.close()
    status, headers = began[0]
    return int(status.split()[0]), dict(headers), body
