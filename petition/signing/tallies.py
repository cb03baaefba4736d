"""Adds to the counters, reads them, and compares them with what they count."""

import os
import secrets
from collections import Counter as Counts
from dataclasses import dataclass
from datetime import datetime

from django.db import DEFAULT_DB_ALIAS, connection, transaction
from django.db.models import CharField, Count, Max, Q, Sum, Value
from django.db.models.functions import Cast, Coalesce, TruncDate
from django.utils import timezone

from petition.ground.memory import AN_HOUR, remember
from petition.log import events
from petition.models import LogHead, Mend, Sheet, Signature, Tally

Key = tuple[str, str, str]  # (channel, dimension, value)

# Enough for the web processes of one busy host to keep out of each other's way.
SLOTS = 16
REMEMBERED_SECONDS = 2
GOAL = 1_000_000

ONLINE, PAPER = Tally.Channel.ONLINE, Tally.Channel.PAPER
Dimension = Tally.Dimension
TEXT: CharField = CharField()
TOTAL: Key = (ONLINE, Dimension.TOTAL, "")
PENDING: Key = (ONLINE, Dimension.STATE, Signature.State.PENDING)
EXPIRED: Key = (ONLINE, Dimension.STATE, Tally.EXPIRED)
TAKEN_OUT: Key = (PAPER, Dimension.LEFT, Tally.TAKEN_OUT)
# Under which version of the published rules of counting (press page) corrections are made.
RULES = 1
# How readers are told why signatures are no longer counted: by themselves, by coordinators (or as
# the counter was mended), with a sheet of paper.
LEFT: dict[str, list[str]] = {
    "withdrawn": [Signature.State.WITHDRAWN],
    "set_aside": [Signature.State.HELD, Signature.State.REJECTED, Tally.RECOUNTED],
    "taken_out": [Tally.TAKEN_OUT],
}


@dataclass(frozen=True)
class Counter:
    """The public figure: counted signatures, the goal, when the figure last changed, and why it
    is not higher."""

    online: int
    changed_at: datetime | None
    paper: int = 0
    goal: int = GOAL
    # Of those that were counted once and are not any more, since the first signature.
    withdrawn: int = 0
    set_aside: int = 0
    taken_out: int = 0

    @property
    def total(self) -> int:
        return self.online + self.paper

    @property
    def reached(self) -> int:
        """What of the goal is reached: a bar ends there, the count goes on."""
        return min(self.total, self.goal)

    @property
    def left(self) -> int:
        return self.withdrawn + self.set_aside + self.taken_out

    @property
    def came(self) -> int:
        """How many were ever counted; one that was set aside and restored came twice."""
        return self.total + self.left


@dataclass(frozen=True)
class Difference:
    """A counter that does not say what the signatures say, online and on paper."""

    channel: str
    dimension: str
    value: str
    counter: int
    signatures: int


def of(signature: Signature) -> list[Key]:
    """The counters that a signature is part of: five where it is counted, else its state's."""
    if signature.state != Signature.State.COUNTED or not signature.confirmed_at:
        return [(ONLINE, Dimension.STATE, signature.state)]
    return [
        TOTAL,
        (ONLINE, Dimension.COUNTRY, signature.country),
        (ONLINE, Dimension.DAY, signature.confirmed_at.date().isoformat()),
        (ONLINE, Dimension.LANGUAGE, signature.language),
        (ONLINE, Dimension.TRACK, signature.track_id or ""),
    ]


def leaving(signature: Signature, to: str) -> list[Key]:
    """The counter of what leaves the count, where this move makes it leave."""
    was, counted = signature.state, Signature.State.COUNTED
    return [(ONLINE, Dimension.LEFT, to)] if was == counted != to else []


def of_sheet(sheet: Sheet) -> list[Key]:
    """The counters that a counted sheet is part of, each with its valid lines."""
    return [
        (PAPER, Dimension.TOTAL, ""),
        (PAPER, Dimension.COUNTRY, sheet.country),
        # A constraint: what is counted has the time of its counting.
        (PAPER, Dimension.DAY, sheet.counted_at.date().isoformat()),  # type: ignore[union-attr]
        (PAPER, Dimension.LANGUAGE, sheet.language),
        (PAPER, Dimension.TRACK, ""),
    ]


def add(changes: dict[Key, int]) -> None:
    """Change each counter by its number, in the caller's transaction and in one statement.

    In one order for all, the total first: whoever holds the total's row of a slot has the rest of
    that slot to itself, so two transactions cannot wait for each other in a circle.
    """
    if changes:
        _write(changes, os.getpid() % SLOTS)  # By chance, writers of many rows would deadlock.


def add_anywhere(key: Key, by: int) -> None:
    """Change one counter, as the only one of the caller's transaction, in a slot by chance: those
    who sign at the same moment in one process do not wait for each other."""
    _write({key: by}, secrets.randbelow(SLOTS))


def counter() -> Counter:
    """The public figure, at most REMEMBERED_SECONDS old; asks the database no more often."""
    return remember("counter", read_counter, REMEMBERED_SECONDS, AN_HOUR)


def read_counter() -> Counter:
    """The public figure as the database has it now. Costs the same however many have signed."""
    sums = {
        "online": Q(dimension=Dimension.TOTAL, channel=ONLINE),
        "paper": Q(dimension=Dimension.TOTAL, channel=PAPER),
        **{name: Q(dimension=Dimension.LEFT, value__in=values) for name, values in LEFT.items()},
    }
    found = Tally.objects.filter(dimension__in=[Dimension.TOTAL, Dimension.LEFT]).aggregate(
        **{name: Coalesce(Sum("count", filter=rows), 0) for name, rows in sums.items()},
        changed_at=Max("changed_at"),
    )
    return Counter(**found)


def every() -> dict[Key, int]:
    """All counters in one statement, hence of one moment."""
    keys = ("channel", "dimension", "value")
    rows = Tally.objects.order_by().values_list(*keys).annotate(Sum("count"))
    return {(channel, dimension, value): n for channel, dimension, value, n in rows if n}


def agree() -> bool:
    """Whether those who were counted are as many by country, day, language and track as in all. No
    recount, but it costs the same however many have signed."""
    sums: Counts[tuple[str, str]] = Counts()
    for (channel, dimension, _), count in every().items():
        sums[channel, dimension] += count
    return all(
        sums[channel, dimension] == sums[channel, Dimension.TOTAL]
        for channel in Tally.Channel
        for dimension in (Dimension.COUNTRY, Dimension.DAY, Dimension.LANGUAGE, Dimension.TRACK)
    )


def recount(using: str = DEFAULT_DB_ALIAS) -> list[Difference]:
    """Every counter that differs from the signatures it counts; empty where all is right.

    One statement, hence one snapshot: it is exact while people sign and confirm, also on a standby.
    """
    rows = (
        # Of these no row is left that could be counted.
        Tally.objects.using(using)
        .exclude(dimension=Dimension.STATE, value=Tally.EXPIRED)
        .exclude(dimension=Dimension.LEFT)
        .order_by()
        .values(chan=Cast("channel", TEXT), key=Cast("dimension", TEXT), val=Cast("value", TEXT))
        .annotate(n=Sum("count"), side=Value("counter"))
        .union(*(part.annotate(side=Value("signatures")) for part in _counted_again()), all=True)
    )
    figures: dict[Key, dict[str, int]] = {}
    for row in rows:
        key = (row["chan"], row["key"], row["val"])
        figures.setdefault(key, {})[row["side"]] = int(row["n"] or 0)
    return [
        Difference(*key, counter=sides.get("counter", 0), signatures=sides.get("signatures", 0))
        for key, sides in sorted(figures.items())
        if sides.get("counter", 0) != sides.get("signatures", 0)
    ]


def _counted_again() -> list:
    """What each dimension's counters should say, as queries of one shape."""
    counted = Signature.objects.counted().order_by()
    others = Signature.objects.exclude(state=Signature.State.COUNTED).order_by()
    sheets = Sheet.objects.counted().order_by()
    one_each, lines = Count("*"), Sum("valid")
    parts = [
        (ONLINE, counted, one_each, Dimension.TOTAL, Value("")),
        (ONLINE, counted, one_each, Dimension.COUNTRY, Cast("country", TEXT)),
        (ONLINE, counted, one_each, Dimension.DAY, Cast(TruncDate("confirmed_at"), TEXT)),
        (ONLINE, counted, one_each, Dimension.LANGUAGE, Cast("language", TEXT)),
        (ONLINE, counted, one_each, Dimension.TRACK, Coalesce(Cast("track_id", TEXT), Value(""))),
        (ONLINE, others, one_each, Dimension.STATE, Cast("state", TEXT)),
        (PAPER, sheets, lines, Dimension.TOTAL, Value("")),
        (PAPER, sheets, lines, Dimension.COUNTRY, Cast("country", TEXT)),
        (PAPER, sheets, lines, Dimension.DAY, Cast(TruncDate("counted_at"), TEXT)),
        (PAPER, sheets, lines, Dimension.LANGUAGE, Cast("language", TEXT)),
        (PAPER, sheets, lines, Dimension.TRACK, Value("")),
    ]
    return [
        rows.values(chan=Value(str(channel)), key=Value(str(dimension)), val=value).annotate(
            n=number
        )
        for channel, rows, number, dimension, value in parts
    ]


def mend() -> list[Difference]:
    """Set every counter to what the signatures say; returns what it changed.

    Confirming waits while this runs: it takes the table, so that nobody adds in between.
    """
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(f"LOCK TABLE {Tally._meta.db_table} IN SHARE ROW EXCLUSIVE MODE")
        differences = recount()
        if differences:
            changes = {
                (d.channel, d.dimension, d.value): d.signatures - d.counter for d in differences
            }
            _write(changes | _corrected(changes), slot=0)
        _tell_the_log()
    return differences


def _tell_the_log() -> None:
    """An entry of the log where it does not say what is counted, as by a row that was deleted."""
    head = LogHead.objects.first()
    if head is None or not head.size:
        return  # It begins with what is counted then.
    online, paper = events.waiting()
    counter = read_counter()
    events.recounted(counter.online - head.online - online, counter.paper - head.paper - paper)


def _corrected(changes: dict[Key, int]) -> dict[Key, int]:
    """Puts it into the public ledger of corrections where a counter that is mended was public."""
    totals = [n for (_, dimension, _), n in changes.items() if dimension == Dimension.TOTAL]
    Mend.objects.bulk_create(Mend(count=by, rules=RULES) for by in totals)
    return {(ONLINE, Dimension.LEFT, Tally.RECOUNTED): -sum(by for by in totals if by < 0)}


def _write(changes: dict[Key, int], slot: int) -> None:
    """Add to rows that may not be there yet. The ORM's upsert replaces; this one has to add."""
    table = Tally._meta.db_table
    ordered = sorted(changes.items(), key=lambda change: (change[0][1] != Dimension.TOTAL, change))
    places = ", ".join(["(%s, %s, %s, %s, %s, %s)"] * len(ordered))
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (channel, dimension, value, slot, count, changed_at) "  # noqa: S608
            f"VALUES {places} ON CONFLICT (channel, dimension, value, slot) DO UPDATE "
            f"SET count = {table}.count + excluded.count, changed_at = excluded.changed_at",
            [part for key, by in ordered for part in (*map(str, key), slot, by, now)],
        )
