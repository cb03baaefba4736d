"""Letters in the hands of one mailer, so that no other sends them too."""

from datetime import timedelta

from django.db import connection as database
from django.db import transaction
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from petition.ground import workers
from petition.letters import mailings, reminders, statements
from petition.models import Letter

# Far longer than any conversation with a mail server, whose every step ends after EMAIL_TIMEOUT.
LEASE = timedelta(minutes=15)
BATCH = 10  # In the hands of one conversation.
# So many letters of news may leave before we look again whether somebody waits for a letter.
NEWS_BATCH = 5


def claim() -> list[Letter]:
    """The letters to send now, in this process's hands: those that somebody waits for; only where
    there are none, news."""
    if waited_for := _take_waited_for():
        return waited_for
    if reminders.owe():
        return _take(_due().filter(kind=Letter.Kind.REMIND).order_by("due_at"), BATCH)
    mailings.queue()
    going_out = list(mailings.going_out().values_list("pk", flat=True))
    news = _due().filter(mailing__in=going_out).order_by("mailing_id", "due_at")
    return _take(news, NEWS_BATCH)


def _take_waited_for() -> list[Letter]:
    if database.features.has_select_for_update_skip_locked:
        return statements.claim(BATCH)
    return _take(_due().filter(mailing=None).order_by("due_at"), BATCH)


def _due():
    # By the database's clock: that of a host that goes wrong holds nothing up. SQLite has none of
    # its own, and cuts the moment off after milliseconds: what is owed just now would not be due.
    now = timezone.now() if database.vendor == "sqlite" else Now()
    free = Letter.objects.filter(state=Letter.State.DUE, mailer="", due_at__lte=now)
    return free.values_list("pk", flat=True)


def _take(due, how_many: int) -> list[Letter]:
    """Claim the first of those that nobody else is claiming at this moment."""
    passes_by = database.features.has_select_for_update_skip_locked
    with transaction.atomic():
        free = list(due.select_for_update(skip_locked=passes_by)[:how_many])
        claimed = Letter.objects.filter(pk__in=free)
        claimed.update(mailer=workers.my_name(), claimed_at=timezone.now())
    taken = claimed.select_related("signature").in_bulk()
    return [taken[pk] for pk in free if pk in taken]


def free_abandoned() -> int:
    """Take letters out of the hands of mailers that are gone; returns how many."""
    claimed = Letter.objects.filter(state=Letter.State.DUE).exclude(mailer="")
    abandoned = Q(claimed_at__lt=timezone.now() - LEASE)
    for name in claimed.values_list("mailer", flat=True).distinct():
        if since := workers.gone_since(name):
            abandoned |= Q(mailer=name, claimed_at__lt=since)
    return claimed.filter(abandoned).update(mailer="", claimed_at=None)


def in_hand(letter: Letter):
    """A claimed letter as a query: empty where another mailer has it meanwhile, or it is gone."""
    return Letter.objects.filter(pk=letter.pk, mailer=letter.mailer)


def let_go(letter: Letter, **changes) -> None:
    """Leave a claimed letter to whoever comes next, with `changes` to other fields."""
    in_hand(letter).update(mailer="", claimed_at=None, **changes)
