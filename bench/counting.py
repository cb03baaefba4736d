"""What the count costs: the home page when warm, a total among many, confirmations side by side."""

from statistics import median
from threading import Thread
from time import perf_counter

from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from petition import links, signatures, tallies
from petition.models import Signature


def run() -> None:
    home_page()
    reading_a_total()
    confirming()


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


def reading_a_total() -> None:
    """The same rows are read whether they stand for ten signatures or for ten million."""
    few = median_of_total()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE petition_tally SET count = 10000000 WHERE dimension = 'total'")
    many = median_of_total()
    tallies.mend()
    print(
        f"Reading the total: {few * 1000:.2f} ms; counters in the millions: {many / few:.2f} of it"
    )
    print()


def median_of_total() -> float:
    times = []
    for _ in range(300):
        start = perf_counter()
        tallies.read_counter()
        times.append(perf_counter() - start)
    return median(times)


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
