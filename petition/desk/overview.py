"""The figures of the desk's front page, each at the price of a few rows, however many signed."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django.db.models import Min, QuerySet, Sum
from django.utils import timezone

from petition.cases import rules
from petition.letters import pacing
from petition.models import Case, Letter, Sheet, Signature, Tally
from petition.signing import tallies

DAYS = 30
# Beyond this a queue is not counted to its end: that it is long is all that matters then.
COUNTED_UP_TO = 10_000


@dataclass(frozen=True)
class Queue:
    """How many wait, "or more" where it is more than COUNTED_UP_TO, and since when the oldest."""

    count: int
    since: datetime | None = None

    @property
    def or_more(self) -> bool:
        return self.count > COUNTED_UP_TO

    @property
    def shown(self) -> int:
        return min(self.count, COUNTED_UP_TO)


@dataclass(frozen=True)
class Day:
    """Signatures counted on a day (UTC)."""

    day: date
    online: int
    paper: int

    @property
    def count(self) -> int:
        return self.online + self.paper


def states() -> dict[str, int]:
    """How many signatures are in each state but counted, and how many expired."""
    rows = Tally.objects.filter(dimension=Tally.Dimension.STATE).values_list("value")
    return dict(rows.annotate(Sum("count")))


def days(last: date, how_many: int = DAYS) -> list[Day]:
    """The last days up to `last`, also those without a signature."""
    first = last - timedelta(days=how_many - 1)
    rows = Tally.objects.filter(
        dimension=Tally.Dimension.DAY, value__gte=first.isoformat(), value__lte=last.isoformat()
    )
    sums = rows.values_list("channel", "value").annotate(Sum("count"))
    found = {(channel, day): count for channel, day, count in sums}
    every = (first + timedelta(days=n) for n in range(how_many))
    return [
        Day(day, *(found.get((channel, day.isoformat()), 0) for channel in Tally.Channel))
        for day in every
    ]


def waiting_longest() -> datetime | None:
    """Since when the signature that was held first is held."""
    held = Signature.objects.filter(state=Signature.State.HELD).order_by("moved_at")
    return held.values_list("moved_at", flat=True).first()


def letters_due() -> Queue:
    """Letters that somebody waits for; how far news has come stands with the news."""
    due = Letter.objects.filter(state=Letter.State.DUE, mailing=None)
    # When it was owed, not when it is tried again.
    return Queue(_up_to(due), due.aggregate(since=Min("created_at"))["since"])


def letters_bounced() -> Queue:
    """Letters refused for good, as long as they are kept (30 days)."""
    return Queue(_up_to(Letter.objects.filter(state=Letter.State.REFUSED)))


def letters_paced() -> Queue:
    """Letters that wait since too many go to one mail domain: perhaps somebody makes addresses
    up."""
    due = Letter.objects.filter(state=Letter.State.DUE, mailing=None, reply=pacing.REPLY)
    return Queue(_up_to(due))


def sheets_entered_once() -> Queue:
    """Sheets that wait for their second count."""
    once = Sheet.objects.entered_once()
    return Queue(_up_to(once), once.order_by("moved_at").values_list("moved_at", flat=True).first())


def sheets_in_conflict() -> Queue:
    return Queue(_up_to(Sheet.objects.in_conflict()))


def cases_waiting() -> Queue:
    """Prisoner cases of which something that is written is not public."""
    return Queue(_up_to(rules.waiting()))


def cases_lapsing() -> Queue:
    """Public cases that will disappear by themselves within a fortnight."""
    return Queue(_up_to(rules.lapsing()))


def cases_taken_down() -> Queue:
    return Queue(_up_to(Case.objects.filter(take_down__isnull=False)))


def figures() -> dict:
    """All of them, as the template names them."""
    last_days = days(timezone.now().date())
    return {
        "counter": tallies.read_counter(),
        "states": states(),
        "days": last_days,
        "today": last_days[-1],
        "held_since": waiting_longest(),
        "letters_due": letters_due(),
        "letters_bounced": letters_bounced(),
        "letters_paced": letters_paced(),
        "sheets_once": sheets_entered_once(),
        "sheets_in_conflict": sheets_in_conflict(),
        "cases_waiting": cases_waiting(),
        "cases_lapsing": cases_lapsing(),
        "cases_taken_down": cases_taken_down(),
    }


def _up_to(rows: QuerySet) -> int:
    return rows.order_by()[: COUNTED_UP_TO + 1].count()
