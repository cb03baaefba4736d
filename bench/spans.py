"""What Schemathesis cannot know of days: which spans are answered, said a second time; and that of
those which it makes up some should lie near each other, and near today."""

import re
from datetime import UTC, date, datetime
from urllib.parse import parse_qs, urlsplit

import schemathesis

# By so many days `to` comes after `from`, and a day after today: on and beside every limit.
SPANS = (-1, 0, 1, 6, 29, 30, 31)
FROM_TODAY = (-2, -1, 0, 0, 1)
DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@schemathesis.check
def answers_each_span_that_it_should(ctx, response, case) -> None:
    asked = urlsplit(response.request.url)
    if not asked.path.endswith(("/history.json", "/history.csv")) or case.method != "GET":
        return
    query = parse_qs(asked.query, keep_blank_values=True)
    expected = (200, 304) if may_be_asked(query) else (400,)
    assert response.status_code in expected, f"{asked.query}: {response.status_code}"


@schemathesis.hook
def map_query(ctx, query):
    """Brings every second `to` near `from`."""
    first, last = (read((query or {}).get(name)) for name in ("from", "to"))
    if first and last and last.toordinal() % 2:
        query["to"] = str(shifted(first, SPANS[last.toordinal() % len(SPANS)]))
    return query


@schemathesis.hook
def map_path_parameters(ctx, path_parameters):
    """Brings every second day near today."""
    day = read((path_parameters or {}).get("day"))
    if day and day.toordinal() % 2:
        today = datetime.now(UTC).date()
        path_parameters["day"] = str(shifted(today, FROM_TODAY[day.toordinal() % len(FROM_TODAY)]))
    return path_parameters


def may_be_asked(query: dict[str, list[str]]) -> bool:
    if set(query) - {"from", "to"} or any(len(values) > 1 for values in query.values()):
        return False
    days = {name: read(values[0]) for name, values in query.items()}
    if not all(days.values()):
        return False
    return len(days) < 2 or 0 <= (days["to"] - days["from"]).days <= 30


def read(text: object) -> date | None:
    """A day as the document says that one is written; None for anything else."""
    try:
        return date.fromisoformat(text) if DAY.fullmatch(text) else None
    except (TypeError, ValueError):
        return None


def shifted(day: date, by: int) -> date:
    return date.fromordinal(min(max(day.toordinal() + by, 1), date.max.toordinal()))
