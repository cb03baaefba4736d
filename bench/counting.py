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
from petition.figures import history
from petition.ground import links
from petition.models import Signature
from petition.signing import signatures, statements, tallies

FEW, MILLION = 1000, 1_000_000
ROUNDS, READS = 50, 6
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
    """Each figure as the database gives it, nothing remembered, however many have signed.

    A thousand stay in a copy of the database, which is read in turn with that of many: so whatever
    else the machine does hits both.
    """
    many = connection.settings_dict["NAME"]
    few = f"{many}_few"
    crowd.empty()
    crowd.fill_thinly(FEW)
    history.now()
    connection.close()
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{few}" TEMPLATE "{many}"')
    try:
        for size in [MILLION] + ([10 * MILLION] if os.environ.get("BENCH_10M") else []):
            compare(size, few, many)
    finally:
        use(many)
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{few}"')
        crowd.empty()


def compare(size: int, few: str, many: str) -> None:
    crowd.empty()
    start = perf_counter()
    crowd.fill_thinly(size)
    print(f"{size:,} signatures made and counted in {perf_counter() - start:.0f} s", flush=True)
    times = {database: {name: [] for name in READ} for database in (few, many)}
    for _ in range(ROUNDS):
        for database, found in times.items():
            use(database)
            for name, values in found.items():
                values.extend(read_times(name))
    use(many)
    for name in READ:
        little, much = (median(times[database][name]) for database in (few, many))
        print(
            f"  {name:14} nothing remembered: {little * 1000:.2f} ms at {FEW:,}, "
            f"{much * 1000:.2f} ms at {size:,}, ratio {much / little:.2f}"
        )


def use(database: str) -> None:
    for each in (connection, *statements.GROUPS):
        each.close()
    connection.settings_dict["NAME"] = database


def read_times(name: str) -> list[float]:
    client = Client()
    times = []
    for n in range(READS + 1):
        caches["process"].clear()
        start = perf_counter()
        assert client.get(f"/api/v1/{name}").status_code == 200
        if n:  # The first connects.
            times.append(perf_counter() - start)
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
