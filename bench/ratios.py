"""What signing, confirming and reading cost, against a view that does nothing under the same
gunicorn; and whether one mailer keeps up. Needs `wrk` (Debian's package)."""

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from urllib.request import urlopen

from django.conf import settings as django_settings
from django.db import connection
from django.db.models import Max, Min

from bench import crowd, pgbench
from bench.desk import environment
from petition.ground import encryption, links
from petition.models import Letter, Signature

PORT, SMTP_PORT = 8795, 8796
MAILS = {"EMAIL_URL": f"smtp://127.0.0.1:{SMTP_PORT}"}
WORKERS, CLIENTS, ROUNDS, SECONDS, MINUTE = os.cpu_count() or 1, 16, 5, 3, 60
SITE = f"http://127.0.0.1:{PORT}"
PAGES = {
    "home": "/ar/", "sign form": "/ar/sign/", "counter page": "/ar/counter/",
    "tracks": "/ar/tracks/", "cases": "/ar/cases/", "frame": "/embed/ar/counter/",
    "counter.json": "/api/v1/counter.json",
}  # fmt: skip
BARS = {"sign": 0.40, "confirm": 0.40} | dict.fromkeys(PAGES, 0.90)
FORM = "application/x-www-form-urlencoded"
# wrk's own language. Each thread has a number of its own, so that no address comes twice.
POSTS = f"""
local n, thread = 0, 0
function setup(t) t:set("thread", thread); thread = thread + 1 end
wrk.method = "POST"
wrk.headers["Content-Type"] = "{FORM}"
function request()
  n = n + 1
  local email = "r%(round)s-" .. thread .. "-" .. n .. "@example.org"
  return wrk.format(nil, nil, nil, "name=Sample+Signer&country=MA&consent=on&email=" .. email)
end
"""
CONFIRMS = """
local thread, paths, at = 0, {}, 0
function setup(t) t:set("thread", thread); thread = thread + 1 end
wrk.method = "POST"
function init()
  local place = 0
  for line in io.lines("%(paths)s") do
    if place %% 2 == thread then paths[#paths + 1] = line end
    place = place + 1
  end
end
function request()
  at = at + 1
  return wrk.format(nil, paths[at] or "/none")
end
"""
# Postfix's own server for measuring; where it is missing, one in Python, which takes six times as
# much of the same cores.
POSTFIX = ["smtp-sink", "-u", "nobody"]
SINK = """
import time
from aiosmtpd.controller import Controller
class Box:
    async def handle_DATA(self, server, session, envelope): return "250 OK"
Controller(Box(), hostname="127.0.0.1", port=%s).start()
time.sleep(3600)
"""


def production() -> dict[str, str]:
    """The environment of a site in production."""
    keys = base64.urlsafe_b64encode(django_settings.DATA_KEYS[0]).decode()
    return {
        "DEBUG": "0", "SECRET_KEY": django_settings.SECRET_KEY, "DATA_KEYS": keys,
        "SECURE_SSL_REDIRECT": "0",
        "DJANGO_SETTINGS_MODULE": "bench.settings", "WEB_CONCURRENCY": str(WORKERS),
        "RATELIMIT_ENABLE": "0", "LOG_KEY": "YmVuY2htYXJrcy1iZW5jaG1hcmtzLWJlbmNobWFya3M",
    }  # fmt: skip


def run() -> dict:
    if not shutil.which("wrk"):
        print("Skipped: wrk is missing. Install it with: apt-get install wrk")
        return {}
    crowd.empty()
    settings = production()
    server = subprocess.Popen(
        # At the priority that its unit gives it.
        ["nice", "-n", "5", sys.executable, "-m", "gunicorn", "campaign_site.wsgi", "-b",
         f"127.0.0.1:{PORT}"],
        env=environment() | settings, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _wait()
        found = _measure(server.pid)
        found["letters while people sign"] = _letters_meanwhile(environment() | settings)
    finally:
        server.terminate()
        server.wait()
    found["letters"] = _letters(environment() | settings, found["sign"]["rate"])
    _tell(found)
    return found


def _measure(pid: int) -> dict:
    rates: dict[str, list[float]] = {}
    cpu: dict[str, list[tuple[float, float]]] = {"sign": [], "confirm": []}
    by_itself = pgbench.prepare()
    for number in range(ROUNDS):
        _note(rates, "nothing, GET", _wrk("/constant"))
        for name, path in PAGES.items():
            _note(rates, name, _wrk(path))
        _note(rates, "nothing, POST", _wrk("/constant", POSTS % {"round": number}))
        with _cpu_of(pid, rates, "sign", cpu):
            _note(rates, "sign", _wrk("/ar/sign/", POSTS % {"round": number}))
        with tempfile.TemporaryDirectory() as directory:
            paths = Path(directory) / "paths"
            paths.write_text("".join(_to_confirm(20_000)))
            with _cpu_of(pid, rates, "confirm", cpu):
                _note(rates, "confirm", _wrk("/none", CONFIRMS % {"paths": paths}))
        for name, rate in pgbench.rates(CLIENTS, SECONDS).items() if by_itself else ():
            _note(rates, name, rate)
    found: dict = {}
    for name, each in rates.items():
        posts = not name.endswith("GET") and name not in PAGES
        floor = median(rates["nothing, POST" if posts else "nothing, GET"])
        ratio = round(median(each) / floor, 2)
        found[name] = {"rate": round(median(each)), "least": round(min(each)),
                       "most": round(max(each)), "ratio": ratio}  # fmt: skip
    for name in ("sign", "confirm"):
        of_web, of_database = zip(*cpu[name], strict=True)
        found[name]["cpu_ms"] = round(median(of_web), 2)
        found[name]["database_cpu_ms"] = round(median(of_database), 2)
        found[name]["of_pgbench"] = {
            floor: round(median(rates[name]) / median(each), 2)
            for floor, each in rates.items()
            if floor.startswith("pgbench")
        }
    return found


def _letters(about: dict, signing_rate: float) -> dict:
    rates = [_send(about) for _ in range(ROUNDS)]
    rate = median(rates)
    return {"rate": round(rate), "least": round(min(rates)), "most": round(max(rates)),
            "ratio": round(rate / signing_rate, 2)}  # fmt: skip


def _send(about: dict) -> float:
    """10,000 letters that are due, by one mailer and a real SMTP server on loopback: how many a
    second, from the first that went out to the last. Fewer would tell how it begins."""
    crowd.empty()
    crowd.fill(10_000, letters=False)
    Letter.objects.bulk_create(
        Letter(signature_id=pk, kind="confirm", language="ar")
        for pk in Signature.objects.values_list("pk", flat=True)
    )
    with _mail_server():
        subprocess.run([sys.executable, "manage.py", "mailer", "--once"], check=True,
                       env=about | MAILS, stdout=subprocess.DEVNULL)  # fmt: skip
    sent = Letter.objects.filter(state="sent")
    ends = sent.aggregate(first=Min("ended_at"), last=Max("ended_at"))
    return sent.count() / (ends["last"] - ends["first"]).total_seconds()


def _letters_meanwhile(about: dict) -> dict:
    """People sign at full rate for a minute, and one mailer sends: how old the oldest letter is
    that waits, looked at ten times a second."""
    crowd.empty()
    ages = []
    with _mail_server():
        mailer = subprocess.Popen([sys.executable, "manage.py", "mailer"], env=about | MAILS,
                                  stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)  # fmt: skip
        time.sleep(3)
        with ThreadPoolExecutor(1) as pool:
            signing = pool.submit(_wrk, "/ar/sign/", POSTS % {"round": "m"}, MINUTE)
            while not signing.done():
                ages.append(_oldest_seconds())
                time.sleep(0.1)
            rate = signing.result()
        sent = Letter.objects.filter(state="sent").count()
        mailer.terminate()
        mailer.wait()
    return {"signing": round(rate), "sent": round(sent / MINUTE), "oldest": round(max(ages), 1),
            "waiting": Letter.objects.filter(state="due").count()}  # fmt: skip


def _oldest_seconds() -> float:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT extract(epoch FROM now() - min(due_at)) FROM petition_letter "
            "WHERE state = 'due' AND mailing_id IS NULL"
        )
        return float(cursor.fetchone()[0] or 0)


@contextmanager
def _mail_server() -> Iterator[None]:
    command = [sys.executable, "-c", SINK % SMTP_PORT]
    if shutil.which("smtp-sink"):
        command = [*POSTFIX, f"127.0.0.1:{SMTP_PORT}", "1000"]
    sink = subprocess.Popen(command)
    try:
        time.sleep(2)
        yield
    finally:
        sink.terminate()
        sink.wait()


def _to_confirm(how_many: int) -> list[str]:
    """The paths that confirm pending signatures of this round."""
    pending = Signature.objects.pending().order_by("-pk").values_list("reference", flat=True)
    missing = how_many - pending.count()
    if missing > 0:
        _pend(missing)
    return [f"/ar/confirm/{links.token(links.CONFIRM, r)}/\n" for r in pending[:how_many]]


def _pend(how_many: int) -> None:
    sealed = [encryption.encrypt("Sample", f"signature {name}") for name in ("name", "email")]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO petition_signature (reference, state, name, email, mailbox_index,
              domain_index, country, updates, delivery, consent_id, language, signed_at, moved_at,
              reason)
            SELECT gen_random_uuid(), 'pending', %s, %s, decode(md5(random()::text), 'hex'), NULL,
              'MA', false, false, (SELECT max(id) FROM petition_consenttext), 'ar', now(), now(), ''
            FROM generate_series(1, %s)
            """,
            [*sealed, how_many],
        )


def _wrk(path: str, script: str = "", seconds: int = SECONDS) -> float:
    """Requests a second that were answered as they should be."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        extra = ["-s", file.name] if script else []
        said = subprocess.run(
            ["wrk", "-t2", f"-c{CLIENTS}", f"-d{seconds}s", *extra, SITE + path],
            capture_output=True, text=True, check=True,
        ).stdout  # fmt: skip
    wrong = re.search(r"Non-2xx or 3xx responses: (\d+)", said)
    assert not wrong, f"{path}: {wrong[1]} answers were wrong"
    return float(re.search(r"Requests/sec:\s+([\d.]+)", said)[1])


def _note(rates: dict, name: str, rate: float) -> None:
    rates.setdefault(name, []).append(rate)


@contextmanager
def _cpu_of(
    pid: int, rates: dict[str, list[float]], name: str, cpu: dict[str, list[tuple[float, float]]]
) -> Iterator[None]:
    """Notes what each post took of gunicorn's workers and of PostgreSQL, in ms."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        about = Path(f"/proc/{cursor.fetchone()[0]}/stat").read_text()
    pids = pid, int(about.rpartition(")")[2].split()[1])  # Whose child the backend is.
    before = [_cpu_seconds(each) for each in pids]
    yield
    posts = rates[name][-1] * SECONDS
    web, database = (
        (_cpu_seconds(each) - had) / posts * 1000 for each, had in zip(pids, before, strict=True)
    )
    cpu[name].append((web, database))


def _cpu_seconds(pid: int) -> float:
    """Of the processes that a program has started, also of those that have ended."""
    own = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    fields = [
        Path(f"/proc/{child}/stat").read_text().rpartition(")")[2].split() for child in children
    ]
    alive = sum(int(each[11]) + int(each[12]) for each in fields)
    return (alive + int(own[13]) + int(own[14])) / 100


def _wait() -> None:
    for _ in range(300):
        try:
            with urlopen(f"{SITE}/ar/", timeout=5) as answer:
                assert answer.status == 200
            return
        except OSError:
            time.sleep(0.1)
    raise AssertionError("gunicorn did not start")


def _tell(found: dict) -> None:
    print(
        f"gunicorn, {WORKERS} workers, {CLIENTS} clients of wrk on the same cores, durable, "
        f"medians of {ROUNDS} rounds of {SECONDS} s; ratio to a view that does nothing"
    )
    print(f"  {'':22} {'a second':>9} {'ratio':>6} {'bar':>5}")
    meanwhile = found["letters while people sign"]
    for name, about in found.items():
        if about is meanwhile:
            continue
        bar = BARS.get(name, 1.0 if name == "letters" else None)
        shown = f"{bar:5.2f}" if bar else ""
        print(f"  {name:22} {about['rate']:9,} {about['ratio']:6.2f} {shown}")
    for name in ("sign", "confirm"):
        for floor, ratio in found[name]["of_pgbench"].items():
            print(f"  {name:16} {ratio:.2f} of {floor}")
    for name in ("sign", "confirm"):
        print(f"  CPU of one POST to {name}: {found[name]['cpu_ms']} ms of the web process "
              f"(bar to sign: 1.0), {found[name]['database_cpu_ms']} of PostgreSQL")  # fmt: skip
    print(
        f"  While {meanwhile['signing']:,} a second sign for a minute, {meanwhile['sent']:,} "
        f"letters leave; the oldest that waits is {meanwhile['oldest']} s old (bar 5), "
        f"{meanwhile['waiting']:,} wait at the end"
    )
    Path(__file__).with_name("results.json").write_text(json.dumps(found, indent=2) + "\n")
