"""Pages through nginx as deploy/ sets it up, against a file that nginx serves itself; and how long
signing takes while as many read as the load tool manages. Needs nginx and `wrk`."""

import os
import re
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import ExitStack
from pathlib import Path
from statistics import median, quantiles
from types import SimpleNamespace

from django.db import connection

from bench import crowd
from tests.conftest import free_port
from tests.deploy.stack import HOST, Host, running, write_nginx
from tests.making import filled_form

PAGES = {"home": "/ar/", "counter.json": "/api/v1/counter.json"}
CLIENTS, ROUNDS, SECONDS = 16, 5, 3
SIGNERS, EACH_SECONDS, SIGNING_SECONDS = 4, 0.2, 30  # Twenty a second.
# Each of these reads about a hundred times a second: 20,000 in all, as far as the machine goes.
READERS, PAUSE_MS = 200, 9
READING = f"function delay() return {PAUSE_MS} end"
KEY = "cHJveHktYmVuY2gtcHJveHktYmVuY2gtcHJveHktYmU"


def run() -> None:
    crowd.empty()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as together:
        site = _site(Path(folder), together)
        sizes = {name: _size(site, path) for name, path in PAGES.items()}
        for name, size in sizes.items():
            (site.folder / name).write_bytes(os.urandom(size))
        print(
            f"nginx with TLS, {CLIENTS} clients of wrk on the same two cores, medians of {ROUNDS}"
        )
        for name, path in PAGES.items():
            turns = [
                (_rate(site, path), _rate(site, f"/sample-file/{name}")) for _ in range(ROUNDS)
            ]
            page, file = (median(rates) for rates in zip(*turns, strict=True))
            print(f"  {name:14} {sizes[name]:6,} bytes: {page:7,.0f} a second, "
                  f"a file of that size {file:7,.0f}: {page / file:.2f} (bar 0.85)")  # fmt: skip
        alone, _ = _signing(site, "alone")
        (site.folder / "reading.lua").write_text(READING)
        readers = [*_wrk(site, "/ar/", SIGNING_SECONDS + 4, READERS), "-s",
                   str(site.folder / "reading.lua")]  # fmt: skip
        reading = subprocess.Popen(readers, text=True, stdout=subprocess.PIPE)
        time.sleep(2)
        beside, wrong = _signing(site, "beside")
        reads = float(re.search(r"Requests/sec:\s+([\d.]+)", reading.communicate()[0])[1])
        print(f"  signing, 20 a second: p99 {alone:.0f} ms; beside {reads:,.0f} reads a second "
              f"{beside:.0f} ms: {beside / alone:.1f} (bar 2), {wrong} refused")  # fmt: skip


def _site(folder: Path, together: ExitStack) -> SimpleNamespace:
    for each in (folder, folder.parent):
        if not each.stat().st_mode & 1:
            each.chmod(0o755)
    log = together.enter_context((folder / "log").open("wb"))
    address = connection.settings_dict
    url = f"postgres://postgres@{address['HOST']}:{address['PORT']}/{address['NAME']}"
    environment = {
        "PATH": os.environ["PATH"], "SECRET_KEY": "proxy-bench-" * 6, "DATA_KEYS": KEY,
        "SITE_URL": f"https://{HOST}", "DATABASE_URL": url, "TRUSTED_PROXIES": "1",
        "RATELIMIT_ENABLE": "0", "WEB_CONCURRENCY": "2", "LOG_KEY": KEY,
    }  # fmt: skip
    static = [sys.executable, "manage.py", "collectstatic", "--noinput", "-v", "0"]
    subprocess.run(static, env=environment, check=True)
    host = Host(folder / "web", environment, log)
    host.start()
    together.callback(host.leave)
    site = SimpleNamespace(folder=folder, hosts=[host], nginx_port=free_port(),
                           plain_port=free_port())  # fmt: skip
    path = Path(write_nginx(site))
    text = path.read_text()
    mark = "    location / {"
    assert mark in text
    file = f"    location /sample-file/ {{ alias {folder}/; default_type text/html; }}\n"
    path.write_text(text.replace(mark, file + mark))
    together.enter_context(running(["nginx", "-c", str(path)], log))
    time.sleep(2)
    return site


def _curl(site, path: str, *more: str) -> bytes:
    address = f"https://127.0.0.1:{site.nginx_port}{path}"
    command = ["curl", "-sk", "-H", f"Host: {HOST}", "-H", "Accept-Encoding: gzip", *more, address]
    return subprocess.run(command, capture_output=True, check=True).stdout


def _size(site, path: str) -> int:
    _curl(site, path)
    return len(_curl(site, path))


def _wrk(site, path: str, seconds: int, clients: int = CLIENTS) -> list[str]:
    address = f"https://127.0.0.1:{site.nginx_port}{path}"
    return ["wrk", "-t2", f"-c{clients}", f"-d{seconds}s", "-H", f"Host: {HOST}", "-H",
            "Accept-Encoding: gzip", address]  # fmt: skip


def _rate(site, path: str) -> float:
    said = subprocess.run(_wrk(site, path, SECONDS), capture_output=True, text=True).stdout
    assert "Non-2xx" not in said, said
    return float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1])


def _signing(site, name: str) -> tuple[float, int]:
    """The 99th percentile of posts at a steady pace, in ms, and how many were not accepted."""
    taken, wrong = [], []
    (host,) = site.hosts
    ends = time.monotonic() + SIGNING_SECONDS

    def sign(number: int) -> None:
        turn = 0
        while time.monotonic() < ends:
            turn += 1
            began = time.monotonic()
            form = filled_form(email=f"{name}-{number}-{turn}@example.org")
            status = host.ask("POST", "/ar/sign/", form)
            taken.append(time.monotonic() - began)
            if status != 303:
                wrong.append(status)
            time.sleep(max(0, EACH_SECONDS - (time.monotonic() - began)))

    threads = [threading.Thread(target=sign, args=[n]) for n in range(SIGNERS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return quantiles(taken, n=100)[98] * 1000, len(wrong)
