"""News to fifty thousand people by real mailers, killed five times while people leave and sign."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from statistics import median
from time import perf_counter

from aiosmtpd.controller import Controller
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.utils import timezone

from bench import crowd
from bench.desk import environment, wait_until
from petition.campaign import newsroom
from petition.ground import links
from petition.models import ConsentText, Letter, Mailing, News, NewsText, Signature
from petition.signing import signatures, tallies

MANY = int(os.environ.get("BENCH_READERS", 50_000))
KILLS = 5
LEAVING = 1000


class Box:
    """A mail server that notes who got a letter, and when."""

    def __init__(self):
        self.got = Counter()
        self.at = {}

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        (reader,) = envelope.rcpt_tos
        self.got[reader] += 1
        self.at[reader] = perf_counter()
        return "250 OK"

    @property
    def letters(self) -> int:
        return self.got.total()


def run() -> None:
    crowd.empty()
    readers(MANY)
    box = Box()
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    server = Controller(box, hostname="127.0.0.1", port=port)
    server.start()
    try:
        send(box, f"smtp://127.0.0.1:{port}")
    finally:
        server.stop()
    Letter.objects.all().delete()
    Mailing.objects.all().delete()
    crowd.empty()


def readers(how_many: int) -> None:
    """Fictional people who asked for news and confirmed it."""
    consent, at = ConsentText.objects.get(version=2, language="ar"), timezone.now()
    for first in range(0, how_many, 5000):
        Signature.objects.bulk_create(
            Signature(
                name="Sample Signer", email=f"reader{n}@example.org", mailbox=b"reader %d" % n,
                country="MA", language=("ar", "fr", "en")[n % 3], updates=True, consent=consent,
                state="counted", signed_at=at, confirmed_at=at,
            )
            for n in range(first, min(first + 5000, how_many))
        )  # fmt: skip
    tallies.mend()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")


def send(box: Box, url: str) -> None:
    newsroom.send(story(), User.objects.create_user("editor of the bench"))
    last = Signature.objects.want_news().order_by("-pk")
    leaving = [(row.email, row.reference) for row in last[:LEAVING]]
    start = perf_counter()
    mailers = [start_mailer(url), start_mailer(url)]
    waited, left_at = [], {}
    for kill in range(1, KILLS + 1):
        wait_until(lambda kill=kill: box.letters > kill * MANY // (KILLS + 3))
        mailers[0].send_signal(signal.SIGKILL)
        mailers[0].wait()
        mailers = [mailers[1], start_mailer(url)]
        for email, reference in leaving[kill - 1 :: KILLS]:
            signatures.unsubscribe(links.token(links.UNSUBSCRIBE, reference))
            left_at[email] = perf_counter()
        waited += [wait_for_letter(box, f"signer{kill}-{n}@example.org") for n in range(3)]
    wait_until(lambda: Mailing.objects.get().state == Mailing.State.FINISHED)
    seconds = perf_counter() - start
    for mailer in mailers:
        mailer.terminate()
        mailer.wait()
    report(box, left_at, seconds, waited)


def report(box: Box, left_at: dict[str, float], seconds: float, waited: list[float]) -> None:
    news = {reader: n for reader, n in box.got.items() if reader.startswith("reader")}
    expected = {f"reader{n}@example.org" for n in range(MANY)} - left_at.keys()
    late = [email for email, at in left_at.items() if box.at.get(email, 0) > at]
    mailing = Mailing.objects.get()
    print(
        f"News to {MANY:,}, two mailers, killed {KILLS} times: {sum(news.values()):,} letters in "
        f"{seconds:.0f} s, {sum(news.values()) / seconds:.0f} a second\n"
        f"  got it: {len(news.keys() & expected):,} of {len(expected):,} who stayed; "
        f"twice: {sum(n - 1 for n in news.values())}; "
        f"after they had unsubscribed: {len(late)} of {len(left_at):,}\n"
        f"  the record says: {mailing.queued:,} queued, {mailing.sent:,} sent, "
        f"{mailing.skipped:,} no longer wanted\n"
        f"  a letter to confirm, posted meanwhile: median {median(waited):.2f} s, "
        f"longest {max(waited):.2f} s (mailers look every second)"
    )


def wait_for_letter(box: Box, email: str) -> float:
    """Seconds from the answer to a post of the form to the letter that it owes."""
    form = {"name": "Sample Signer", "email": email, "country": "FR", "consent": "on"}
    assert Client().post("/en/sign/", form).status_code == 303
    posted = perf_counter()
    while email not in box.at:
        time.sleep(0.005)
    return box.at[email] - posted


def story() -> News:
    shown = News.objects.create(slug="sample", publish_at=timezone.now(), created_by="bench")
    for language in ("ar", "fr"):
        NewsText.objects.create(
            news=shown, language=language, title="Sample title", summary="Sample summary",
            body="Sample text", changed_by="bench",
        )  # fmt: skip
    return shown


def start_mailer(url: str) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "manage.py", "mailer"],
        env=environment() | {"EMAIL_URL": url, "NEWS_RATE": "100000/s"},
        stderr=subprocess.DEVNULL,
    )
