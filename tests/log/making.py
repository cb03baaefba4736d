"""Counts, appends and reads as the site does."""

import importlib.util

from django.conf import settings as site

from petition.ground import links
from petition.log import merkle, sequencer
from petition.log.tiles import ENTRIES, Tiles, entries
from petition.models import LogHead, Signature
from petition.signing import signatures, tallies
from tests.making import make_signature

SCRIPT = site.BASE_DIR / "static" / "verify_count.py"


def published():
    counter = tallies.read_counter()
    return counter.online, counter.paper


def append() -> int:
    return sequencer.append(published, tallies.RULES)


def lines() -> list[str]:
    head, read = LogHead.objects.first(), Tiles().read
    found = []
    for number in range(-(-(head.size if head else 0) // merkle.WIDTH)):
        found += [entry.decode() for entry in entries(read(ENTRIES, number))]
    return found


def kinds() -> list[str]:
    return [line.split(" ")[1] for line in lines()]


def counted(number=1, **fields) -> list[Signature]:
    """Signatures that are counted as the site counts them."""
    made = []
    for n in range(number):
        signature = make_signature(f"sample{n}-{Signature.objects.count()}@example.org", **fields)
        signatures.confirm(links.token(links.CONFIRM, signature.reference))
        signature.refresh_from_db()
        made.append(signature)
    return made


def withdraw(signature):
    signatures.withdraw(links.token(links.WITHDRAW, signature.reference))


def program():
    spec = importlib.util.spec_from_file_location("verify_count", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
