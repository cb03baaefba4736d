"""What the coordinators' desk costs among ten thousand signatures and among a million."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from http.client import HTTPConnection
from statistics import median
from time import perf_counter
from urllib.parse import urlencode

from django.contrib.auth.models import User
from django.db import connection
from django.db.models import Count, Sum
from django.test import Client
from django.test.utils import CaptureQueriesContext

from bench import crowd
from petition.desk import exports
from petition.models import Export, Signature, Sweep, SweepMove
from petition.signing import sweeps, tallies

LIST = "/admin/petition/signature/"
REPEATS = 15
FEW, MANY = 10_000, int(os.environ.get("BENCH_SIGNATURES", 1_000_000))
FILTERS = (
    "state=held", "state=pending", "state=counted", "country=MA", "country=IS", "language=fr",
    "track=fate", "track=none", "reason=automated", "channel=online",
    "state=held&country=LB&language=fr&track=fate", "day={day}", "confirmed={day}",
)  # fmt: skip
PORT = 8791


def run() -> None:
    client = Client()
    client.force_login(User.objects.create_superuser("bench"))
    few = screens(client, FEW)
    many = screens(client, MANY)
    print(f"The desk, medians of {REPEATS}; at {FEW:,} and at {MANY:,} signatures")
    for name, (time_few, _) in few.items():
        time_many, statements = many[name]
        print(
            f"  {name:52} {time_few * 1000:6.1f} ms {time_many * 1000:6.1f} ms, "
            f"ratio {time_many / time_few:.2f}, {statements} statements"
        )
    print()
    delivery(client)
    sweep()
    crowd.empty()


def screens(client: Client, how_many: int) -> dict[str, tuple[float, int]]:
    """The median time in seconds and the number of statements of each screen."""
    crowd.empty()
    start = perf_counter()
    crowd.fill(how_many)
    print(f"{how_many:,} signatures made in {perf_counter() - start:.0f} s", flush=True)
    signature = crowd.one()
    day = Signature.objects.order_by("pk")[how_many // 2].signed_at.date().isoformat()
    page = 500 if how_many >= 100_000 else how_many // 50 - 2
    far = address_of_page(client, page)
    measured = {
        "front page": lambda: client.get("/admin/"),
        "list": lambda: client.get(LIST),
        "page 500 (of the smaller: the last but one)": lambda: client.get(far),
        "search by e-mail, with the detail it leads to": lambda: client.post(
            f"{LIST}look-up/", {"email": "Looked.Up@Example.org"}, follow=True
        ),
        "detail": lambda: client.get(f"{LIST}{signature.pk}/change/"),
        "letters that bounced": lambda: client.get("/admin/petition/letter/?state=refused"),
    }
    for query in FILTERS:
        address = f"{LIST}?{query.format(day=day)}"
        measured[f"list, {query}"] = lambda a=address: client.get(a)
    return {name: cost(ask) for name, ask in measured.items()}


def cost(ask: Callable) -> tuple[float, int]:
    with CaptureQueriesContext(connection) as captured:
        assert ask().status_code == 200
    wrong = [q["sql"] for q in captured if "OFFSET" in q["sql"] or re.search(r"COUNT\(", q["sql"])]
    assert not [sql for sql in wrong if "petition_signature" in sql], wrong
    statements = len(captured)  # The next request forgets them.
    times = []
    for _ in range(REPEATS):
        start = perf_counter()
        ask()
        times.append(perf_counter() - start)
    return median(times), statements


def address_of_page(client: Client, number: int) -> str:
    """Turn pages from the first on, as a person does."""
    address = LIST
    for _ in range(number - 1):
        page = client.get(address).content.decode()
        older = re.search(r'href="([^"]+)" rel="next"', page)[1]
        address = LIST + older.replace("&amp;", "&")
    return address


# --- Delivery ----------------------------------------------------------------------------------


def delivery(client: Client) -> None:
    """A download from gunicorn, one worker with threads, as in production."""
    expected = exports.to_deliver().count()
    server = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "campaign_site.wsgi", "-b", f"127.0.0.1:{PORT}"],
        env=environment(),
        stderr=subprocess.DEVNULL,
    )
    try:
        worker = worker_of(server)
        get_page(client)
        before = peak_memory(worker)
        start = perf_counter()
        answer = ask_for_delivery(client)
        size = 0
        while part := answer.read(1 << 16):
            size += len(part)
        seconds = perf_counter() - start
        grown = peak_memory(worker) - before
        print(
            f"Delivery of {expected:,} rows from gunicorn: {expected / seconds:,.0f} rows a "
            f"second, "
            f"{size / 1e6:.1f} MB; the process's peak memory grew by {grown:.1f} MB"
        )
        answer = ask_for_delivery(client)
        answer.read(1000)
        answer.close()
        hung_up = perf_counter()
        while Export.objects.latest("pk").state == Export.State.RUNNING:
            time.sleep(0.05)
        stopped = Export.objects.latest("pk")
        print(
            f"A client that hung up stopped it within {perf_counter() - hung_up:.1f} s, "
            f"after {stopped.rows:,} rows ({stopped.state})"
        )
    finally:
        server.terminate()
        server.wait()
    print()


def environment() -> dict[str, str]:
    url = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**connection.settings_dict)
    return os.environ | {"DATABASE_URL": url}


def worker_of(server: subprocess.Popen) -> int:
    for _ in range(200):
        time.sleep(0.1)
        try:
            HTTPConnection("127.0.0.1", PORT, timeout=2).request("GET", "/healthz")
            children = f"/proc/{server.pid}/task/{server.pid}/children"
            with open(children) as file:
                return int(file.read().split()[0])
        except (OSError, IndexError):
            continue
    raise RuntimeError("gunicorn did not start")


def peak_memory(pid: int) -> float:
    """Megabytes."""
    with open(f"/proc/{pid}/status") as file:
        return int(re.search(r"VmHWM:\s+(\d+) kB", file.read())[1]) / 1024


def headers(client: Client) -> dict[str, str]:
    # Under the names that they have where DEBUG is 0.
    names = {"sessionid": "__Secure-session", "csrftoken": "__Secure-csrf"}
    cookies = "; ".join(f"{names.get(n, n)}={m.value}" for n, m in client.cookies.items())
    return {"Cookie": cookies, "Content-Type": "application/x-www-form-urlencoded"}


def get_page(client: Client) -> str:
    http = HTTPConnection("127.0.0.1", PORT)
    http.request("GET", "/admin/petition/export/delivery/", headers=headers(client))
    return http.getresponse().read().decode()


def ask_for_delivery(client: Client):
    page = client.get("/admin/petition/export/delivery/").content.decode()
    seal = re.search(r'name="sealed" value="([^"]+)"', page)[1]
    fields = {
        "reason": "A benchmark", "noted": "on", "sealed": seal,
        "csrfmiddlewaretoken": client.cookies["csrftoken"].value,
    }  # fmt: skip
    http = HTTPConnection("127.0.0.1", PORT)
    http.request("POST", "/admin/petition/export/delivery/", urlencode(fields), headers(client))
    answer = http.getresponse()
    assert answer.status == 200, answer.status
    return answer


# --- Sweep -------------------------------------------------------------------------------------


def sweep() -> None:
    """A quarter of all by a sweeper in a process of its own while people sign; killed, undone."""
    former = dict(states())
    these = [Sweep(country=c, reason="automated", to="held") for c in ("MA", "LB", "PS")]
    by = User.objects.get(username="bench")
    alone = signing("alone")
    for one in these:
        sweeps.start(one, by)
    expected = sum(one.expected for one in these)
    start = perf_counter()
    sweeper = start_sweeper()
    wait_until(lambda: SweepMove.objects.exists())
    meanwhile = signing("meanwhile")
    print(f"Sweep over {expected:,}: signing takes {meanwhile / alone:.2f} of its time alone")
    wait_until(lambda: moved_so_far() > expected // 3)
    sweeper.send_signal(signal.SIGKILL)
    sweeper.wait()
    sweeper = start_sweeper()
    wait_until(lambda: not Sweep.objects.exclude(state=Sweep.State.DONE).exists())
    seconds = perf_counter() - start
    moves = SweepMove.objects.count()
    print(
        f"  killed and resumed: {moves:,} moved, each once "
        f"({SweepMove.objects.values('signature').distinct().count():,} signatures), "
        f"{moves / seconds:,.0f} a second; recount: {len(tallies.recount())} differences"
    )
    for one in these:
        one.refresh_from_db()
        sweeps.undo(one, by)
    start = perf_counter()
    wait_until(lambda: not Sweep.objects.exclude(state=Sweep.State.DONE).exists())
    sweeper.terminate()
    sweeper.wait()
    same = {s: n for s, n in states() if s != "pending"} == {
        s: n for s, n in former.items() if s != "pending"
    }
    left = Signature.objects.exclude(reason="").exclude(state="held").count()
    print(
        f"  undone in {perf_counter() - start:.0f} s: states as before: {same}, reasons left over: "
        f"{left}; recount: {len(tallies.recount())} differences"
    )


def moved_so_far() -> int:
    return Sweep.objects.aggregate(n=Sum("moved"))["n"]


def states():
    return Signature.objects.values_list("state").annotate(n=Count("*")).order_by()


def start_sweeper() -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "manage.py", "sweeper"], env=environment(), stderr=subprocess.DEVNULL
    )


def wait_until(over: Callable[[], bool]) -> None:
    until = time.monotonic() + 3600
    while not over() and time.monotonic() < until:
        time.sleep(1)
    assert over()


def signing(prefix: str, how_many: int = 400) -> float:
    """The median of a POST to /en/sign/, from one client."""
    client, times = Client(), []
    for n in range(how_many):
        form = {"name": "Sample Signer", "email": f"{prefix}{n}@example.org", "country": "FR",
                "consent": "on"}  # fmt: skip
        start = perf_counter()
        assert client.post("/en/sign/", form).status_code == 303
        times.append(perf_counter() - start)
    return median(times)
