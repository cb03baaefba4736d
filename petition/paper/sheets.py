"""Makes paper sheets, takes the counts of two people, settles what differs, takes sheets out."""

from collections import Counter
from dataclasses import dataclass, field

from django.contrib.auth.models import User as Person
from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from petition import audit
from petition.ground.lazy import LazyText
from petition.log import events
from petition.models import Entry, Sheet, SheetCount
from petition.signing import tallies

FIRST_SERIAL = 10_000
MOST_AT_ONCE = 200
# One maker of numbers at a time; differs from other advisory locks of this database.
LOCK = 7_235_002

State = Sheet.State
NOTHING = {
    "country": "",
    "place": "",
    "date": None,
    "collector": "",
    "valid": None,
    "struck": None,
    "counted_at": None,
}
WRITTEN = ["state", "moved_at", *NOTHING]


class Refused(Exception):
    """Why something is not done; `says` is for whoever asked. It never says what others counted."""

    says: LazyText = ""


class MistypedNumber(Refused):
    says = _("No sheet has this number. Compare it with the sheet, digit by digit.")


class UnknownSheet(Refused):
    says = _("No sheet with this number was made here.")


class AlreadyEntered(Refused):
    says = _("You have entered this sheet already. Another coordinator enters it now.")


class AlreadyCounted(Refused):
    says = _("This sheet is counted already.")


class InConflict(Refused):
    says = _(
        "Two coordinators have entered this sheet, and their counts differ. "
        "It waits for a third to settle it."
    )


class TakenOut(Refused):
    says = _("This sheet was cancelled. It does not count.")


class NotInConflict(Refused):
    says = _("There is nothing to settle about this sheet.")


class CountedItYourself(Refused):
    says = _("You have counted this sheet yourself. Another coordinator settles it.")


class ReasonMissing(Refused):
    says = _("Say why the sheet is cancelled.")


class NothingToPrint(Refused):
    says = _("No sheet of this batch is still to be entered.")


@dataclass
class Taken:
    """What became of many counts. Before they are taken it says no more than `first`, `second` and
    `known`: whoever could try would learn from the rest what others counted."""

    first: int = 0
    second: int = 0
    known: int = 0
    counted: list[int] = field(default_factory=list)
    conflicts: list[int] = field(default_factory=list)


def make(language: str, how_many: int, by: Person) -> list[Sheet]:
    """The sheets of a new batch, to be printed."""
    if not 1 <= how_many <= MOST_AT_ONCE:
        raise ValueError(f"1 to {MOST_AT_ONCE} sheets, not {how_many}")
    with transaction.atomic():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
        last = Sheet.objects.aggregate(number=Max("number"), batch=Max("batch"))
        serial = last["number"] // 10 + 1 if last["number"] else FIRST_SERIAL
        batch = (last["batch"] or 0) + 1
        sheets = Sheet.objects.bulk_create(
            Sheet(
                number=Sheet.number_of(serial + n),
                language=language,
                batch=batch,
                made_by=by.get_username(),
            )
            for n in range(how_many)
        )
        _note_printing(sheets, by)
    return sheets


def print_again(batch: int, by: Person) -> list[Sheet]:
    """The sheets of a batch that nobody has entered. Of the others no second paper is made."""
    with transaction.atomic():
        sheets = list(Sheet.objects.of_batch(batch).blank().order_by("number"))
        if not sheets:
            raise NothingToPrint
        _note_printing(sheets, by, again=True)
    return sheets


def enter(number: int, by: Person, **count) -> Sheet:
    """Take what one person counted on a sheet; as the second count it counts or is a conflict."""
    with transaction.atomic():
        sheet = _locked(number)
        refusal = _refusal(sheet, by)
        if refusal:
            raise refusal
        _take({number: sheet}, [SheetCount(sheet=sheet, by=by, **count)])
        audit.append(by, Entry.Act.ENTER, subject(sheet), state=str(sheet.state), **_numbers(sheet))
    return sheet


def settle(number: int, by: Person, note: str = "", **count) -> Sheet:
    """Count a sheet as a third person counted it, where the first two differ."""
    with transaction.atomic():
        sheet = _locked(number)
        refusal = not_to_settle(sheet, by)
        if refusal:
            raise refusal
        own = SheetCount.objects.create(sheet=sheet, by=by, **count)
        _count(sheet, own)
        sheet.save(update_fields=WRITTEN)
        tallies.add(_lines_of([sheet]))
        audit.append(by, Entry.Act.SETTLE, subject(sheet), **_numbers(sheet), note=note)
    return sheet


def void(number: int, by: Person, note: str) -> Sheet:
    """Take a sheet out for good, off the count too where it was counted."""
    if not note.strip():
        raise ReasonMissing
    with transaction.atomic():
        sheet = _locked(number)
        if sheet.state == State.VOID:
            raise TakenOut
        was = {"was": str(sheet.state), **_numbers(sheet)}
        lines = _lines_of([sheet]) if sheet.state == State.COUNTED else {}
        _move(sheet, State.VOID, **NOTHING)
        sheet.save(update_fields=WRITTEN)
        changes = {key: -valid for key, valid in lines.items()}
        if lines:
            changes[tallies.TAKEN_OUT] = was["valid"]
        tallies.add(changes)
        if lines and was["valid"]:
            events.sheet_leaves(number, was["valid"], in_log=sheet.in_log)
        audit.append(by, Entry.Act.VOID, subject(sheet), **was, note=note)
    return sheet


def refusals(numbers: list[int], by: Person) -> dict[int, Refused]:
    """Which numbers `enter_all` would refuse, and why."""
    sheets = _with_counts().in_bulk([number for number in numbers if Sheet.is_number(number)])
    found = {number: _refusal_of_import(sheets.get(number), number, by) for number in numbers}
    return {number: refusal for number, refusal in found.items() if refusal}


def foresee(counts: list[SheetCount], by: Person) -> Taken:
    """What `enter_all` would take, as far as it may be known before."""
    sheets = _with_counts().in_bulk([count.sheet_id for count in counts])
    states = [s.state for s in sheets.values() if not _is_known(s, by)]
    return Taken(
        first=states.count(State.BLANK),
        second=states.count(State.ONCE),
        known=len(sheets) - len(states),
    )


def enter_all(counts: list[SheetCount], by: Person, **detail) -> Taken:
    """Take all counts of one person, or none: raises Refused where one cannot be taken.

    What is known already is left as it is: sheets that this person entered, and those that two
    people entered.
    """
    with transaction.atomic():
        sheets = _with_counts().select_for_update().in_bulk([c.sheet_id for c in counts])
        for count in counts:
            refusal = _refusal_of_import(sheets.get(count.sheet_id), count.sheet_id, by)
            if refusal:
                raise refusal
        new = [count for count in counts if not _is_known(sheets[count.sheet_id], by)]
        for count in new:
            count.by, count.imported = by, True
        _take(sheets, new)
        states = {count.sheet_id: sheets[count.sheet_id].state for count in new}
        taken = Taken(
            first=list(states.values()).count(State.ONCE),
            known=len(counts) - len(new),
            counted=[number for number, state in states.items() if state == State.COUNTED],
            conflicts=[number for number, state in states.items() if state == State.CONFLICT],
        )
        taken.second = len(taken.counted) + len(taken.conflicts)
        audit.append(
            by,
            Entry.Act.IMPORT,
            rows=len(counts),
            first=taken.first,
            counted=len(taken.counted),
            conflicts=len(taken.conflicts),
            known=taken.known,
            **detail,
        )
    return taken


def not_to_settle(sheet: Sheet, by: Person) -> Refused | None:
    """Why this person may not settle the sheet, nor see what the others counted."""
    if sheet.state != State.CONFLICT:
        return NotInConflict()
    return CountedItYourself() if sheet.was_counted_by(by) else None


def subject(sheet: Sheet) -> str:
    """How audit entries name a sheet."""
    return f"sheet {sheet.number}"


def _with_counts():
    """Sheets in the one order in which all lock them."""
    return Sheet.objects.order_by("number").prefetch_related("counts")


def _locked(number: int) -> Sheet:
    if not Sheet.is_number(number):
        raise MistypedNumber
    sheet = _with_counts().select_for_update().filter(pk=number).first()
    if sheet is None:
        raise UnknownSheet
    return sheet


def _refusal(sheet: Sheet, by: Person) -> Refused | None:
    if sheet.state in (State.BLANK, State.ONCE) and not sheet.was_counted_by(by):
        return None
    why: dict[str, type[Refused]] = {
        State.COUNTED: AlreadyCounted,
        State.CONFLICT: InConflict,
        State.VOID: TakenOut,
    }
    return why.get(sheet.state, AlreadyEntered)()


def _is_known(sheet: Sheet, by: Person) -> bool:
    return sheet.was_counted_by(by) or sheet.state in (State.COUNTED, State.CONFLICT)


def _refusal_of_import(sheet: Sheet | None, number: int, by: Person) -> Refused | None:
    if sheet is None:
        return UnknownSheet() if Sheet.is_number(number) else MistypedNumber()
    return None if _is_known(sheet, by) else _refusal(sheet, by)


def _take(sheets: dict[int, Sheet], counts: list[SheetCount]) -> None:
    """Write counts that may be taken, each of another of the locked sheets, and what follows."""
    for count in counts:
        sheet = sheets[count.sheet_id]
        first = next(iter(sheet.counts.all()), None)
        if first is None:
            _move(sheet, State.ONCE)
        elif first.agrees_with(count):
            _count(sheet, first, count)
        else:
            _move(sheet, State.CONFLICT)
    changed = [sheets[count.sheet_id] for count in counts]
    SheetCount.objects.bulk_create(counts, batch_size=1000)
    # As an upsert of rows that are there: many times faster than an update of thousands.
    Sheet.objects.bulk_create(
        changed,
        batch_size=1000,
        update_conflicts=True,
        unique_fields=["number"],
        update_fields=WRITTEN,
    )
    tallies.add(_lines_of([sheet for sheet in changed if sheet.state == State.COUNTED]))


def _count(sheet: Sheet, *counts: SheetCount) -> None:
    """The first count stands; of place and collector, the first that is not left open."""
    first = counts[0]
    _move(
        sheet,
        State.COUNTED,
        country=first.country,
        date=first.date,
        valid=first.valid,
        struck=first.struck,
        place=next((c.place for c in counts if c.place), ""),
        collector=next((c.collector for c in counts if c.collector), ""),
        counted_at=timezone.now(),
    )


def _move(sheet: Sheet, to: str, **changes) -> None:
    for name, value in (changes | {"state": to, "moved_at": timezone.now()}).items():
        setattr(sheet, name, value)


def _lines_of(sheets: list[Sheet]) -> dict[tallies.Key, int]:
    lines: Counter[tallies.Key] = Counter()
    for sheet in sheets:
        for key in tallies.of_sheet(sheet):
            lines[key] += sheet.valid or 0
    return dict(lines)


def _numbers(sheet: Sheet) -> dict:
    """What an audit entry says of a count: nothing before it stands."""
    if sheet.state != State.COUNTED:
        return {}
    return {"country": sheet.country, "valid": sheet.valid, "struck": sheet.struck}


def _note_printing(sheets: list[Sheet], by: Person, **detail) -> None:
    audit.append(
        by,
        Entry.Act.PRINT,
        f"batch {sheets[0].batch}",
        sheets=len(sheets),
        language=sheets[0].language,
        first=sheets[0].number,
        last=sheets[-1].number,
        **detail,
    )
