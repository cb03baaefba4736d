"""Appends to the log what has changed the count since, in random order, and signs the new head.

One process at a time; all of a round is one transaction, so a killed one leaves nothing half done.
"""

import logging
import secrets
from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.db import IntegrityError, OperationalError, connection, transaction
from django.utils import timezone

from petition import audit
from petition.ground import ed25519, encryption
from petition.log import events, notes
from petition.log.tiles import Tiles
from petition.models import LogEvent, LogHead, LogOpening, Sheet, Signature
from petition.models.signatures import RECEIPT

logger = logging.getLogger(__name__)

BATCH = 2000
Figures = Callable[[], tuple[int, int]]  # What is published now: online, paper.
_shuffle = secrets.SystemRandom().shuffle


@dataclass
class _Round:
    """What one round appends."""

    lines: list[tuple[str, bytes | None]]  # with the sealed opening of each
    is_all: bool  # Nothing more waited when it was read.


def origin() -> str:
    """The log's name in its checkpoints."""
    return f"{urlsplit(settings.SITE_URL).netloc}/log"


def verifier() -> notes.Verifier | None:
    """Whose signature the log's checkpoints have; None where no LOG_KEY is set."""
    if not settings.LOG_KEY:
        return None
    public = ed25519.public_key(settings.LOG_KEY)
    return notes.Verifier(origin(), notes.ED25519, public)


def append(published: Figures, rules: int) -> int:
    """One round; returns how many entries were appended. What is left waits for the next round, and
    so does everything where another process is at it."""
    if not settings.LOG_KEY:
        return 0
    try:
        with snapshot():
            return _append(published, rules)
    except (OperationalError, IntegrityError) as error:  # Another process was first.
        logger.info("A round of the log is left to another process: %s", type(error).__name__)
        return 0


@contextmanager
def snapshot():
    """A transaction that sees one moment: what is published there is what its events add up to."""
    outermost = not connection.in_atomic_block
    with transaction.atomic():
        if connection.vendor == "postgresql" and outermost:
            with connection.cursor() as cursor:
                cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        yield


def _append(published: Figures, rules: int) -> int:
    if not LogHead.objects.exists():
        LogHead.objects.create(pk=1)
    head = LogHead.objects.select_for_update().get()
    now = timezone.now()
    taken = _take()
    lines = taken.lines
    if head.rules != rules:
        lines.insert(0, (events.rules(rules, now), None))
        head.rules = rules
    for line, _opening in lines:
        online, paper = events.value(line)
        head.online, head.paper = head.online + online, head.paper + paper
    if taken.is_all and _is_due(head.total_at, now):
        figures = published()
        if figures == (head.online, head.paper):
            lines.append((events.total(*figures, now), None))
            head.total_at = now
        else:
            logger.error(
                "The log adds up to %s, published is %s.", (head.online, head.paper), figures
            )
    if not lines:
        return 0
    entries = [line.encode("ascii") for line, _ in lines]
    tiles = Tiles()
    top = tiles.append(head.size, entries)
    tiles.save(now)
    LogOpening.objects.bulk_create(
        LogOpening(index=index, sealed=opening)
        for index, (_, opening) in enumerate(lines, start=head.size)
        if opening
    )
    head.size += len(entries)
    text = notes.Checkpoint(origin(), head.size, top, _audited(now)).text
    head.checkpoint, head.signed_at = notes.sign(text, origin(), settings.LOG_KEY), now
    head.save()
    return len(entries)


def _audited(now: datetime) -> tuple[str, ...]:
    """How far the audit had come when this day (UTC) began: whoever keeps a checkpoint can have it
    compared later. Once a day, so that nobody can see at which hours coordinators work."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    mark = audit.mark(midnight)
    return (f"audit {midnight:%Y-%m-%d} {mark}",) if mark else ()


def _take() -> _Round:
    """Takes what waits, in random order: who confirmed after whom is not to be told."""
    waiting = list(LogEvent.objects.order_by("pk")[:BATCH])
    LogEvent.objects.filter(pk__in=[event.pk for event in waiting]).delete()
    lines = [(e.line, bytes(e.opening) if e.opening is not None else None) for e in waiting]
    counted, sheets = _counted(), _sheets()
    lines += [(line, None) for line in counted] + sheets
    _shuffle(lines)
    is_all = max(len(waiting), len(counted), len(sheets)) < BATCH
    return _Round(lines, is_all)


def _counted() -> list[str]:
    """Signatures that are counted and not in the log: each gets its secret bytes."""
    skip = connection.features.has_select_for_update_skip_locked
    rows = Signature.objects.counted().filter(in_log=False).select_for_update(skip_locked=skip)
    signatures = list(rows.only("pk", "reference", "email")[:BATCH])
    lines = []
    for signature in signatures:
        try:
            secret, line = events.counted(signature.email or "")
        except encryption.Unreadable:
            logger.error("Signature of row %s has no key: its entry binds nobody.", signature.pk)
            secret, line = events.counted(secrets.token_hex())
        row = signature.reference.bytes
        signature.in_log, signature.receipt = True, encryption.seal(secret, RECEIPT, row)
        lines.append(line)
    Signature.objects.bulk_update(signatures, ["in_log", "receipt"], batch_size=250)
    return lines


def _sheets() -> list[tuple[str, bytes | None]]:
    skip = connection.features.has_select_for_update_skip_locked
    rows = Sheet.objects.counted().filter(in_log=False).select_for_update(skip_locked=skip)
    sheets = list(rows[:BATCH])
    Sheet.objects.filter(pk__in=[sheet.pk for sheet in sheets]).update(in_log=True)
    made = [events.sheet(sheet.number, sheet.valid) for sheet in sheets if sheet.valid]
    return [(event.line, bytes(event.opening or b"")) for event in made]


def _is_due(last: datetime | None, now: datetime) -> bool:
    """A total is published once in each hour."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    return last is None or last < hour or now - last >= timedelta(hours=1)
