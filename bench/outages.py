"""What people see while PostgreSQL or Redis is gone, hangs or takes nothing: each answer under a
steady load, by its status and its time. `BENCH_QUICK=1` makes each outage ten seconds long.

`tests/web/test_outages.py` asserts the same without looking at the clock.
"""

import os
import signal
import socket
import subprocess
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count, cycle
from pathlib import Path
from statistics import median

import psycopg

from bench.ratios import production
from petition.models import Signature
from tests import equipment
from tests.conftest import free_port
from tests.web.standing import FALLING, STANDING, Site, every_connection, read_only

QUICK = os.environ.get("BENCH_QUICK") == "1"
STOPPED, HANGING, SHORT = (10, 10, 10) if QUICK else (300, 60, 20)
BEFORE = AFTER = 5  # Seconds of load around an outage.


@dataclass
class Load:
    """A few people a second who read and sign, and what each was answered: when, of which kind,
    the status, the seconds that it took, and whether a refused form had kept what was typed."""

    site: Site
    answers: list[tuple[float, str, int, float, bool]] = field(default_factory=list)
    acknowledged: list[str] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)
    _people: count = field(default_factory=count)

    @contextmanager
    def running(self):
        rounds = [
            threading.Thread(target=self._ask, args=about)
            for about in (
                ("page", STANDING, 0.04), ("page", STANDING[::-1], 0.04), ("case", FALLING, 0.25),
                ("health", ["/healthz"], 0.2), ("sign", [""], 0.1), ("sign", [""], 0.1),
            )
        ]  # fmt: skip
        for each in rounds:
            each.start()
        try:
            yield
        finally:
            self._over.set()
            for each in rounds:
                each.join()

    def _ask(self, kind: str, paths: list[str], pause: float) -> None:
        for path in cycle(paths):
            if self._over.wait(pause):
                return
            person = next(self._people)
            network = f"10.{person >> 8 & 255}.{person & 255}.1"
            begun = time.monotonic()
            try:
                if kind == "sign":
                    address = f"person{person}-{id(self)}@example.org"
                    answer = self.site.sign(address, network)
                    if answer.status == 303:
                        self.acknowledged.append(address)
                    kept = address in answer.text and bool(answer.headers["Retry-After"])
                else:
                    answer, kept = self.site.get(path, network), True
                status = answer.status
            except OSError:
                status, kept = 0, False
            self.answers.append((begun, kind, status, time.monotonic() - begun, kept))

    def of(self, kind: str, since: float, until: float) -> list[tuple]:
        return [a for a in self.answers if a[1] == kind and since <= a[0] < until]


def run() -> None:
    print("Seconds; slowest of all answers during the outage, 50 pages and 20 posts a second")
    with (
        tempfile.TemporaryDirectory() as folder,
        socket.create_server(("127.0.0.1", 0), backlog=512) as held,
        equipment.server({}) as database,
    ):
        site = Site(database.url, Path(folder) / "last-good", held, **production())
        site.manage("migrate")
        site.manage("historian", "--once")
        site.start()
        try:
            site.wait_until_warm()
            _of_the_database(site, database)
        finally:
            site.stop()
        with _redis() as (redis, url):
            site = Site(database.url, Path(folder) / "with-redis", held,
                        **production() | {"CACHE_URL": url, "RATELIMIT_ENABLE": "1",
                                          "TRUSTED_PROXIES": "1"})  # fmt: skip
            site.start()
            try:
                site.wait_until_warm()
                _of_redis(site, database, redis)
            finally:
                site.stop()


def _of_the_database(site: Site, database: equipment.Server) -> None:
    def restart():
        site.process.terminate()
        site.process.wait()
        site.start()

    _outage("PostgreSQL stopped, the web process restarted", site, database, STOPPED,
            lambda: database.stop(signal.SIGQUIT), database.start, restart)  # fmt: skip
    _outage("PostgreSQL frozen", site, database, HANGING,
            lambda: database.send(signal.SIGSTOP),
            lambda: database.send(signal.SIGCONT))  # fmt: skip
    _outage("PostgreSQL read-only", site, database, SHORT,
            lambda: read_only(database, "on"), lambda: read_only(database, "off"))  # fmt: skip
    others = every_connection(database)
    _outage("every connection used up", site, database, SHORT,
            others.__enter__, lambda: others.__exit__(None, None, None))  # fmt: skip


def _outage(
    name: str,
    site: Site,
    database: equipment.Server,
    seconds: int,
    begin: Callable,
    end: Callable,
    in_between: Callable | None = None,
) -> None:
    load = Load(site)
    restarted = (0.0, 0.0)
    with load.running():
        time.sleep(BEFORE)
        begin()
        begun = time.monotonic()
        time.sleep(seconds / 2)
        if in_between:
            restarted = time.monotonic(), 0.0
            in_between()
            restarted = restarted[0], time.monotonic()
        time.sleep(seconds / 2)
        ended = time.monotonic()
        end()
        back = time.monotonic()
        time.sleep(AFTER)
    print(f"{name}, {seconds} s")
    for kind in ("page", "health", "case", "sign"):
        found = load.of(kind, begun, ended)
        by_restart = [a for a in found if restarted[0] - 1 <= a[0] <= restarted[1]]
        told = ", ".join(f"{n} × {status}" for status, n in Counter(a[2] for a in found).items())
        steady = [a[3] for a in found if a not in by_restart]
        print(f"  {kind:7} {told}; median {median(steady):.3f}, slowest {max(steady):.3f}", end="")
        if by_restart:
            print(f", during the restart {max(a[3] for a in by_restart):.1f}", end="")
        if kind == "case":
            last = max((a[0] for a in found if a[2] == 200), default=begun)
            print(f"; the last 200 after {last - begun:.0f} s", end="")
        if kind == "sign":
            refused = [a for a in found if a[2] == 503]
            print(f"; what was typed is kept in {sum(a[4] for a in refused)} of {len(refused)}",
                  end="")  # fmt: skip
        print()
    signed = [a[0] + a[3] for a in load.of("sign", back, back + AFTER) if a[2] == 303]
    print(f"  signing again {min(signed) - back:.1f} s after its return; "
          f"{len(load.acknowledged)} acknowledged, {_missing(load, database)} of them missing",
          flush=True)  # fmt: skip


def _missing(load: Load, database: equipment.Server) -> int:
    wanted = [Signature.mailbox_indexes(address)[0] for address in load.acknowledged]
    with psycopg.connect(database.url) as connection:
        ((found,),) = connection.execute(
            "SELECT count(*) FROM petition_signature WHERE mailbox_index = ANY(%s)", [wanted]
        )
    return len(wanted) - found


@contextmanager
def _redis():
    port = free_port()
    command = ["redis-server", "--port", str(port), "--save", "", "--appendonly", "no"]
    state = {"server": None}

    def start():
        state["server"] = subprocess.Popen(command, stdout=subprocess.DEVNULL)

    start()
    try:
        yield (state, start), f"redis://127.0.0.1:{port}/0"
    finally:
        state["server"].send_signal(signal.SIGCONT)
        state["server"].terminate()
        state["server"].wait()


def _of_redis(site: Site, database: equipment.Server, redis) -> None:
    state, start = redis

    def kill():
        state["server"].kill()
        state["server"].wait()

    frozen = (lambda: state["server"].send_signal(signal.SIGSTOP),
              lambda: state["server"].send_signal(signal.SIGCONT))  # fmt: skip
    for name, begin, end in (("Redis frozen", *frozen), ("Redis gone", kill, start)):
        _outage(name, site, database, SHORT, begin, end)
        begun, network, tries = time.monotonic(), f"192.0.2.{len(name)}", 0
        while site.sign(f"limited{tries}-{len(name)}@example.org", network).status != 429:
            tries += 1
            assert time.monotonic() - begun < 60, "the limit does not hold"
        print(f"  the limit of a network holds after {tries} posts, "
              f"{AFTER + time.monotonic() - begun:.1f} s after its return", flush=True)  # fmt: skip
