"""Adds to the counters, reads them, and compares them with the signatures they count."""

import os
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.core.cache import caches
from django.db import connection, transaction
from django.db.models import CharField, Count, Max, Sum, Value
from django.db.models.functions import Cast, Coalesce, TruncDate
from django.utils import timezone

from petition.models import Signature, Tally

Key = tuple[str, str]  # (dimension, value)

# Enough for the web processes of one busy host to keep out of each other's way.
SLOTS = 16
REMEMBERED_SECONDS = 2
GOAL = 1_000_000
TOTAL: Key = (Tally.Dimension.TOTAL, "")


@dataclass(frozen=True)
class Counter:
    """The public figure: counted signatures, the goal, and when the figure last changed."""

    online: int
    changed_at: datetime | None
    paper: int = 0
    goal: int = GOAL

    @property
    def total(self) -> int:
        return self.online + self.paper


@dataclass(frozen=True)
class Difference:
    """A counter that does not say what the signatures say."""

    dimension: str
    value: str
    counter: int
    signatures: int


def of(signature: Signature) -> list[Key]:
    """The counters that a counted signature is part of; the total always first.

    Whoever holds the total's row of a slot has all the other rows of that slot to itself, so two
    transactions cannot wait for each other in a circle.
    """
    return [
        TOTAL,
        (Tally.Dimension.COUNTRY, signature.country),
        (Tally.Dimension.DAY, signature.confirmed_at.date().isoformat()),
        (Tally.Dimension.LANGUAGE, signature.language),
        (Tally.Dimension.TRACK, signature.track_id or ""),
    ]


def add(keys: Iterable[Key], by: int) -> None:
    """Add `by` to each counter, in the caller's transaction and in one statement."""
    _write([(dimension, value, _slot(), by) for dimension, value in keys])


def counter() -> Counter:
    """The public figure, at most REMEMBERED_SECONDS old; asks the database no more often."""
    return caches["process"].get_or_set("counter", read_counter, REMEMBERED_SECONDS)


def read_counter() -> Counter:
    """The public figure as the database has it now. Costs the same however many have signed."""
    found = Tally.objects.filter(dimension=Tally.Dimension.TOTAL).aggregate(
        online=Coalesce(Sum("count"), 0), changed_at=Max("changed_at")
    )
    return Counter(**found)


def recount() -> list[Difference]:
    """Every counter that differs from the signatures it counts; empty where all is right.

    One statement, hence one snapshot: it is exact while people sign and confirm.
    """
    counted = Signature.objects.counted().order_by()
    text = CharField()
    parts = [
        counted.values(key=Value("total"), val=Value("")),
        counted.values(key=Value("country"), val=Cast("country", text)),
        counted.values(key=Value("day"), val=Cast(TruncDate("confirmed_at"), text)),
        counted.values(key=Value("language"), val=Cast("language", text)),
        counted.values(key=Value("track"), val=Coalesce(Cast("track_id", text), Value(""))),
    ]
    rows = (
        Tally.objects.order_by()
        .values(key=Cast("dimension", text), val=Cast("value", text))
        .annotate(n=Sum("count"), side=Value("counter"))
        .union(*(part.annotate(n=Count("*"), side=Value("signatures")) for part in parts), all=True)
    )
    figures: dict[Key, dict[str, int]] = {}
    for row in rows:
        figures.setdefault((row["key"], row["val"]), {})[row["side"]] = int(row["n"])
    return [
        Difference(*key, counter=sides.get("counter", 0), signatures=sides.get("signatures", 0))
        for key, sides in sorted(figures.items())
        if sides.get("counter", 0) != sides.get("signatures", 0)
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
            _write([(d.dimension, d.value, 0, d.signatures - d.counter) for d in differences])
    return differences


def _slot() -> int:
    # By process, not by chance: with random slots, workers that move many signatures deadlock.
    return os.getpid() % SLOTS


def _write(rows: list[tuple[str, str, int, int]]) -> None:
    """Add to rows that may not be there yet. The ORM's upsert replaces; this one has to add."""
    table = Tally._meta.db_table
    places = ", ".join(["(%s, %s, %s, %s, %s)"] * len(rows))
    now = connection.ops.adapt_datetimefield_value(timezone.now())
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO {table} (dimension, value, slot, count, changed_at) VALUES {places} "  # noqa: S608
            f"ON CONFLICT (dimension, value, slot) DO UPDATE "
            f"SET count = {table}.count + excluded.count, changed_at = excluded.changed_at",
            [part for row in rows for part in (*row, now)],
        )
