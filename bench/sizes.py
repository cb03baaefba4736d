"""What each act costs among ten million signatures against ten thousand: one machine, in turn on
two databases of one server, nothing remembered in between."""

from collections import defaultdict
from contextlib import contextmanager
from statistics import median
from time import perf_counter

from django.conf import settings
from django.core.cache import caches
from django.db import connection
from django.test import Client

from bench import crowd
from bench.counting import use
from petition.figures import history
from petition.ground import links
from petition.models import Signature
from petition.signing import signatures
from tests.making import make_coordinator

FEW, MANY = 10_000, 10_000_000
ROUNDS, POSTS, READS = 60, 10, 3
BAR = 1.15
READ = {"home, made anew": "/ar/", "counter page, made anew": "/ar/counter/",
        "list of the desk": "/admin/petition/signature/",
        "list of the desk, suspended": "/admin/petition/signature/?state=held"}  # fmt: skip


def run() -> None:
    settings.PAGE_MEMORY_BYTES = 0  # Each page is made for who asks.
    many = connection.settings_dict["NAME"]
    few = f"{many}_few"
    crowd.empty()
    crowd.fill_thinly(FEW)
    history.now()
    user = make_coordinator("moderator", username="bench")
    connection.close()
    with connection._nodb_cursor() as cursor:
        cursor.execute(f'CREATE DATABASE "{few}" TEMPLATE "{many}"')
    try:
        crowd.empty()
        start = perf_counter()
        crowd.fill_thinly(MANY)
        history.now()
        print(f"{MANY:,} signatures made and counted in {perf_counter() - start:.0f} s", flush=True)
        times = {few: defaultdict(list), many: defaultdict(list)}
        for number in range(ROUNDS):
            for database, found in times.items():
                use(database)
                _measure(found, number, user)
        _tell(times[few], times[many])
    finally:
        use(many)
        with connection._nodb_cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{few}"')
        crowd.empty()


def _measure(found: dict[str, list[float]], number: int, user) -> None:
    client, desk = Client(), Client()
    desk.force_login(user)
    client.get("/healthz")
    for n in range(POSTS + 1):
        form = {"name": "Sample Signer", "country": "MA", "consent": "on",
                "email": f"round{number}-{n}@example.org"}  # fmt: skip
        with _timed(found["sign"], n):
            assert client.post("/ar/sign/", form).status_code == 303
        latest = Signature.objects.pending().order_by("-pk")
        reference = latest.values_list("reference", flat=True)[0]
        token = links.token(links.CONFIRM, reference)
        with _timed(found["confirm"], n):
            assert signatures.confirm(token)
    for name, path in READ.items():
        asked = desk if path.startswith("/admin/") else client
        for n in range(READS + 1):
            caches["process"].clear()
            with _timed(found[name], n):
                assert asked.get(path).status_code == 200


@contextmanager
def _timed(found: list[float], n: int):
    """The first of each round connects and is left out."""
    start = perf_counter()
    yield
    if n:
        found.append(perf_counter() - start)


def _tell(few: dict[str, list[float]], many: dict[str, list[float]]) -> None:
    print(f"Medians in ms at {FEW:,} and {MANY:,}, and their ratio (bar {BAR})")
    for name, values in few.items():
        little, much = median(values) * 1000, median(many[name]) * 1000
        print(f"  {name:28} {little:7.2f} {much:7.2f} {much / little:6.2f}")
