"""A site with a database of its own, which can be taken away from it."""

import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import contextmanager
from http.client import HTTPConnection
from types import SimpleNamespace
from urllib.parse import urlencode

import psycopg
from django.conf import settings

from tests.conftest import free_port

LANGUAGES = ("ar", "fr", "en")
STANDING = [
    f"/{code}/{page}"
    for code in LANGUAGES
    for page in ("", "sign/", "sign/sent/", "signed/", "counter/", "tracks/", "about/", "privacy/",
                 "press/", "counter.svg")
] + [f"/embed/{code}/counter/" for code in LANGUAGES] + [
    "/api/v1/counter.json", "/api/v1/tallies.csv", "/api/v1/history.json", "/healthz",
]  # fmt: skip
# They could show a case.
FALLING = ["/en/cases/", "/ar/news/", "/en/tracks/fate/"]


class Site:
    """gunicorn on a port of its own; with `held` at a socket that outlives each of its processes,
    as systemd holds it."""

    def __init__(self, database_url: str, folder, held: socket.socket | None = None, **more: str):
        self.held = held
        self.port = held.getsockname()[1] if held else free_port()
        self.environment = os.environ | {
            "DEBUG": "1", "DATABASE_URL": database_url, "RATELIMIT_ENABLE": "0",
            "ALLOWED_HOSTS": "127.0.0.1",
            "SITE_URL": f"http://127.0.0.1:{self.port}", "LAST_GOOD_DIR": str(folder),
            "DJANGO_SETTINGS_MODULE": "campaign_site.settings",
        } | more  # fmt: skip
        self.process = None

    def manage(self, *command: str) -> None:
        subprocess.run(
            [sys.executable, "manage.py", *command], env=self.environment, check=True,
            cwd=settings.BASE_DIR, capture_output=True,
        )  # fmt: skip

    def start(self) -> None:
        fds = [self.held.fileno()] if self.held else []
        where = f"fd://{fds[0]}" if fds else f"127.0.0.1:{self.port}"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", "campaign_site.wsgi", "-b", where],
            env=self.environment, cwd=settings.BASE_DIR, stderr=subprocess.DEVNULL,
            start_new_session=True, pass_fds=fds,
        )  # fmt: skip
        until = time.monotonic() + 30
        while time.monotonic() < until:
            try:
                if self.get("/healthz").status == 200:
                    return
            except OSError:
                time.sleep(0.05)
        raise AssertionError("the site does not start")

    def stop(self) -> None:
        """As a machine that loses its power: the master and its worker at once."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def get(self, path: str, network: str = ""):
        return self._ask("GET", path, network=network)

    def post(self, path: str, network: str = "", **typed: str):
        return self._ask("POST", path, urlencode(typed), network)

    def sign(self, address: str, network: str = ""):
        return self.post("/en/sign/", network, name="Sample Signer", email=address, country="MA",
                         consent="on")  # fmt: skip

    def _ask(self, method: str, path: str, body: str | None = None, network: str = ""):
        headers = {"Content-Type": "application/x-www-form-urlencoded"} if body else {}
        if network:  # As a proxy that is trusted says it.
            headers["X-Forwarded-For"] = network
        begun = time.monotonic()
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        connection.request(method, path, body, headers)
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
        connection.close()
        return SimpleNamespace(
            status=answer.status, headers=answer.headers, text=text,
            seconds=time.monotonic() - begun,
        )  # fmt: skip

    def wait_until_warm(self) -> None:
        """Until the process has opened all of its pages once."""
        until = time.monotonic() + 30
        kept = self.environment["LAST_GOOD_DIR"]
        count = -1
        while time.monotonic() < until:
            now = len(os.listdir(kept)) if os.path.isdir(kept) else 0
            if now == count and now > len(STANDING):
                return
            count = now
            time.sleep(1)
        raise AssertionError(f"{count} copies")


def read_only(database, switch: str) -> None:
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute(f"ALTER SYSTEM SET default_transaction_read_only = {switch}")
        connection.execute("SELECT pg_reload_conf()")


@contextmanager
def every_connection(database):
    """Those of the site are ended, and no new one is to be had."""
    taken = []
    try:
        while True:
            try:
                taken.append(psycopg.connect(database.url, autocommit=True))
            except psycopg.OperationalError:
                mine = [connection.info.backend_pid for connection in taken]
                ended = taken[0].execute(
                    "SELECT count(pg_terminate_backend(pid, 1000)) FROM pg_stat_activity"
                    " WHERE backend_type = 'client backend' AND NOT pid = ANY(%s)", [mine]
                ).fetchone()[0]  # fmt: skip
                if not ended:
                    break
        yield
    finally:
        for connection in taken:
            connection.close()
