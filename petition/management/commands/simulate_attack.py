"""Plays five kinds of made-up signing against a running development site, and says what came of it.

    manage.py simulate_attack --site http://127.0.0.1:8000 --count 200

Sign forms are posted over HTTP, as a program would; links are read from the database in place of
the mailboxes. Run it on a throw-away database.
"""

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

from disposable_email_domains import blocklist
from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from petition.ground import links
from petition.models import Signature
from petition.signing import signs

COUNTRIES = ("MA", "LB", "FR", "ES", "PS")
THREADS = 8
_chance = random.Random()  # noqa: S311 - nothing here is secret.


def catch_all(number: int) -> str:
    return f"a{number}@catch-all-{RUN}.example"


def throw_away(number: int) -> str:
    domains = sorted(name for name in blocklist if name.isascii())
    return f"b{RUN}{number}@{domains[number * 7 % len(domains)]}"


def plus_tags(number: int) -> str:
    return f"victim{RUN}+{number}@company-{RUN}.example"


def botnet(number: int) -> str:
    return f"c{RUN}.{number}@gmail.com"


def click_farm(number: int) -> str:
    return f"d{RUN}.{number}@hotmail.com"


RUN = f"{int(time.time()) % 100_000}"
# Each with the share that is confirmed, and after which seconds.
ATTACKS: dict[str, tuple[Callable[[int], str], float, float]] = {
    "one catch-all domain": (catch_all, 1.0, 0),
    "throw-away domains": (throw_away, 0.8, 0),
    "plus-tags of one mailbox": (plus_tags, 0.0, 0),
    "a botnet that confirms by script": (botnet, 1.0, 7),
    "a click farm of people": (click_farm, 0.8, 0),
}


class Command(BaseCommand):
    help = "Plays five kinds of made-up signing against a development site (DEBUG=1 only)."

    def add_arguments(self, parser):
        parser.add_argument("--site", default="http://127.0.0.1:8000")
        parser.add_argument("--count", type=int, default=200, help="posts of each kind")

    def handle(self, *, site: str, count: int, **options):
        if not settings.DEBUG:
            raise CommandError("This makes signatures up: it runs with DEBUG=1 only.")
        self.stdout.write(f"{'attack':34}{'posted':>8}{'refused':>9}{'rows':>7}{'counted':>9}"
                          f"{'held':>6}{'CPU s':>8}  seen as")  # fmt: skip
        for name, (address, confirmed, after) in ATTACKS.items():
            self._play(urlsplit(site), name, [address(n) for n in range(count)], confirmed, after)

    def _play(self, site, name: str, emails: list[str], confirmed: float, after: float):
        before, began = _known(), time.process_time()
        with ThreadPoolExecutor(THREADS) as pool:
            answers = list(pool.map(lambda email: _sign(site, email), emails))
        made = Signature.objects.exclude(pk__in=before)
        for row in list(made)[: int(len(emails) * confirmed)]:
            if after:  # As if so many seconds had passed.
                since = timezone.now() - timedelta(seconds=after)
                Signature.objects.filter(pk=row.pk).update(signed_at=since)
            _post(site, f"/en/confirm/{links.token(links.CONFIRM, row.reference)}/", {"x": "1"})
        cpu = time.process_time() - began
        seen = sorted({sign.kind.value for sign in signs.look(timezone.now())})
        self.stdout.write(
            f"{name:34}{len(emails):8}{sum(a != 303 for a in answers):9}{made.count():7}"
            f"{made.filter(state='counted').count():9}{made.filter(state='held').count():6}"
            f"{cpu:8.2f}  {', '.join(seen) or '-'}"
        )


def _known() -> list[int]:
    return list(Signature.objects.values_list("pk", flat=True))


def _sign(site, email: str) -> int:
    fields = {"name": "Made Up", "email": email, "country": _chance.choice(COUNTRIES),
              "consent": "on"}  # fmt: skip
    return _post(site, "/en/sign/", fields)


def _post(site, path: str, fields: dict[str, str]) -> int:
    connection = HTTPConnection(site.hostname, site.port, timeout=30)
    kind = {"Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", path, urlencode(fields), kind)
    status = connection.getresponse().status
    connection.close()
    return status
