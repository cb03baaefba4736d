"""Queues news for those who asked for it, no faster than the operator allows, and counts it."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Exists, F, Max, OuterRef, QuerySet, Value
from django.db.models.functions import Greatest
from django.utils import timezone

from petition import audit
from petition.campaign import news
from petition.models import Entry, Letter, Mailing, Signature

State = Mailing.State
# What was not queued in time is not made up for beyond this: a pause is followed by no flood.
CATCH_UP_SECONDS = 2
# So many letters may wait to be sent. Where the mail server is slower than the pace, or down, the
# rest waits as a number, and does not leave all at once later.
AHEAD = 100
# One mailer queues at a time; the number only has to differ from other locks of this database.
LOCK = 7_235_003
# So many may be owed in all, those that the mail server has put off among them.
MOST_OWED = 1_000
REST = timedelta(minutes=1)
HOLD_WAITS = timedelta(days=1)
# By so much another host's clock may be ahead of ours.
TRUSTED_CLOCK = timedelta(minutes=1)


def queue() -> int:
    """Owe the next letters of the mailing that began first, as many as the pace allows now;
    returns how many. The letters and how far it has come are committed together."""
    if not Mailing.objects.filter(state=State.RUNNING).exists():
        return 0
    with transaction.atomic():
        if not _my_turn():
            return 0
        if _close():
            return 0
        going = going_out().filter(queued_at=None).order_by("pk")
        mailing = going.select_for_update(of=["self"], no_key=True).first()
        return _queue(mailing) if mailing else 0


def going_out() -> QuerySet[Mailing]:
    """Those whose letters may leave now: running, and of a story that is public."""
    return Mailing.objects.filter(state=State.RUNNING, news__in=news.public())


def is_wanted(letter: Letter) -> bool:
    """Whether its owner still counts and still wants news."""
    return Signature.objects.want_news().filter(pk=letter.signature_id).exists()


def may_leave(letter: Letter) -> bool:
    """Whether nobody has stopped its mailing or taken its story back."""
    return going_out().filter(pk=_mailing(letter)).exists()


def is_on_hold(letter: Letter) -> bool:
    """Whether its owner's signature is set aside for the moment: for a day the letter waits."""
    held = Signature.objects.filter(
        pk=letter.signature_id, state=Signature.State.HELD, updates=True
    )
    return letter.created_at > timezone.now() - HOLD_WAITS and held.exists()


def rest(letter: Letter) -> None:
    """The mail server breaks off when it gets news: for a while it gets no more of it, and letters
    that somebody waits for go on."""
    Letter.objects.filter(mailing=letter.mailing_id, state=Letter.State.DUE, mailer="").update(
        due_at=Greatest("due_at", Value(timezone.now() + REST))
    )


def skip(letter: Letter) -> None:
    """Drop a letter that nobody wants any more."""
    with transaction.atomic():
        if Letter.objects.filter(pk=letter.pk).delete()[0]:
            Mailing.objects.filter(pk=_mailing(letter)).update(skipped=F("skipped") + 1)


def record(letter: Letter, state: str) -> None:
    """Count a letter that came to an end, in the caller's transaction."""
    name = "sent" if state == Letter.State.SENT else "failed"
    Mailing.objects.filter(pk=_mailing(letter)).update(**{name: F(name) + 1})


def came_back(letter: Letter) -> None:
    """What was counted as sent did not arrive; in the caller's transaction."""
    counts = {"sent": F("sent") - 1, "failed": F("failed") + 1}
    Mailing.objects.filter(pk=_mailing(letter)).update(**counts)


def _mailing(letter: Letter) -> int:
    """Of a letter of news, which alone has one: a constraint."""
    return letter.mailing_id or 0


def _my_turn() -> bool:
    """Whether no other mailer is queueing. SQLite has one writer at a time anyway."""
    if connection.vendor != "postgresql":
        return True
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        return cursor.fetchone()[0]


def _queue(mailing: Mailing) -> int:
    now = timezone.now()
    owed = mailing.letters.filter(state=Letter.State.DUE)
    if owed[:MOST_OWED].count() >= MOST_OWED:
        return 0  # The mail server puts off nearly all: more would only come back too.
    room = AHEAD - owed.filter(due_at__lte=now)[:AHEAD].count()
    begins, allowed = _allowed(now)
    # Half at once at least, or all that is allowed: not a transaction for each.
    how_many = min(allowed, room) if min(allowed, AHEAD // 2) <= room else 0
    if not how_many:
        return 0
    wanted = list(mailing.recipients().values_list("pk", "language")[:how_many])
    Letter.objects.bulk_create(
        Letter(signature_id=pk, mailing=mailing, kind=Letter.Kind.NEWS, language=language)
        for pk, language in wanted
    )
    mailing.queued += len(wanted)
    mailing.last_signature = wanted[-1][0] if wanted else mailing.last_signature
    mailing.paced_until = begins + timedelta(seconds=len(wanted) / settings.NEWS_RATE)
    mailing.queued_at = now if len(wanted) < how_many else None
    mailing.save(update_fields=["queued", "last_signature", "paced_until", "queued_at"])
    return len(wanted)


def _allowed(now: datetime) -> tuple[datetime, int]:
    """From which moment on the pace is not spent, and how many letters that allows. Of all
    mailings together: the pace is that of the mail server."""
    earliest = now - timedelta(seconds=max(CATCH_UP_SECONDS, 1 / settings.NEWS_RATE))
    spent = Mailing.objects.aggregate(last=Max("paced_until"))["last"]
    # Of a clock that was set back, or of another host's that is ahead, nothing is believed.
    begins = max(min(spent, now), earliest) if spent and spent < now + TRUSTED_CLOCK else earliest
    # Fractions of a second are written in microseconds: just under one is one.
    return begins, int((now - begins).total_seconds() * settings.NEWS_RATE + 1e-6)


def _close() -> bool:
    """End a mailing that has queued all and whose last letter has come to its end."""
    running = Mailing.objects.select_for_update(no_key=True).filter(state=State.RUNNING)
    # Only those are locked that can be ended: who withdraws locks a signature before a mailing.
    due = Letter.objects.filter(mailing=OuterRef("pk"), state=Letter.State.DUE)
    for mailing in running.filter(~Exists(due), queued_at__isnull=False).order_by("pk"):
        if mailing.letters.filter(state=Letter.State.DUE).exists():
            continue
        # Who withdrew has no letter any more, and counts among those who did not want it.
        mailing.skipped = max(mailing.queued - mailing.sent - mailing.failed, 0)
        mailing.state, mailing.ended_at = State.FINISHED, timezone.now()
        mailing.save(update_fields=["skipped", "state", "ended_at"])
        figures = {"sent": mailing.sent, "failed": mailing.failed, "skipped": mailing.skipped}
        audit.append(None, Entry.Act.MAILING_END, f"news {mailing.news_id}", **figures)
        return True
    return False
