"""From asking for an e-mail to confirming: how many get how far, by day and by mail provider.

Where e-mails do not arrive, nobody writes to say so; it shows in how few confirm. Whether the page
behind the link was opened is not counted: programs that scan mail open links too.
"""

from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from statistics import median

from django.db.models import Count, F, Q, QuerySet
from django.db.models.functions import TruncDate
from django.utils import timezone

from petition.ground import encryption, memory, replica
from petition.ground.misspellings import PROVIDERS
from petition.models import Letter, Signature

# What nobody confirms is deleted after 14 days, so that older days would look too good.
DAYS = Signature.PENDING_FOR.days
KEPT_SECONDS = 300
# Fewer of one provider are counted among the others.
FEW = 10
OTHERS = ""
# When a provider's share of confirmed ones has fallen: half of the week before, by numbers that
# chance does not make. Who has signed within the last hour may still confirm.
HOUR, DAY, WEEK = timedelta(hours=1), timedelta(days=1), timedelta(days=7)
ASKED_AT_LEAST, ASKED_BEFORE_AT_LEAST, FALLEN_TO = 30, 100, 0.5
# Shares and medians are told by the latest so many: on the day that millions sign, the front page
# must not wait for all of them.
ROWS_AT_MOST = 20_000


@dataclass(frozen=True)
class Steps:
    """What has become of the signatures of one day, or of one provider's mailboxes.

    `sent` are those whose e-mail a mail server took, `bounced` those of which one was refused or
    came back; `minutes` is the median time from signing to confirming.
    """

    of: date | str
    asked: int
    sent: int
    bounced: int
    confirmed: int
    minutes: int | None


@dataclass(frozen=True)
class Fall:
    """Fewer confirm at a provider than in the week before."""

    provider: str
    asked: int
    confirmed: int
    asked_before: int
    confirmed_before: int


def figures() -> dict:
    """`days` (the last first) and `providers` (the largest first), and the moment they are of."""
    return memory.remember("funnel", _figures, KEPT_SECONDS)


def falls() -> list[Fall]:
    """Providers where far fewer confirm than before: perhaps e-mails do not arrive there."""
    return memory.remember("funnel-falls", lambda: list(_falls(timezone.now())), KEPT_SECONDS)


def _figures() -> dict:
    now, source = timezone.now(), replica.source()
    first = datetime.combine(now.astimezone(UTC).date() - timedelta(days=DAYS - 1),
                             datetime.min.time(), UTC)  # fmt: skip
    rows = Signature.objects.using(source.alias).filter(signed_at__gte=first)
    letters = Letter.objects.using(source.alias).filter(
        kind=Letter.Kind.CONFIRM, signature__signed_at__gte=first
    )
    day = TruncDate("signed_at", tzinfo=UTC)
    days = _steps(
        rows.annotate(of=day),
        letters.annotate(of=TruncDate("signature__signed_at", tzinfo=UTC)),
        {},
    )
    providers = _steps(
        rows.annotate(of=F("domain")), letters.annotate(of=F("signature__domain")), _names()
    )
    return {
        "as_of": source.as_of or now,
        "days": sorted(days, key=lambda steps: steps.of, reverse=True),
        "providers": sorted(providers, key=lambda steps: (steps.of == OTHERS, -steps.asked)),
    }


def _steps(rows: QuerySet, letters: QuerySet, names: dict[bytes, str]) -> list[Steps]:
    """One for each `of`; with `names`, one for each large provider and one for all others."""
    asked: dict = {}
    confirmed = Count("pk", filter=Q(confirmed_at__isnull=False))
    groups = rows.order_by().values_list("of").annotate(n=Count("pk"), done=confirmed)
    found = [(_key(of), *numbers) for of, *numbers in groups]
    size: dict = {}
    for of, n, _done in found:
        size[names.get(of, OTHERS)] = size.get(names.get(of, OTHERS), 0) + n
    shown = {of: name for of, name in names.items() if size.get(name, 0) >= FEW}

    def place(of):
        return shown.get(of, OTHERS) if names else of

    for of, n, done in found:
        sums = asked.setdefault(place(of), [0, 0, 0, 0])
        sums[0] += n
        sums[3] += done
    signatures = Count("signature", distinct=True)
    refused = Q(state__in=[Letter.State.REFUSED, Letter.State.GIVEN_UP])
    for column, which in ((1, Q(state=Letter.State.SENT)), (2, refused)):
        for of, n in letters.filter(which).order_by().values_list("of").annotate(n=signatures):
            if (sums := asked.get(place(_key(of)))) is not None:
                sums[column] += n
    return [
        Steps(
            of,
            n,
            sent,
            bounced,
            done,
            _median_minutes(_of(rows, of, shown) if names else rows.filter(of=of)),
        )
        for of, (n, sent, bounced, done) in asked.items()
    ]


def _of(rows: QuerySet, provider: str, shown: dict[bytes, str]) -> QuerySet:
    if provider == OTHERS:
        return rows.filter(~Q(domain__in=list(shown)) | Q(domain=None))
    return rows.filter(domain__in=[of for of, name in shown.items() if name == provider])


def _median_minutes(rows: QuerySet) -> int | None:
    confirmed = rows.filter(confirmed_at__isnull=False).order_by("-signed_at", "-pk")
    times = confirmed.values_list("signed_at", "confirmed_at")[:ROWS_AT_MOST]
    took = [(end - start).total_seconds() for start, end in times]
    return round(median(took) / 60) if took else None


def _falls(now: datetime):
    end = now - HOUR
    today = _confirmed(end - DAY, end)
    # The week before changes slowly, and is long to read.
    before = memory.remember(
        "funnel-week", lambda: _confirmed(end - DAY - WEEK, end - DAY), memory.AN_HOUR
    )
    for provider, (asked, confirmed) in sorted(today.items()):
        asked_before, confirmed_before = before.get(provider, (0, 0))
        if asked < ASKED_AT_LEAST or asked_before < ASKED_BEFORE_AT_LEAST:
            continue
        if confirmed / asked < FALLEN_TO * confirmed_before / asked_before:
            yield Fall(provider, asked, confirmed, asked_before, confirmed_before)


def _confirmed(start: datetime, end: datetime) -> dict[str, tuple[int, int]]:
    """Asked and confirmed for each large provider, among the latest of this time."""
    rows = Signature.objects.filter(signed_at__gte=start, signed_at__lt=end)
    latest = rows.order_by("-signed_at", "-pk").values_list("domain", "confirmed_at")
    sums: dict[str, tuple[int, int]] = {}
    for of, confirmed_at in latest[:ROWS_AT_MOST]:
        if provider := _names().get(_key(of)):
            asked, confirmed = sums.get(provider, (0, 0))
            sums[provider] = (asked + 1, confirmed + (confirmed_at is not None))
    return sums


def _key(of):
    return bytes(of) if isinstance(of, memoryview) else of


@cache
def _names() -> dict[bytes, str]:
    """Large providers by the codes of their domains, under each data key."""
    return {code: name for name in PROVIDERS for code in encryption.indexes(name, "domain")}
