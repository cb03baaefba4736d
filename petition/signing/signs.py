"""Signs that somebody makes signatures up, shown to people with numbers and a rule that finds them.
None of them does anything by itself, and each also fits honest days.
"""

import re
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from urllib.parse import urlencode

from disposable_email_domains import blocklist
from django.conf import settings
from django.db import models
from django.db.models import Count, F, Min, Q, QuerySet, Sum
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from petition.ground import addresses, encryption, memory
from petition.ground.misspellings import PROVIDERS
from petition.models import Letter, MailDomain, Signature, Tally
from petition.signing import abuse

Reason = Signature.Reason
LOOK_SECONDS = 60
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
# From how many of one kind on it is worth a look: below, chance makes as much.
FEW, MANY = 30, 100
# A large provider's domain says nothing; another one had at most a handful in any honest hour.
DOMAIN_AN_HOUR = 50
UNCONFIRMED_SHARE = 0.1  # Of made-up mailboxes nobody confirms; of real ones, three in four.
SAME_RHYTHM_SHARE = 0.3
RHYTHM_SECONDS = 2
UNSOLVED_SHARE = 0.3
TIMES = 10  # As many as its share in all, or the week before, would let expect.
BOUNCED_SHARE = 0.5
ROWS_AT_MOST = 5000
BUSY_SHARE = 0.3
ASKED_AT_MOST, ASKED_SECONDS = 3, 3600
OPENED_AT_MOST, NAME_SHARE, SHAPE_SHARE = 500, 0.05, 0.2


class Kind(models.TextChoices):
    DISPOSABLE = "disposable", _("throw-away addresses")
    DOMAIN = "domain", _("one mail domain in an hour")
    UNCONFIRMED = "unconfirmed", _("a mail domain that nobody confirms")
    RHYTHM = "rhythm", _("confirmed after the same seconds")
    UNSOLVED = "unsolved", _("signed without the check of the browser")
    COUNTRY = "country", _("one country in an hour")
    LANGUAGE = "language", _("one language in an hour")
    HOUR = "hour", _("far more than in the hours of the last week")
    BOUNCED = "bounced", _("a mail domain whose e-mails come back")
    NO_MAIL = "no mail", _("a mail domain that takes no e-mail")
    NETWORK = "network", _("many from the same networks")
    PATTERN = "pattern", _("one name many times, or addresses of one pattern")


@dataclass(frozen=True)
class Sign:
    """`count` signatures since `since`, of `of` in all. `rule` begins a bulk removal of them; it is
    empty where no rule finds just these."""

    kind: Kind
    count: int
    of: int
    since: datetime
    domain: str = ""
    country: str = ""
    rule: dict[str, str] = field(default_factory=dict)

    @property
    def query(self) -> str:
        """The rule, as the form of a new bulk removal is filled in."""
        return urlencode(self.rule)


def seen() -> list[Sign]:
    """What is to be seen now, looked for once a minute in a process."""
    return memory.remember("signs", lambda: list(look(timezone.now())), LOOK_SECONDS)


def look(now: datetime) -> Iterator[Sign]:
    hour = Signature.objects.filter(signed_at__gte=now - HOUR, signed_at__lt=now)
    of = hour.count()
    if of >= FEW:
        yield from _domains(hour, of, now - HOUR)
        yield from _without_mail(hour, of, now - HOUR)
        yield from _unsolved(hour, of, now - HOUR)
        yield from _countries(hour, of, now - HOUR)
        yield from _languages(hour, of, now - HOUR)
        yield from _hours(of, now - HOUR)
        yield from _networks(of, now - HOUR)
        yield from _patterns(hour, now - HOUR)
    yield from _disposable(now)
    yield from _unconfirmed(now)
    yield from _bounced(now)
    yield from _rhythm(now)


def _domains(hour: QuerySet, of: int, since: datetime) -> Iterator[Sign]:
    found = _by_domain(hour).filter(n__gte=DOMAIN_AN_HOUR).exclude(domain__in=_throw_away())
    for group in found.order_by("-n")[:5]:
        yield _of_domain(Kind.DOMAIN, group, of, since, Reason.REPEATED)


def _without_mail(hour: QuerySet, of: int, since: datetime) -> Iterator[Sign]:
    """Nobody there can confirm. The mail server asks the same name servers, for each e-mail."""
    if not settings.ASK_NAME_SERVERS:
        return
    from petition.letters import dns_records  # 6 MB that few processes need.

    for group in _by_domain(hour).filter(n__gte=FEW).order_by("-n")[:ASKED_AT_MOST]:
        sign = _of_domain(Kind.NO_MAIL, group, of, since, Reason.REPEATED)
        if not sign.domain:
            continue
        key = f"no-mail-{encryption.index(sign.domain, 'domain').hex()}"
        ask = partial(dns_records.takes_no_mail, sign.domain)
        takes_none = memory.remember(key, ask, ASKED_SECONDS)
        if takes_none is None:
            return  # Nor would the others be answered: at the next look.
        if takes_none:
            yield sign


def _disposable(now: datetime) -> Iterator[Sign]:
    day = Signature.objects.filter(signed_at__gte=now - DAY, domain__in=_throw_away())
    count = day.count()
    if not count:
        return
    largest = _by_domain(day).order_by("-n").first()
    if largest and largest["n"] == count:
        yield _of_domain(Kind.DISPOSABLE, largest, count, now - DAY, Reason.DISPOSABLE)
    else:
        yield Sign(Kind.DISPOSABLE, count, count, now - DAY)


def _unconfirmed(now: datetime) -> Iterator[Sign]:
    """Old enough to have been confirmed."""
    day = Signature.objects.filter(signed_at__gte=now - DAY, signed_at__lt=now - HOUR)
    few = Q(confirmed__lt=F("n") * UNCONFIRMED_SHARE)
    for group in _by_domain(day).filter(few, n__gte=DOMAIN_AN_HOUR).order_by("-n")[:5]:
        yield _of_domain(Kind.UNCONFIRMED, group, group["n"], now - DAY, Reason.REPEATED)


def _rhythm(now: datetime) -> Iterator[Sign]:
    confirmed = Signature.objects.filter(confirmed_at__gte=now - HOUR).order_by("-confirmed_at")
    pairs = list(confirmed.values_list("signed_at", "confirmed_at")[:ROWS_AT_MOST])
    took = Counter(int((end - start).total_seconds() // RHYTHM_SECONDS) for start, end in pairs)
    for _seconds, count in took.most_common(1):
        if count >= FEW and count >= len(pairs) * SAME_RHYTHM_SHARE:
            yield Sign(Kind.RHYTHM, count, len(pairs), now - HOUR)


def _unsolved(hour: QuerySet, of: int, since: datetime) -> Iterator[Sign]:
    count = hour.filter(passed_challenge=False).count()
    if count >= FEW and count >= of * UNSOLVED_SHARE:
        yield Sign(Kind.UNSOLVED, count, of, since)


def _countries(hour: QuerySet, of: int, since: datetime) -> Iterator[Sign]:
    for country, count in _far_above_its_share(hour, of, "country"):
        rule = {"country": country, "since": _moment(since), "reason": Reason.AUTOMATED.value}
        yield Sign(Kind.COUNTRY, count, of, since, country=country, rule=rule)


def _languages(hour: QuerySet, of: int, since: datetime) -> Iterator[Sign]:
    for language, count in _far_above_its_share(hour, of, "language"):
        rule = {"language": language, "since": _moment(since), "reason": Reason.AUTOMATED.value}
        yield Sign(Kind.LANGUAGE, count, of, since, rule=rule)


def _far_above_its_share(hour: QuerySet, of: int, name: str) -> Iterator[tuple[str, int]]:
    """Values of a column, and how many of the hour have each, far more than its share in all."""
    tallies = Tally.objects.filter(channel=Tally.Channel.ONLINE, dimension=name)
    before = dict(tallies.values_list("value").annotate(Sum("count")))
    total = sum(before.values())
    if total < ROWS_AT_MOST:
        return  # Nothing is usual yet.
    groups = hour.values(name).annotate(n=Count("pk")).filter(n__gte=MANY)
    for group in groups.order_by("-n")[:20]:
        if group["n"] / of >= TIMES * max(before.get(group[name], 0), 1) / total:
            yield group[name], group["n"]


def _hours(of: int, since: datetime) -> Iterator[Sign]:
    """Against the mean of a week: the day on which the world comes shows it as well."""
    days = [(since - timedelta(days=n)).date().isoformat() for n in range(1, 8)]
    tallies = Tally.objects.filter(channel=Tally.Channel.ONLINE, dimension="day", value__in=days)
    week = tallies.aggregate(n=Sum("count"))["n"] or 0
    if of >= MANY and week >= ROWS_AT_MOST and of >= TIMES * week / (7 * 24):
        yield Sign(Kind.HOUR, of, of, since)


def _bounced(now: datetime) -> Iterator[Sign]:
    """Of the latest e-mails that were refused for good."""
    refused = Letter.objects.filter(kind=Letter.Kind.CONFIRM, state=Letter.State.REFUSED)
    latest = refused.filter(ended_at__gte=now - DAY).order_by("-ended_at")
    pairs = latest.values_list("signature__domain", "signature")[:ROWS_AT_MOST]
    by_domain: dict[bytes, list[int]] = {}
    for domain, signature in pairs:
        by_domain.setdefault(bytes(domain or b""), []).append(signature)
    left_out = {b"", *_large(), *_judged(MailDomain.Judged.HONEST)}
    for domain, signatures in by_domain.items():
        if domain in left_out or len(signatures) < FEW:
            continue
        of = Signature.objects.filter(domain=domain, signed_at__gte=now - DAY).count()
        if len(signatures) >= of * BOUNCED_SHARE:
            group = {"one": min(signatures), "n": len(signatures)}
            yield _of_domain(Kind.BOUNCED, group, of, now - DAY, Reason.REPEATED)


def _networks(of: int, since: datetime) -> Iterator[Sign]:
    """No row knows its network, so no rule finds them."""
    count = abuse.from_busy_networks()
    if count >= MANY and count >= of * BUSY_SHARE:
        yield Sign(Kind.NETWORK, min(count, of), of, since)


def _patterns(hour: QuerySet, since: datetime) -> Iterator[Sign]:
    """Of the latest some hundreds, which are opened for it and forgotten."""
    names: Counter[str] = Counter()
    shapes: Counter[str] = Counter()
    latest = hour.exclude(email=None).only("pk", "reference", "name", "email", "signed_at")
    rows = list(latest.order_by("-signed_at", "-pk")[:OPENED_AT_MOST])
    for row in rows:
        with suppress(encryption.Unreadable):
            names[(row.name or "").casefold()] += 1
            shapes[_shape(row.email or "")] += 1
    del shapes[""]
    same = names.most_common(1)[0][1] if names else 0
    alike = shapes.most_common(1)[0][1] if shapes else 0
    if same >= max(FEW, len(rows) * NAME_SHARE) or alike >= max(FEW, len(rows) * SHAPE_SHARE):
        yield Sign(Kind.PATTERN, max(same, alike), len(rows), since)


def _shape(address: str) -> str:
    """Letters and digits of the local part, each run as one; none for shapes that people have."""
    local = address.rpartition("@")[0]
    shape = re.sub(r"\d+", "0", re.sub(r"[^\W\d_]+", "a", local))
    return "" if re.fullmatch(r"a?(?:[._-]?a)*[._-]?0?", shape) else shape


def _by_domain(rows: QuerySet) -> QuerySet:
    """Groups of one mail domain that is no large provider: `n`, `confirmed`, and `one` of them."""
    honest = _judged(MailDomain.Judged.HONEST)
    rows = rows.filter(domain__isnull=False).exclude(domain__in=[*_large(), *honest])
    confirmed = Count("pk", filter=Q(confirmed_at__isnull=False))
    return rows.order_by().values("domain").annotate(n=Count("pk"), confirmed=confirmed,
                                                     one=Min("pk"))  # fmt: skip


def _of_domain(kind: Kind, group: dict, of: int, since: datetime, reason: Reason) -> Sign:
    """The domain is named: so many have it that it tells of nobody."""
    one = Signature.objects.filter(pk=group["one"]).first()
    domain = addresses.domain(one.email) if one and one.email else ""
    rule = {"domain": domain, "since": _moment(since), "reason": reason.value} if domain else {}
    return Sign(kind, group["n"], of, since, domain=domain, rule=rule)


def _moment(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M")


@cache
def _large() -> list[bytes]:
    return [encryption.index(domain, "domain") for domain in PROVIDERS]


def _throw_away() -> list[bytes]:
    """Codes of the domains that the package knows or coordinators have added, without those that
    they take for honest."""
    added, honest = _judged(MailDomain.Judged.THROW_AWAY), _judged(MailDomain.Judged.HONEST)
    return list((_known_throw_away() | added) - honest)


def _judged(judged: str) -> set[bytes]:
    today = timezone.now().astimezone(UTC).date()
    rows = MailDomain.objects.filter(judged=judged, until__gte=today)
    return {encryption.index(domain, "domain") for domain in rows.values_list("domain", flat=True)}


@cache
def _known_throw_away() -> frozenset[bytes]:
    """Of the package, which is renewed every week."""
    return frozenset(encryption.index(name, "domain") for name in blocklist if name.isascii())
