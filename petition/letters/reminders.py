"""Reminds once who has signed and not confirmed, no faster than news."""

from datetime import timedelta

from django.conf import settings
from django.core.cache import caches
from django.db.models import Exists, OuterRef
from django.utils import timezone

from petition.models import Attempt, Letter, Signature

REMIND = Letter.Kind.REMIND
# So many are owed at a time: an old one waits behind every letter that somebody waits for now.
BATCH = 5
# Where none is due, nobody looks for so long: all who wait are looked at each time.
REST_SECONDS = 60
FAILED = [Letter.State.REFUSED, Letter.State.GIVEN_UP]


def owe() -> int:
    """Owe the next reminders that are due, as many as the pace allows; returns how many.

    Nobody gets a second one (a constraint), and nobody gets one who confirmed, withdrew, was set
    aside, signed again lately, or whose first letter was refused or never went out.
    """
    if not settings.REMIND_AFTER_DAYS or caches["process"].get("no-reminder-is-due"):
        return 0
    now = timezone.now()
    since = now - timedelta(days=settings.REMIND_AFTER_DAYS)
    allowed = _allowed(now)
    if not allowed:
        return 0
    letters = Letter.objects.filter(signature=OuterRef("pk"))
    again = Attempt.objects.filter(signature=OuterRef("pk"), signed_at__gt=since)
    asked = letters.filter(kind=Letter.Kind.CONFIRM, state=Letter.State.SENT)
    failed = letters.filter(state__in=FAILED)
    waiting = Signature.objects.pending().filter(
        Exists(asked), ~Exists(failed), ~Exists(again), ~Exists(letters.filter(kind=REMIND)),
        signed_at__lte=since, signed_at__gt=now - Signature.PENDING_FOR,
    )  # fmt: skip
    found = waiting.order_by("signed_at").values_list("pk", "language")[:allowed]
    made = Letter.objects.bulk_create(
        [Letter(signature_id=pk, kind=REMIND, language=language) for pk, language in found],
        ignore_conflicts=True,  # Another mailer was first.
    )
    if len(made) < allowed:
        caches["process"].set("no-reminder-is-due", True, REST_SECONDS)
    return len(made)


def is_wanted(letter: Letter) -> bool:
    """Asked at the last moment: whether its owner has not answered meanwhile, nor a report said
    that letters do not arrive there."""
    pending = letter.signature.state == Signature.State.PENDING
    return pending and not _letters_fail(letter)


def _allowed(now) -> int:
    last = Letter.objects.filter(kind=REMIND).order_by("-created_at").first()
    if last is None:
        return BATCH
    # Less than nothing where another mailer was first, or has a clock that goes ahead.
    seconds = max(0.0, (now - last.created_at).total_seconds())
    return min(BATCH, int(seconds * settings.NEWS_RATE))


def _letters_fail(letter: Letter) -> bool:
    return Letter.objects.filter(signature=letter.signature_id, state__in=FAILED).exists()
