"""Mail as a weapon: one mailbox in a thousand spellings from five hundred networks, and ten
thousand made-up mailboxes of one domain. What leaves, and do others sign undisturbed?"""

import subprocess
import sys
import time
from time import perf_counter

from django.conf import settings
from django.core.cache import caches
from django.test import Client
from django.utils import timezone

from bench import crowd
from bench.ratios import SINK, SMTP_PORT
from petition.letters import sending
from petition.models import Letter, Signature
from petition.signing import signs

POSTS, SPELLINGS, NETWORKS = 10_000, 1_000, 500
HONEST_EVERY = 20
MAILER_SECONDS = 60


def run() -> None:
    settings.RATELIMIT_ENABLE, settings.TRUSTED_PROXIES = True, 1
    one_mailbox()
    one_domain()
    settings.RATELIMIT_ENABLE = False


def one_mailbox() -> None:
    crowd.empty()
    caches["default"].clear()
    client, honest, slowest = Client(), 0, 0.0
    for n in range(POSTS):
        spelling = f"{'Victim' if n % 2 else 'victim'}+{n % SPELLINGS}@company.example"
        assert _sign(client, spelling, n % NETWORKS) in (303, 429)
        if n % HONEST_EVERY == 0:
            begun = perf_counter()
            honest += _sign(client, f"person{n}@gmail.com", 100_000 + n) == 303
            slowest = max(slowest, perf_counter() - begun)
    of_victim = Signature.objects.of_mailbox("victim@company.example")
    letters = Letter.objects.filter(signature__in=of_victim)
    due = letters.exclude(state=Letter.State.WITHHELD).count()
    print(f"One mailbox in {SPELLINGS:,} spellings, {POSTS:,} posts from {NETWORKS} networks:")
    print(f"  {of_victim.count()} signature, {due} e-mails for it (bar 5), "
          f"{letters.count() - due:,} withheld")  # fmt: skip
    print(f"  {honest} of {POSTS // HONEST_EVERY} others signed in between, the slowest "
          f"{slowest * 1000:.0f} ms")  # fmt: skip


def one_domain() -> None:
    crowd.empty()
    caches["default"].clear()
    caches["process"].clear()
    client, begun = Client(), perf_counter()
    for n in range(POSTS):
        assert _sign(client, f"made-up{n}@company.example", n) == 303
    taken = perf_counter() - begun
    kinds = {sign.kind.value: sign.count for sign in signs.look(timezone.now())}
    sink = subprocess.Popen([sys.executable, "-c", SINK % SMTP_PORT])
    settings.EMAIL_BACKEND = "petition.letters.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", SMTP_PORT
    try:
        time.sleep(2)
        until = time.monotonic() + MAILER_SECONDS
        while time.monotonic() < until:
            sending.send_due(lambda: time.monotonic() >= until)
            time.sleep(0.2)
    finally:
        sink.terminate()
    sent = Letter.objects.filter(state=Letter.State.SENT).count()
    print(f"{POSTS:,} made-up mailboxes of one domain, posted in {taken:.0f} s:")
    print(f"  seen on the desk at once: {kinds}")
    print(f"  {sent} e-mails in the {MAILER_SECONDS} s after it "
          f"(MAIL_DOMAIN_RATE allows {settings.MAIL_DOMAIN_RATE * 60:.0f} a minute)")  # fmt: skip


def _sign(client: Client, email: str, network: int) -> int:
    form = {"name": "Sample Signer", "country": "MA", "consent": "on", "email": email}
    address = f"198.{18 + network // 62_500}.{network // 250 % 250}.{network % 250 + 1}"
    return client.post("/en/sign/", form, headers={"X-Forwarded-For": address}).status_code
