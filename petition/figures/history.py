"""Draws up the public figures hour by hour, keeps them for good, and reads them."""

import logging
import secrets
from bisect import bisect_left
from collections import defaultdict
from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.core.cache import caches
from django.db import OperationalError, connection, transaction
from django.utils import timezone

from petition.figures import disclosure
from petition.figures.disclosure import Table
from petition.ground import countries, languages
from petition.ground.memory import AN_HOUR, remember
from petition.models import Hour, Mend, Signature, Tally, Track
from petition.signing import tallies
from petition.signing.tallies import PAPER, Counter, Dimension, Key

logger = logging.getLogger(__name__)

# Of what signers say of themselves: no cell under ten may be seen, nor worked out.
# Each has a category that stays in the rest for good: where nobody lives, the language that comes
# last, no track chosen.
TABLES = {Dimension.COUNTRY: "AQ", Dimension.LANGUAGE: "en", Dimension.TRACK: ""}
LEAST = 10
REMEMBERED_SECONDS = 2
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
FLOW = ("came", "withdrawn", "set_aside", "taken_out")
# One process draws at a time; differs from other advisory locks of this database.
LOCK = 7_235_004
# How long a reader waits for whoever draws, and how long after that none does.
LOCK_SECONDS, PATIENCE_SECONDS = 2, 60


@dataclass(frozen=True)
class Flow:
    """Signatures that came into the count since a moment, and that left it: withdrawn by signers,
    set aside by coordinators (or corrected by a recount), taken out with a sheet of paper."""

    since: datetime | None
    came: int
    withdrawn: int = 0
    set_aside: int = 0
    taken_out: int = 0

    @property
    def left(self) -> int:
        return self.withdrawn + self.set_aside + self.taken_out

    @property
    def net(self) -> int:
        return self.came - self.left


@dataclass(frozen=True)
class States:
    """What was received, by what has become of it, at the first drawing of a day.

    All but `counted` are in whole tens, the one below or the one above by chance: who could watch
    each one could find out whether an address has signed, by signing with it; also if they brought
    the number to just below a ten by themselves, where it were always the one below.
    """

    at: datetime
    counted: int
    pending: int
    held: int
    rejected: int
    withdrawn: int
    expired: int

    @property
    def received(self) -> int:
        return sum(value for name, value in vars(self).items() if name != "at")


@dataclass(frozen=True)
class Drawn:
    """The figures that are drawn up on the hour."""

    at: datetime
    online: int
    paper: int
    country: Table
    language: Table
    track: Table
    states: States

    @property
    def total(self) -> int:
        return self.online + self.paper


@dataclass(frozen=True)
class Figures:
    """All public figures of now; the same for every page, file and picture."""

    counter: Counter
    today: Flow
    last_24_hours: Flow
    drawn: Drawn


@dataclass(frozen=True)
class Moment:
    """The count at the end of an hour or of a day, and what has happened since the one before."""

    at: datetime
    online: int
    paper: int
    flow: Flow

    @property
    def total(self) -> int:
        return self.online + self.paper


@dataclass(frozen=True)
class Day(Moment):
    """A day in UTC; of today, as far as it has gone."""

    day: date
    is_over: bool


@dataclass(frozen=True)
class DrawnDay:
    """A day with its hours and the last tables that were drawn up for it; those of a day that is
    over never change. No tables where the day was before the first drawing."""

    day: Day
    hours: list[Moment]
    drawn_at: datetime | None
    country: Table | None
    language: Table | None
    track: Table | None


def now() -> Figures:
    """The figures, at most REMEMBERED_SECONDS old."""
    # What is remembered of the hour before would not agree with what is drawn up in this one.
    key = f"figures-{timezone.now():%Y-%m-%d-%H}"
    return remember(key, _read_now, REMEMBERED_SECONDS, AN_HOUR)


def draw_up(moment: datetime | None = None) -> Hour | None:
    """Draw up the figures of this hour; None where that is done, or in another process's hands."""
    moment = moment or timezone.now()
    hour = moment.replace(minute=0, second=0, microsecond=0)
    if Hour.objects.filter(hour__gte=hour).exists():
        return None
    # Without an hour of this day no page can say what today has brought: then it is worth a wait.
    may_wait = not Hour.objects.filter(hour__gte=_midnight(hour.date())).exists()
    try:
        return _draw_up(hour, moment, may_wait)
    except OperationalError:  # Whoever draws hangs: readers have the figures of before.
        caches["process"].set("drawing", True, PATIENCE_SECONDS)
        logger.warning("The figures of this hour are in another process's hands for too long.")
        return None


def _draw_up(hour: datetime, moment: datetime, may_wait: bool) -> Hour | None:
    with transaction.atomic():
        if not _lock(may_wait and not caches["process"].get("drawing")):
            return None
        if _is_ahead(moment):
            logger.error("This host's clock is more than a day ahead of the database's.")
            return None
        before = Hour.objects.order_by("hour").last()
        if before and before.hour >= hour:
            return None
        figures = tallies.every()
        if before is None:
            before = _reconstruct(figures, hour)
        return _draw(hour, moment, figures, before)


def hours(since: datetime, until: datetime) -> list[Moment]:
    """What was drawn up in that time, both ends included, each since the one before."""
    rows = list(_plain_rows().filter(hour__gte=since, hour__lte=until).order_by("hour"))
    if not rows:
        return []
    first = _plain_rows().filter(hour__lt=rows[0].hour).order_by("hour").last()
    return [_moment(row, before) for before, row in zip([first, *rows], rows, strict=False)]


def days(first: date | None = None, last: date | None = None) -> list[Day]:
    """Every day from `first` to `last`: from the first that is known, and to today, by default."""
    today, ends = _ends()
    begins = [row.hour.date() for row in ends]
    first = max(first or begins[0], begins[0])
    last = min(last or today, today)
    found = []
    for which in (first + DAY * n for n in range((last - first).days + 1)):
        place = bisect_left(begins, which)
        start, later = ends[min(place, len(ends) - 1)], ends[bisect_left(begins, which + DAY) :]
        if which == today or not later:
            found.append(_today(which, start))
        else:
            found.append(Day(**vars(_moment(later[0], start)), day=which, is_over=True))
    return found


def day(which: date) -> DrawnDay | None:
    """One day's figures; None where it has not begun, or lies before the first."""
    today, ends = _ends()
    found = days(which, which)
    if not found or found[0].day != which:
        return None
    start = next((row.hour for row in ends if row.hour.date() >= which), ends[-1].hour)
    end = next((row.hour for row in ends if row.hour.date() > which), _midnight(today + DAY))
    rows = Hour.objects.filter(hour__gt=start, hour__lte=end).exclude(tables={})
    drawn = rows.order_by("hour").last()
    tables = {str(name): _table(drawn, name) if drawn else None for name in TABLES}
    return DrawnDay(found[0], hours(start + HOUR, end), drawn.at if drawn else None, **tables)


def forget() -> None:
    """What was published about sample data was never true."""
    with transaction.atomic():
        _lock(may_wait=True)
        _forget()
    caches["process"].clear()


def _forget() -> None:
    Hour.objects.all().delete()
    Mend.objects.all().delete()
    Tally.objects.filter(dimension=Dimension.LEFT).delete()


def _read_now() -> Figures:
    moment = timezone.now()
    draw_up(moment)
    rows = _plain_rows().order_by("hour")
    newest = rows.last()
    fresh = moment - newest.at < timedelta(seconds=tallies.REMEMBERED_SECONDS)
    # A counter that is remembered may be older than what was drawn up a moment ago.
    counter = tallies.read_counter() if fresh else tallies.counter()
    opened = rows.filter(hour__gte=_midnight(moment.date())).first() or newest
    a_day_ago = rows.filter(hour__gt=moment - DAY - HOUR).first() or opened
    last = Hour.objects.exclude(tables={}).latest("hour")
    counted = Hour.objects.filter(states__isnull=False).latest("hour")
    return Figures(
        counter,
        _flow(counter, opened),
        _flow(counter, a_day_ago),
        Drawn(
            last.at, last.online, last.paper,
            states=_states(counted), **{str(name): Table(**last.tables[name]) for name in TABLES},
        ),
    )  # fmt: skip


def _draw(hour: datetime, moment: datetime, figures: dict[Key, int], before: Hour) -> Hour:
    """The row of an hour. The tables go on from those that were published before it."""
    sums = _sums(figures)
    last = Hour.objects.exclude(tables={}).order_by("hour").last()
    came = sums["came"] - (last or before).came
    left = sum(sums[name] - getattr(last or before, name) for name in FLOW[1:])
    tables = {}
    for name, kept in TABLES.items():
        cells = dict.fromkeys(_categories(name), 0)
        for (_, dimension, value), count in figures.items():
            if dimension == name:
                cells[value] = cells.get(value, 0) + count
        shown = _table(last, name) if last else None
        tables[str(name)] = asdict(disclosure.renew(shown, cells, came, left, LEAST, kept))
    opens = before.hour < _midnight(hour.date())
    return Hour.objects.create(
        hour=hour, at=moment, tables=tables, opens_day=opens,
        states=_count_states(figures) if opens or last is None else None, **sums,
    )  # fmt: skip


def _categories(name: str) -> list[str]:
    """Every one that there can be, also where nobody has signed: the rule asks all alike."""
    if name == Dimension.COUNTRY:
        return list(countries.names(languages.DEFAULT))
    if name == Dimension.LANGUAGE:
        return list(languages.LANGUAGES)
    return ["", *Track.objects.values_list("slug", flat=True)]


def _reconstruct(figures: dict[Key, int], hour: datetime) -> Hour:
    """How each day before the first drawing ended, as far as the counters by day tell; returns the
    last. Signatures that had left the count by then are not known."""
    by_day: defaultdict[date, list[int]] = defaultdict(lambda: [0, 0])
    for (channel, dimension, value), count in figures.items():
        if dimension == Dimension.DAY and value < hour.date().isoformat():
            by_day[date.fromisoformat(value)][channel == PAPER] += count
    online = paper = 0
    which = min(by_day, default=(hour - HOUR).date())
    rows = {_midnight(which): (0, 0)}
    while which < hour.date():
        online, paper = online + by_day[which][0], paper + by_day[which][1]
        which += DAY
        rows[_midnight(which)] = (online, paper)
    made = [
        Hour(hour=end, at=end, online=on, paper=off, came=on + off, opens_day=True)
        for end, (on, off) in rows.items()
    ]
    if made[-1].hour == hour:
        made.pop()
    return Hour.objects.bulk_create(made)[-1]


def _sums(figures: dict[Key, int]) -> dict[str, int]:
    """What an `Hour` says of the whole."""
    total = {str(c): figures.get((c, Dimension.TOTAL, ""), 0) for c in Tally.Channel}
    sums = {
        name: sum(
            count
            for (_, dimension, value), count in figures.items()
            if dimension == Dimension.LEFT and value in values
        )
        for name, values in tallies.LEFT.items()
    }
    came = sum(total.values()) + sum(sums.values())
    return {"online": total["online"], "paper": total["paper"], "came": came, **sums}


def _count_states(figures: dict[Key, int]) -> dict[str, int]:
    names = [*Signature.State.values, Tally.EXPIRED]
    names.remove(Signature.State.COUNTED)
    counts = {n: figures.get((tallies.ONLINE, Dimension.STATE, n), 0) for n in names}
    chance = secrets.SystemRandom().randrange
    return {
        name: (max(count, 0) + chance(LEAST)) // LEAST * LEAST for name, count in counts.items()
    }


def _states(row: Hour) -> States:
    return States(at=row.at, counted=row.total, **(row.states or {}))


def _table(row: Hour, name: str) -> Table | None:
    return Table(**row.tables[name]) if name in row.tables else None


def _plain_rows():
    return Hour.objects.defer("tables", "states")


def _moment(row: Hour, before: Hour | None) -> Moment:
    passed = {name: getattr(row, name) - (getattr(before, name) if before else 0) for name in FLOW}
    return Moment(row.at, row.online, row.paper, Flow(before.at if before else None, **passed))


def _today(day: date, start: Hour) -> Day:
    counter = tallies.counter()
    flow = _flow(counter, start)
    return Day(timezone.now(), counter.online, counter.paper, flow, day=day, is_over=False)


def _flow(counter: Counter, since: Hour) -> Flow:
    """Never negative: for a moment the counter that is remembered may be older than the row."""
    passed = {name: getattr(counter, name) - getattr(since, name) for name in FLOW}
    return Flow(since.at, **{name: max(count, 0) for name, count in passed.items()})


def _ends() -> tuple[date, list[Hour]]:
    """Today, and the first row of each day, today's too: it says how the day before ended."""
    moment = timezone.now()
    draw_up(moment)
    return moment.date(), list(_plain_rows().filter(opens_day=True).order_by("hour"))


def _is_ahead(moment: datetime) -> bool:
    """What is drawn up for a day to come would stand for the figures until it has come."""
    if connection.vendor != "postgresql":
        return False  # SQLite has no clock but this host's.
    with connection.cursor() as cursor:
        cursor.execute("SELECT now()")
        return moment > cursor.fetchone()[0] + timedelta(hours=26)


def _lock(may_wait: bool) -> bool:
    if connection.vendor != "postgresql":
        return True  # SQLite has one writer.
    with connection.cursor() as cursor:
        if may_wait:
            cursor.execute(f"SET LOCAL lock_timeout = '{LOCK_SECONDS}s'")
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
            return True
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [LOCK])
        return cursor.fetchone()[0]


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
