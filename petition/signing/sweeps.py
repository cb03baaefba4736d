"""Runs sweeps: each signature that a rule names is moved exactly once, and back on demand."""

import logging
import time
from collections.abc import Callable
from contextlib import contextmanager
from datetime import timedelta

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import IntegrityError, connection, transaction
from django.db.models import Count, Q, QuerySet
from django.utils import timezone

from petition import audit
from petition.ground import encryption, workers
from petition.models import Entry, Signature, Sweep, SweepMove
from petition.models.signatures import SignatureQuerySet
from petition.signing import lifecycle, tallies

logger = logging.getLogger(__name__)

State = Sweep.State
Act = Entry.Act
BATCH = 100
REST = 0.5
# Far longer than a batch takes; of another host only this tells that a worker is gone.
LEASE = timedelta(minutes=5)
FROM: dict[str, list[str]] = {
    Sweep.To.HELD: [Signature.State.PENDING, Signature.State.COUNTED],
    Sweep.To.REJECTED: [Signature.State.PENDING, Signature.State.COUNTED, Signature.State.HELD],
}


class NoCondition(Exception):
    """A sweep without a condition would take everybody."""


class StartedAlready(Exception):
    """This preview has been started; `pk` says as which sweep."""

    def __init__(self, pk: int):
        self.pk = pk


class NotNow(Exception):
    """The sweep is in a state in which this cannot be asked of it."""


def matching(sweep: Sweep) -> SignatureQuerySet:
    """The signatures that a sweep would move now, the oldest first. Raises NoCondition."""
    if not any((sweep.domain, sweep.country, sweep.language, sweep.since, sweep.until)):
        raise NoCondition
    rule = Q(state__in=FROM[sweep.to], signed_at__lt=sweep.made_at)
    if sweep.domain:
        rule &= Q(domain__in=encryption.indexes(sweep.domain, "domain"))
    if sweep.country:
        rule &= Q(country=sweep.country)
    if sweep.language:
        rule &= Q(language=sweep.language)
    if sweep.since:
        rule &= Q(signed_at__gte=sweep.since)
    if sweep.until:
        rule &= Q(signed_at__lt=sweep.until)
    return Signature.objects.filter(rule).order_by("signed_at", "pk")


def preview(sweep: Sweep, by: AbstractBaseUser, sample: int) -> tuple[int, list[Signature]]:
    """How many a sweep would move, and the latest of them. Raises NoCondition.

    Recorded, because a rule as narrow as a family's mail domain tells who signed.
    """
    rows = matching(sweep)
    found = rows.count(), list(rows.reverse()[:sample])
    audit.append(by, Act.PREVIEW, "", found=str(found[0]), **_rule(sweep))
    return found


def start(sweep: Sweep, by: AbstractBaseUser) -> None:
    """Keep a sweep for the sweeper to run, with its rule and what it is expected to move.

    `made_at` is the moment of its preview. Raises StartedAlready.
    """
    sweep.by, sweep.rules = by.get_username(), tallies.RULES
    sweep.expected = matching(sweep).count()
    try:
        with transaction.atomic():
            sweep.save(force_insert=True)
            _record(sweep, by, Act.SWEEP, expected=sweep.expected, **_rule(sweep))
    except IntegrityError as error:
        former = Sweep.objects.filter(by=sweep.by, made_at=sweep.made_at).first()
        if former is None:
            raise
        raise StartedAlready(former.pk) from error


def stop(sweep: Sweep, by: AbstractBaseUser) -> None:
    """Stop it after the signature in hand. Raises NotNow."""
    _ask(sweep, by, Act.SWEEP_STOP, [State.WAITING, State.RUNNING], state=State.STOPPED)


def go_on(sweep: Sweep, by: AbstractBaseUser) -> None:
    """Let a stopped sweep go on where it was. Raises NotNow, also while its worker has not yet
    laid it down."""
    _ask(sweep, by, Act.SWEEP_GO_ON, [State.STOPPED], state=State.WAITING)


def undo(sweep: Sweep, by: AbstractBaseUser) -> None:
    """Restore the former state of all that it moved and nobody has touched since. Raises as
    `go_on` does."""
    if sweep.task == Sweep.Task.UNDO:
        raise NotNow
    _ask(
        sweep,
        by,
        Act.SWEEP_UNDO,
        [State.STOPPED, State.DONE],
        state=State.WAITING,
        task=Sweep.Task.UNDO,
        reached_pk=0,
        ended_at=None,
        undo_at=timezone.now(),
    )


def run(stopped: Callable[[], bool] = lambda: False) -> int:
    """Run every sweep that waits, or that a dead sweeper left; returns how many came to an end.

    Once at a time in a process; several processes may.
    """
    ended = 0
    # One process runs one sweep at a time: what bears its name from before, a lost connection to
    # the database has left behind.
    in_hand = Sweep.objects.filter(worker=workers.my_name())
    in_hand.filter(state=State.RUNNING).update(worker="", state=State.WAITING)
    in_hand.update(worker="")
    while not stopped() and (sweep := _claim()):
        step = _apply_batch if sweep.task == Sweep.Task.APPLY else _undo_batch
        logger.info("Sweep %s: %s begins.", sweep.pk, sweep.task)
        while True:
            if stopped():
                _mine(sweep).update(state=State.WAITING, worker="")
                return ended
            began = time.monotonic()
            if not step(sweep):
                ended += _end(sweep)
                break
            if not _beat(sweep):
                break  # A coordinator stopped it.
            # Signers come first: the machine is theirs for longer than a batch has taken.
            time.sleep((time.monotonic() - began) * REST)
    return ended


def _apply_batch(sweep: Sweep) -> int:
    rows = matching(sweep).exclude(sweep_moves__sweep=sweep)
    if sweep.reached_at:
        rows = rows.filter(signed_at__gte=sweep.reached_at).filter(
            Q(signed_at__gt=sweep.reached_at) | Q(pk__gt=sweep.reached_pk)
        )
    batch = list(rows.defer("name", "email")[:BATCH])
    for signature in batch:
        was = _set_aside(sweep, signature)
        sweep.moved += bool(was)
        sweep.lowered += was == Signature.State.COUNTED
        sweep.reached_at, sweep.reached_pk = signature.signed_at, signature.pk
    return len(batch)


def _set_aside(sweep: Sweep, signature: Signature) -> str:
    """The state that it was in; none where somebody was first: withdrawn, confirmed or decided at
    the same moment."""
    while signature.state in FROM[sweep.to]:
        was = {
            "was": signature.state,
            "was_reason": signature.reason,
            "was_since": signature.moved_at,
        }
        with _one_move():
            if lifecycle.move(signature, sweep.to, reason=sweep.reason):
                SweepMove.objects.create(
                    sweep=sweep, signature=signature, at=signature.moved_at, **was
                )
                return str(was["was"])
        signature = matching(sweep).filter(pk=signature.pk).first() or signature
        if signature.state == was["was"]:
            return ""
    return ""


def _undo_batch(sweep: Sweep) -> int:
    rows = sweep.moves.filter(restored_at=None, pk__gt=sweep.reached_pk).order_by("pk")
    batch = list(rows[:BATCH])
    for move in batch:
        to = _restore(move)
        sweep.restored += bool(to)
        sweep.raised += to == Signature.State.COUNTED
        sweep.reached_pk = move.pk
    return len(batch)


def _restore(move: SweepMove) -> str:
    """Give a signature its former state back, and say which; none where somebody has decided
    since."""
    with _one_move():
        # Locked, so that neither its owner nor a coordinator changes what is decided on here.
        rows = Signature.objects.select_for_update(no_key=True).defer("name", "email")
        signature = rows.filter(pk=move.signature_id, moved_at=move.at).first()
        if signature is None:
            return ""
        to, since = move.was, {"moved_at": move.was_since}
        if to == Signature.State.PENDING and signature.confirmed_at:
            to, since = Signature.State.COUNTED, {}  # Its owner confirmed while it was set aside.
        if not lifecycle.move(signature, to, reason=move.was_reason, **since):
            return ""
        SweepMove.objects.filter(pk=move.pk).update(
            restored_at=timezone.now(), raised=to == Signature.State.COUNTED
        )
    return to


def _claim() -> Sweep | None:
    """Take a sweep that waits, or that nobody has in hand any more; None where there is none."""
    now = timezone.now()
    in_hand = Sweep.objects.exclude(worker="")
    lost = Q(beat_at__lt=now - LEASE)
    for name in in_hand.values_list("worker", flat=True).distinct():
        if since := workers.gone_since(name):
            lost |= Q(worker=name, beat_at__lt=since)
    in_hand.filter(lost, state=State.STOPPED).update(worker="")
    in_hand.filter(lost, state=State.RUNNING).update(worker="", state=State.WAITING)
    free = Sweep.objects.filter(state=State.WAITING)
    for pk in free.order_by("pk").values_list("pk", flat=True):
        mine = {"state": State.RUNNING, "worker": workers.my_name(), "beat_at": now}
        if free.filter(pk=pk).update(**mine):
            # The ledger tells when the count began to fall, not when that was asked for.
            Sweep.objects.filter(pk=pk, begun_at=None).update(begun_at=now)
            sweep = Sweep.objects.get(pk=pk)
            _count_again(sweep)
            return sweep
    return None


def _count_again(sweep: Sweep) -> None:
    """Take in what a killed worker did and did not write down, or one that was taken for dead; what
    was purged since still counts."""
    done = sweep.moves.aggregate(
        moved=Count("pk"),
        restored=Count("restored_at"),
        lowered=Count("pk", filter=Q(was=Signature.State.COUNTED)),
        raised=Count("pk", filter=Q(raised=True)),
    )
    for name, count in done.items():
        setattr(sweep, name, max(getattr(sweep, name), count))


def _mine(sweep: Sweep) -> QuerySet[Sweep]:
    return Sweep.objects.filter(pk=sweep.pk, state=State.RUNNING, worker=workers.my_name())


def _beat(sweep: Sweep) -> bool:
    """Write down how far it has come; false where it is no longer ours to run."""
    progress = {
        "moved": sweep.moved,
        "restored": sweep.restored,
        "lowered": sweep.lowered,
        "raised": sweep.raised,
        "reached_at": sweep.reached_at,
        "reached_pk": sweep.reached_pk,
    }
    if _mine(sweep).update(beat_at=timezone.now(), **progress):
        return True
    Sweep.objects.filter(pk=sweep.pk, state=State.STOPPED).update(worker="", **progress)
    return False


def _end(sweep: Sweep) -> bool:
    _count_again(sweep)
    with transaction.atomic():
        ended = _mine(sweep).update(
            state=State.DONE,
            worker="",
            moved=sweep.moved,
            restored=sweep.restored,
            lowered=sweep.lowered,
            raised=sweep.raised,
            ended_at=timezone.now(),
        )
        if ended:
            _record(
                sweep, None, Act.SWEEP_END, task=sweep.task, moved=sweep.moved,
                restored=sweep.restored,
            )  # fmt: skip
    return bool(ended)


def _ask(sweep: Sweep, by: AbstractBaseUser, act: str, when: list[str], **changes) -> None:
    with transaction.atomic():
        asked = Sweep.objects.filter(pk=sweep.pk, task=sweep.task, state__in=when)
        if act != Act.SWEEP_STOP:
            asked = asked.filter(worker="")
        if not asked.update(**changes):
            raise NotNow
        _record(sweep, by, act)


def _record(sweep: Sweep, by: AbstractBaseUser | None, act: str, **detail) -> None:
    audit.append(by, act, f"sweep {sweep.pk}", **detail)


def _rule(sweep: Sweep) -> dict[str, str]:
    return {
        "domain": sweep.domain,
        "country": sweep.country,
        "language": sweep.language,
        "since": sweep.since.isoformat() if sweep.since else "",
        "until": sweep.until.isoformat() if sweep.until else "",
        "to": sweep.to,
        "why": sweep.reason,
        "note": sweep.note,
    }


@contextmanager
def _one_move():
    """A transaction whose commit does not wait for the disk that signers wait for. A server that
    crashes may lose the last moves of a sweep, each with its record: the sweep makes them again."""
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                # Of this transaction alone: behind PgBouncer, a session is somebody else's next.
                cursor.execute("SET LOCAL synchronous_commit TO off")
        yield
