"""Deletes what is no longer needed, and moves what is kept to the current data key."""

import logging
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from petition import audit
from petition.ground import addresses, encryption
from petition.ground.fields import open_all
from petition.log.events import OPENING
from petition.models import Attempt, Entry, Letter, LogEvent, LogOpening, Signature
from petition.signing import lifecycle, tallies

logger = logging.getLogger(__name__)

# The privacy page says it; a test holds the two together.
LETTERS_KEPT_FOR = timedelta(days=30)
BATCH = 500
# Of two signatures of one mailbox the first of these stays: what coordinators decided, then what
# its owner confirmed.
STAYS: list[str] = [
    Signature.State.REJECTED,
    Signature.State.HELD,
    Signature.State.COUNTED,
    Signature.State.PENDING,
]


def purge() -> dict[str, int]:
    """Delete unconfirmed signatures and ended letters whose time is over, and names and addresses
    once the day of IDENTITIES_END has come.

    In batches, each committed, so that it can be stopped and run again at any time.
    """
    # By the database's clock: a host whose clock is days ahead must not delete what is not due.
    now = min(timezone.now(), _database_now())
    expired = now - Signature.PENDING_FOR
    # One that was signed again since waits for the last of its letters.
    again = Attempt.objects.filter(signature=OuterRef("pk"), signed_at__gt=expired)
    overdue = Signature.objects.unconfirmed().filter(~Exists(again), signed_at__lte=expired)
    _delete(Attempt.objects.filter(signed_at__lte=expired))
    letters = Letter.objects.filter(ended_at__lte=now - LETTERS_KEPT_FOR)
    return {
        "signatures": _delete(overdue, _expire),
        "letters": _delete(letters),
        "identities": _end_identities(now),
    }


def _end_identities(now: datetime) -> int:
    """From the day of IDENTITIES_END on: names and addresses of those who confirmed are erased.

    The signatures stay, and so do all figures. So does the index of each mailbox, without which
    somebody could be counted twice: nobody can guess it back without the data keys. What the log
    has not counted yet waits: its entry binds the address.
    """
    if settings.IDENTITIES_END is None or now.date() < settings.IDENTITIES_END:
        return 0
    not_logged = Q(state=Signature.State.COUNTED, in_log=False)
    named = Signature.objects.filter(confirmed_at__isnull=False, email__isnull=False)
    named = named.exclude(not_logged)
    ended = 0
    while batch := list(named.order_by("pk").values_list("pk", flat=True)[:BATCH]):
        with transaction.atomic():
            ended += named.filter(pk__in=batch).update(**Signature.NAMELESS)
            Letter.objects.filter(signature__in=batch, state=Letter.State.DUE).delete()
    if ended:
        note = f"{ended} names and addresses: the day of IDENTITIES_END has come"
        audit.append(None, Entry.Act.ERASE, "identities", note=note)
    return ended


def _database_now() -> datetime:
    if connection.vendor != "postgresql":
        return timezone.now()
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0]


def rotate_keys() -> dict[str, int]:
    """Write every signature again under the first data key and the current rules of mailboxes.

    Returns how many were "moved", how many "doubles" of one mailbox were taken off, how many are
    "held" since only a tag told them apart, and how many are "unreadable" by any key. Without the
    last, the other keys may leave DATA_KEYS, where none is "nameless": the index of a mailbox whose
    address has ended cannot be made anew. Can be stopped and run again at any time.
    """
    done = {"moved": 0, "doubles": 0, "held": 0, "unreadable": 0}
    nameless = Q(email=None, confirmed_at__isnull=False)
    kept = Signature.objects.exclude(mailbox=None)
    done["nameless"] = kept.filter(nameless).count()
    every = kept.exclude(nameless).values_list("pk", flat=True)
    reached = 0
    while batch := list(every.filter(pk__gt=reached).order_by("pk")[:BATCH]):
        for pk in batch:
            try:
                _bring_over(pk, done)
            except encryption.Unreadable:
                done["unreadable"] += 1
        reached = batch[-1]
    done["unreadable"] += _seal_openings_again()
    for pk in Attempt.objects.exclude(name=None).values_list("pk", flat=True):
        try:
            if attempt := Attempt.objects.filter(pk=pk).first():
                open_all(attempt)
                attempt.save(update_fields=["name"])
        except encryption.Unreadable:
            done["unreadable"] += 1
    return done


def _seal_openings_again() -> int:
    """What the log's commitments hide, under the first data key; returns how many no key reads."""
    unreadable = 0
    for rows, field in ((LogOpening.objects, "sealed"), (LogEvent.objects, "opening")):
        stored, reached = rows.order_by("pk").values_list("pk", field), -1
        while batch := list(stored.filter(pk__gt=reached)[:BATCH]):
            for pk, opening in batch:
                try:
                    sealed = encryption.sealed_again(opening, OPENING)
                    rows.filter(pk=pk).update(**{field: sealed})
                except encryption.Unreadable:
                    unreadable += 1
            reached = batch[-1][0]
    return unreadable


def _bring_over(pk: int, done: dict[str, int]) -> None:
    signature = Signature.objects.filter(pk=pk).exclude(mailbox=None).first()
    if signature is None or (signature.mailbox == _current_index(signature) and _is_current(pk)):
        return
    try:
        done["moved"] += signature.reseal()
    except IntegrityError:
        other = Signature.objects.get(mailbox=_current_index(signature))
        if _told_apart_by_a_tag(signature, other):
            done["held"] += _hold(signature, other)
            return
        # Processes with different keys took the same mailbox for two. One signature stays.
        stays, goes = sorted((signature, other), key=lambda each: STAYS.index(each.state))
        done["doubles"] += _take_off(goes)
        done["moved"] += stays.reseal() if stays is signature else 0


def _told_apart_by_a_tag(one: Signature, other: Signature) -> bool:
    before = [addresses.with_tag(s.email) or addresses.canonical(s.email) for s in (one, other)]
    return before[0] != before[1]


def _hold(one: Signature, other: Signature) -> bool:
    """Hold the later of two that turn out to be of one mailbox, for people to see; one that is
    counted before one that is not. Nothing is taken off."""
    counted = Signature.State.COUNTED
    stays, later = sorted((one, other), key=lambda s: (s.state != counted, s.signed_at))
    if later.state not in (counted, Signature.State.PENDING):
        return False  # People have seen to it already.
    with transaction.atomic():
        held = lifecycle.move(later, Signature.State.HELD, reason=Signature.Reason.ALIAS)
        if held:
            note = f"same mailbox as {stays}"
            why = Signature.Reason.ALIAS
            audit.append(None, Entry.Act.HOLD, audit.name_of(later), why=why, note=note)
    if held:
        logger.warning("Signature %s is held: it has the same mailbox as %s.", later, stays)
    return held


def _take_off(double: Signature) -> bool:
    with transaction.atomic():
        gone = lifecycle.move(double, Signature.State.WITHDRAWN, **Signature.ERASED)
        if gone:
            note = "second signature of one mailbox"
            audit.append(None, Entry.Act.ERASE, audit.name_of(double), note=note)
    return gone


def _is_current(pk: int) -> bool:
    """Whether the row is sealed under the first data key, and bound to itself."""
    signature = Signature.objects.get(pk=pk)  # As stored: what was looked at is open.
    stored = [signature.__dict__[name] for name in ("name", "email") if signature.__dict__[name]]
    row = signature.reference.bytes
    return all(encryption.is_current(sealed, row) for sealed in stored)


def _current_index(signature: Signature) -> bytes:
    return Signature.mailbox_indexes(signature.email)[0]


def _delete(rows: QuerySet, also: Callable[[QuerySet], None] | None = None) -> int:
    """Delete in batches; rows that somebody is just confirming are left to them."""
    deleted = 0
    while True:
        with transaction.atomic():
            batch = list(
                rows.select_for_update(skip_locked=True).values_list("pk", flat=True)[:BATCH]
            )
            chosen = rows.filter(pk__in=batch)
            if batch and also:
                also(chosen)
            chosen.delete()
        deleted += len(batch)
        if len(batch) < BATCH:
            return deleted


def _expire(signatures: QuerySet) -> None:
    """Take signatures that go off the counters of their states, and count them as expired."""
    states = Counter(signatures.values_list("state", flat=True))
    changes = {(tallies.ONLINE, tallies.Dimension.STATE, s): -n for s, n in states.items()}
    tallies.add(changes | {tallies.EXPIRED: sum(states.values())})
