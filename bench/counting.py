"""What the count costs: the home page when warm, figures among many, confirmations side by side."""

import os
from statistics import median
from threading import Thread
from time import perf_counter

from django.core.cache import caches
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bench import crowd
from petition import links, signatures, tallies
from petition.models import Signature

FEW, MILLION = 1000, 1_000_000
READS = 200
READ = ("counter.json", "tallies.json", "history.json")


def run() -> None:
    home_page()
    confirming()
    print()
    reading()


def home_page() -> None:
    client = Client()
    client.get("/ar/")
    with CaptureQueriesContext(connection) as captured:
        client.get("/ar/")
    times = []
    for _ in range(200):
        start = perf_counter()
        client.get("/ar/")
        times.append(perf_counter() - start)
    print(f"Home page, warm: {len(captured)} SQL statements, median {median(times) * 1000:.2f} ms")
    print()


def reading() -> None:
    """Each figure as the database gives it, nothing remembered, however many have signed."""
    sizes = [FEW, MILLION] + ([10 * MILLION] if os.environ.get("BENCH_10M") else [])
    found = {}
    for size in [*sizes, FEW]:  # The few once more: what the machine does besides changes.
        crowd.empty()
        start = perf_counter()
        crowd.fill_thinly(size)
        made = perf_counter() - start
        assert tallies.read_counter().total == size
        times = read_times()
        for name, values in times.items():
            found.setdefault(name, {}).setdefault(size, []).extend(values)
        print(f"{size:,} signatures made and counted in {made:.0f} s", flush=True)
    print(f"Reading, nothing remembered: medians of {READS}, at {FEW:,} signatures and beyond")
    for name, times in found.items():
        few = median(times.pop(FEW))
        beyond = "".join(
            f", at {size:,} {median(values) / few:.2f} of it" for size, values in times.items()
        )
        print(f"  {name:14} {few * 1000:.2f} ms{beyond}")
    print()
    crowd.empty()


def read_times() -> dict[str, list[float]]:
    """In turn, so that whatever else the machine does hits all alike."""
    client = Client()
    times = {name: [] for name in READ}
    for name in READ:
        client.get(f"/api/v1/{name}")
    for _ in range(READS):
        for name, values in times.items():
            caches["process"].clear()
            start = perf_counter()
            assert client.get(f"/api/v1/{name}").status_code == 200
            values.append(perf_counter() - start)
    return times


def confirming(count: int = 1000) -> None:
    pending = list(Signature.objects.pending().values_list("reference", flat=True)[:count])
    tokens = [links.token(links.CONFIRM, reference) for reference in pending]
    halves = tokens[::2], tokens[1::2]
    alone = rate(halves[0], threads=1)
    together = rate(halves[1], threads=8)
    differences = tallies.recount()
    print(f"Confirming: {alone:.0f} a second in one thread, {together:.0f} in eight of one process")
    print(f"recount after it: {len(differences)} differences")


def rate(tokens: list[str], threads: int) -> float:
    """Confirmations a second, each thread with a connection and a share of its own."""

    def confirm(share):
        for token in share:
            signatures.confirm(token)
        connection.close()

    workers = [Thread(target=confirm, args=[tokens[n::threads]]) for n in range(threads)]
    start = perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return len(tokens) / (perf_counter() - start)
