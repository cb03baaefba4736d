"""What each answer of the API says, as plain dictionaries and lines of a table; nothing of HTTP."""

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

from django.http import QueryDict
from django.utils import timezone

from petition.cases import rules
from petition.figures import history, ledger, milestones, openapi
from petition.figures.disclosure import Table
from petition.figures.history import Flow, Moment
from petition.signing import tallies

MOST_DAYS = 31
DAYS_BY_DEFAULT = 7
ISO_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
OTHER, NO_TRACK = "other", "none"
FLOW = ("came", "withdrawn", "set_aside", "taken_out")
HOUR = ("at", "total", "online", "paper", *FLOW)
SETTLED = timedelta(minutes=5)
DAY_STARTS_AFTER = timedelta(microseconds=1)


class BadQuery(Exception):
    """What is asked for cannot be answered; says why, for the developer who asks."""


class NoSuchDay(Exception):
    """A day that has not begun, or that lies before the first signature."""


@dataclass(frozen=True)
class Answer:
    """What an address says, when that changed last, and whether it will ever again."""

    said: dict
    changed_at: datetime | None
    is_final: bool = False


def counter() -> Answer:
    """The exact figure of now; what came and left since midnight (UTC) and in 24 hours."""
    figures = history.now()
    now = figures.counter
    said = {
        "total": now.total,
        "online": now.online,
        "paper": now.paper,
        "goal": now.goal,
        "updated_at": moment(now.changed_at) if now.changed_at else None,
        "today": {"came": figures.today.came, "left": figures.today.left},
        "last_24_hours": {
            "came": figures.last_24_hours.came,
            "left": figures.last_24_hours.left,
        },
    }
    return Answer(_signed(said), max(now.changed_at or figures.drawn.at, figures.drawn.at))


def tables() -> Answer:
    """All figures of the last full hour, by country, track, language and day, and by state."""
    figures = history.now()
    drawn = figures.drawn
    said = {
        "as_of": moment(drawn.at),
        "total": drawn.total,
        "online": drawn.online,
        "paper": drawn.paper,
        "goal": figures.counter.goal,
        **_tables(drawn),
        "by_day": [
            {"day": day.isoformat(), "came": flow.came, "left": flow.left, "net": flow.net,
             "total": count.total}
            for day, count, flow in _days(drawn)
        ],
        "states": {
            "as_of": moment(drawn.states.at),
            **{
                name: getattr(drawn.states, name)
                for name in ("received", "pending", "counted", "held", "rejected", "withdrawn",
                             "expired")
            },
        },
        "rounded_to": history.LEAST,
    }  # fmt: skip
    return Answer(_signed(said), drawn.at)


def asked_days(query: QueryDict) -> tuple[date, date]:
    """The first and the last of the days that a query asks for by `from` and `to`.

    Whatever else it holds is refused: who misspells a name must not take other days' figures for
    those that were asked for.
    """
    unknown = sorted(set(query) - {"from", "to"})
    if unknown:
        raise BadQuery(f"Unknown parameter {unknown[0][:40]!r}; there are 'from' and 'to'.")
    first, last = _asked_day(query, "from"), _asked_day(query, "to")
    today = timezone.now().date()
    if first and not last:
        last = max(first, min(today, _later(first, MOST_DAYS - 1)))
    last = last or today
    first = first or _later(last, 1 - DAYS_BY_DEFAULT)
    if first > last:
        raise BadQuery(f"'from' ({first}) must not be after 'to' ({last}).")
    days = (last - first).days + 1
    if days > MOST_DAYS:
        raise BadQuery(f"{days} days are asked for; at most {MOST_DAYS} are given at once.")
    return first, last


def hours(first: date, last: date) -> Answer:
    """The count at the end of each hour of some days (UTC), both included."""
    drawn = history.now().drawn  # Before the hours are read: it draws up what is due.
    found = _hours(first, last)
    reached = [m for m in milestones.public()[::-1] if first <= m.reached_at.date() <= last]
    # Not by the clock alone: the last hour may be drawn up, and a milestone noted, after its end.
    is_final = drawn.at.date() > last and timezone.now() - _midnight(_later(last, 1)) > SETTLED
    said = {
        "from": first.isoformat(),
        "to": last.isoformat(),
        "hours": [_hour(hour) for hour in found],
        "milestones": [
            {"percent": one.percent, "total": one.figure, "goal": one.goal,
             "at": moment(one.reached_at)}
            for one in reached
        ],
    }  # fmt: skip
    moments = [hour.at for hour in found[-1:]] + [one.reached_at for one in reached]
    return Answer(_signed(said), max(moments, default=None), is_final)


def day(which: date) -> Answer:
    """One day (UTC): its figures at its end, or at the last full hour where it is not over."""
    found = history.day(which)
    if found is None:
        raise NoSuchDay
    drawn = history.now().drawn
    count, tables = (found.day, found) if found.day.is_over else (drawn, drawn)
    within = [hour for hour in found.hours if hour.at <= count.at]
    flow = found.day.flow if found.day.is_over else _sum(within)
    said = {
        "day": which.isoformat(),
        "is_over": found.day.is_over,
        "as_of": moment(count.at),
        "total": count.total,
        "online": count.online,
        "paper": count.paper,
        **{name: getattr(flow, name) for name in FLOW},
        "hours": [_hour(hour) for hour in within],
        **_tables(tables),
        "rounded_to": history.LEAST,
    }
    return Answer(_signed(said), count.at, found.day.is_over)


def corrections() -> Answer:
    """Every sweep, undo and recount, the latest first."""
    counter = history.now().counter
    found = ledger.corrections()
    said = {
        "corrections": [
            {
                "number": line.number,
                "at": moment(line.made_at),
                "kind": line.kind,
                "reason": line.reason or None,
                "count": line.count,
                "rules": line.rules,
                "is_over": line.is_over,
            }
            for line in found
        ],
        "rules": {"version": tallies.RULES},
    }
    if not all(line.is_over for line in found):
        return Answer(_signed(said), None)  # That it ends is no change of the count.
    moments = [line.made_at for line in found] + [counter.changed_at]
    return Answer(_signed(said), max(filter(None, moments), default=None))


def document() -> Answer:
    """The OpenAPI document, with what each address says now as its example."""
    today = timezone.now().date()
    found = {
        "counter": counter(),
        "tallies": tables(),
        "history": hours(today, today),
        "day": day(today),
        "corrections": corrections(),
    }
    said: dict[str, dict | str] = {f"{n}.json": answer.said for n, answer in found.items()}
    for name, lines in (
        ("tallies", lines_of_tables), ("history", lines_of_hours), ("day", lines_of_tables),
    ):  # fmt: skip
        said[f"{name}.csv"] = table(lines(found[name].said))
    moments = (answer.changed_at for answer in found.values())
    return Answer(openapi.document(said, today.isoformat()), max(filter(None, moments)))


def table(lines: Iterator[tuple]) -> str:
    """Lines as CSV (RFC 4180). Without a byte order mark: all of it is ASCII, so no spreadsheet
    needs one, and programs would take it for a part of the first name. All cells are codes and
    numbers of our own: none can be taken for a formula, and `day_net` alone has a sign."""
    out = io.StringIO()
    csv.writer(out).writerows(lines)
    return out.getvalue()


def lines_of_tables(said: dict) -> Iterator[tuple]:
    """The figures of `tables` or of a `day` as lines: dimension, value, count, as of when."""
    as_of = said["as_of"]
    yield "dimension", "value", "count", "as_of"
    for name in ("total", "online", "paper", "goal", *FLOW):
        if name in said:
            yield name, "", said[name], as_of
    for name in ("country", "track", "language"):
        for cell in said[f"by_{name}"] or ():
            yield name, cell[name], cell["count"], as_of
    for row in said.get("by_day", ()):
        for name in ("came", "left", "net", "total"):
            yield f"day_{name}", row["day"], row[name], as_of
    for row in said.get("hours", ()):
        for name in HOUR[1:]:
            yield f"hour_{name}", row["at"], row[name], row["at"]
    for name, count in said.get("states", {}).items():
        if name != "as_of":
            yield "state", name, count, said["states"]["as_of"]


def lines_of_hours(said: dict) -> Iterator[tuple]:
    """The hours of `hours` as lines, one each."""
    yield HOUR
    for row in said["hours"]:
        yield tuple(row[name] for name in HOUR)


def moment(at: datetime) -> str:
    """ISO 8601 in UTC, to the second."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"


def _signed(said: dict) -> dict:
    """With the licence, and with what makes clear that figures are made up, where they are."""
    sample = {"sample": True} if rules.samples_are_shown() else {}
    return said | {"licence": openapi.LICENCE} | sample


def _tables(drawn) -> dict:
    return {
        f"by_{name}": _cells(name, getattr(drawn, name))
        for name in ("country", "track", "language")
    }


def _cells(name: str, table: Table | None) -> list[dict] | None:
    """The largest first, what is not told apart last; None where nobody drew a table up."""
    if table is None:
        return None
    cells = sorted(table.shown.items(), key=lambda cell: (-cell[1], cell[0]))
    cells.append((OTHER, table.rest))
    return [{name: value or NO_TRACK, "count": count} for value, count in cells]


def _hour(hour: Moment) -> dict:
    count = {name: getattr(hour, name) for name in ("total", "online", "paper")}
    return {"at": moment(hour.at)} | count | {name: getattr(hour.flow, name) for name in FLOW}


def _hours(first: date, last: date) -> list[Moment]:
    """What was drawn up in those days. At midnight that is the end of the day before."""
    end = _midnight(_later(last, 1)) if last < date.max else datetime.max.replace(tzinfo=UTC)
    return history.hours(_midnight(first) + DAY_STARTS_AFTER, end)


def _days(drawn: history.Drawn) -> Iterator[tuple[date, Moment | history.Drawn, Flow]]:
    """Every day; the one under way as of the last full hour, as the tables are."""
    for found in history.days(None, drawn.at.date()):
        if found.is_over:
            yield found.day, found, found.flow
        else:
            begun = history.day(found.day)
            hours = begun.hours if begun else []
            yield found.day, drawn, _sum([hour for hour in hours if hour.at <= drawn.at])


def _sum(found: list[Moment]) -> Flow:
    return Flow(None, *(sum(getattr(hour.flow, name) for hour in found) for name in FLOW))


def _asked_day(query: QueryDict, name: str) -> date | None:
    values = query.getlist(name)
    if not values:
        return None
    try:
        if len(values) > 1 or not ISO_DAY.fullmatch(values[0]):
            raise ValueError
        return date.fromisoformat(values[0])
    except ValueError as error:
        raise BadQuery(f"'{name}' must be one day, written as 2026-02-10.") from error


def _later(day: date, days: int) -> date:
    """So many days later, as far as the calendar goes."""
    return date.fromordinal(min(max(day.toordinal() + days, 1), date.max.toordinal()))


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
