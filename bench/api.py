"""What `counter.json` costs the web process: against a view that returns a constant, in the same
gunicorn with two workers, over real connections that are kept open."""

import re
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from statistics import median
from time import perf_counter

from bench.desk import environment

PORT = 8794
CONNECTIONS = 8
ROUNDS, SECONDS = 7, 1.5
COUNTER = "/api/v1/counter.json"
LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)


def run() -> None:
    settings = {
        "DEBUG": "0", "SECRET_KEY": "for-benchmarks-alone-0123456789-0123456789-0123456789",
        "DATA_KEYS": "YmVuY2htYXJrcy1iZW5jaG1hcmtzLWJlbmNobWFya3M", "SECURE_SSL_REDIRECT": "0",
        "DJANGO_SETTINGS_MODULE": "bench.settings", "WEB_CONCURRENCY": "2",
    }  # fmt: skip
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "campaign_site.wsgi", "-b", f"127.0.0.1:{PORT}"],
        env=environment() | settings,
        stderr=subprocess.DEVNULL,
    )
    try:
        compare(wait_for_tag())
    finally:
        server.terminate()
        server.wait()


def compare(tag: str) -> None:
    """In turn, so that whatever else the machine does hits all alike."""
    kinds = {
        "constant": ("/constant", "", b"200"),
        "counter.json": (COUNTER, "", b"200"),
        "counter.json, gzip": (COUNTER, "Accept-Encoding: gzip\r\n", b"200"),
        "counter.json, unchanged": (COUNTER, f"If-None-Match: {tag}\r\n", b"304"),
    }
    rates = {name: [] for name in kinds}
    for _ in range(ROUNDS):
        for name, kind in kinds.items():
            rates[name].append(rate(*kind))
    print(
        f"gunicorn with two workers, {CONNECTIONS} connections kept open, {ROUNDS} rounds of "
        f"{SECONDS} s in turn; requests a second, median (least to most)"
    )
    base = median(rates["constant"])
    for name, found in rates.items():
        print(
            f"  {name:24} {median(found):6.0f} ({min(found):.0f} to {max(found):.0f}), "
            f"{median(found) / base:.2f} of the constant"
        )


def rate(path: str, header: str, status: bytes) -> float:
    """Requests answered a second; an answer with another status ends the benchmark."""
    ask = f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{header}\r\n".encode()
    start = perf_counter()
    end = start + SECONDS

    def load(_) -> int:
        count = 0
        with socket.create_connection(("127.0.0.1", PORT)) as connection:
            while perf_counter() < end:
                connection.sendall(ask)
                got = one_answer(connection)
                assert got == status, got
                count += 1
        return count

    with ThreadPoolExecutor(CONNECTIONS) as clients:
        counts = list(clients.map(load, range(CONNECTIONS)))
    return sum(counts) / (perf_counter() - start)


def one_answer(connection: socket.socket) -> bytes:
    """Reads one answer to its end; returns its status."""
    got = b""
    while b"\r\n\r\n" not in got:
        got += connection.recv(65536)
    head, _, body = got.partition(b"\r\n\r\n")
    length = LENGTH.search(head + b"\r\n")
    left = int(length[1]) - len(body) if length else 0
    while left > 0:
        left -= len(connection.recv(65536))
    return head[9:12]


def wait_for_tag() -> str:
    """The counter's ETag, as soon as the site answers."""
    for _ in range(200):
        try:
            site = HTTPConnection("127.0.0.1", PORT, timeout=2)
            site.request("GET", COUNTER)
            return site.getresponse().headers["ETag"]
        except OSError:
            time.sleep(0.1)
    raise RuntimeError("gunicorn did not start")
