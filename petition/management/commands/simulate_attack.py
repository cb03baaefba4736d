"""Plays five kinds of made-up signing against a running development site, and says what came of it.

    manage.py simulate_attack --site http://127.0.0.1:8000 --count 200

Sign forms are posted over HTTP, as a program would; links are read from the database in place of
the mailboxes. Run it on a throw-away database, with TRUSTED_PROXIES=1 and a cache in Redis: the
attacks come from made-up networks, and what is counted by network is in the cache.
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
from django.core.cache import caches
from django.core.management.base import BaseCommand, CommandError
from django.db.models import F
from django.utils import timezone

from petition.ground import links
from petition.models import Signature
from petition.signing import signs, tallies

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
    """People choose addresses as people do, in a few rooms."""
    return f"{_word()}{_word()}{RUN}{number}@hotmail.com"


def _word() -> str:
    return "".join(_chance.choices("abdefghiklmnorstuyz", k=6))


def _at_once() -> float:
    return 0.0


def _by_script() -> float:
    return 7.0


def _as_people_do() -> float:
    return _chance.uniform(20, 1500)


RUN = f"{int(time.time()) % 100_000}"
# Each with the share that is confirmed, after how many seconds, and from how many networks.
ATTACKS: dict[str, tuple[Callable[[int], str], float, Callable[[], float], int]] = {
    "one catch-all domain": (catch_all, 1.0, _at_once, 10_000),
    "throw-away domains": (throw_away, 0.8, _at_once, 10_000),
    "plus-tags of one mailbox": (plus_tags, 0.0, _at_once, 10_000),
    "a botnet that confirms by script": (botnet, 1.0, _by_script, 10_000),
    "a click farm of people": (click_farm, 0.8, _as_people_do, 20),
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
                          f"{'held':>6}{'CPU s':>8}{'in sign':>9}  seen as")  # fmt: skip
        for name, (address, confirmed, after, networks) in ATTACKS.items():
            posts = [(address(n), _network(n % networks)) for n in range(count)]
            self._play(urlsplit(site), name, posts, confirmed, after)

    def _play(self, site, name: str, posts: list[tuple[str, str]], confirmed: float, after):
        _begin_anew()
        before, began = _known(), time.process_time()
        with ThreadPoolExecutor(THREADS) as pool:
            answers = list(pool.map(lambda post: _sign(site, *post), posts))
        made = Signature.objects.exclude(pk__in=before)
        for row in list(made)[: int(len(posts) * confirmed)]:
            if seconds := after():  # As if so many had passed.
                since = timezone.now() - timedelta(seconds=seconds)
                Signature.objects.filter(pk=row.pk).update(signed_at=since)
            _post(site, f"/en/confirm/{links.token(links.CONFIRM, row.reference)}/", {"x": "1"})
        cpu = time.process_time() - began
        found = list(signs.look(timezone.now()))
        seen = sorted({sign.kind.value for sign in found})
        share = max((sign.count / sign.of for sign in found), default=0)
        self.stdout.write(
            f"{name:34}{len(posts):8}{sum(a != 303 for a in answers):9}{made.count():7}"
            f"{made.filter(state='counted').count():9}{made.filter(state='held').count():6}"
            f"{cpu:8.2f}{share:9.0%}  {', '.join(seen) or '-'}"
        )


def _begin_anew() -> None:
    """What was before is two days old, and no network is remembered: each attack meets a quiet
    site."""
    ago = timedelta(days=2)
    Signature.objects.update(signed_at=F("signed_at") - ago, confirmed_at=F("confirmed_at") - ago)
    tallies.mend()
    caches["default"].clear()


def _known() -> list[int]:
    return list(Signature.objects.values_list("pk", flat=True))


def _network(number: int) -> str:
    """Of the block for benchmarks (RFC 2544); believed where TRUSTED_PROXIES=1."""
    return f"198.18.{number // 250 % 250}.{number % 250 + 1}"


def _sign(site, email: str, network: str) -> int:
    name = f"{_word()} {_word()}".title()
    country = _chance.choice(COUNTRIES)
    fields = {"name": name, "email": email, "country": country, "consent": "on"}
    return _post(site, "/en/sign/", fields, network)


def _post(site, path: str, fields: dict[str, str], network: str = "198.18.0.1") -> int:
    connection = HTTPConnection(site.hostname, site.port, timeout=30)
    headers = {"Content-Type": "application/x-www-form-urlencoded", "X-Forwarded-For": network}
    connection.request("POST", path, urlencode(fields), headers)
    status = connection.getresponse().status
    connection.close()
    return status
