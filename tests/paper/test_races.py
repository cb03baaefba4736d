"""Paper at the same instant: real threads on a real PostgreSQL."""

import threading
from contextlib import suppress

import pytest

from petition import audit
from petition.models import Sheet, SheetCount
from petition.paper import sheets
from petition.signing import tallies
from tests.making import make_coordinator
from tests.paper.entering import TYPED, State
from tests.signing.test_races import at_once


def _people(*names):
    return [make_coordinator("paper", username=name) for name in names]


@pytest.mark.postgres
@pytest.mark.usefixtures("committed")
def test_two_coordinators_at_the_same_instant_count_a_sheet_once():
    one, two = _people("one", "two")
    made = sheets.make("ar", 40, one)
    start = threading.Barrier(8)

    def enter_all(person):
        start.wait()
        outcomes = []
        for sheet in made:
            try:
                outcomes.append(sheets.enter(sheet.pk, person, **TYPED).state)
            except sheets.Refused as refusal:
                outcomes.append(type(refusal).__name__)
        return outcomes

    answers = at_once([lambda p=p: enter_all(p) for p in [one, two] * 4])
    outcomes = [outcome for answer in answers for outcome in answer]
    assert outcomes.count(State.COUNTED) == 40
    assert outcomes.count(State.ONCE) == 40
    assert SheetCount.objects.count() == 80
    assert tallies.read_counter().paper == 40 * 17
    assert tallies.recount() == []
    assert audit.broken() == []


@pytest.mark.postgres
@pytest.mark.usefixtures("committed")
def test_batches_made_at_the_same_instant_share_no_number():
    (person,) = _people("one")
    at_once([lambda: sheets.make("fr", 20, person)] * 12)
    assert Sheet.objects.count() == 240
    assert len(set(Sheet.objects.values_list("batch", flat=True))) == 12


@pytest.mark.postgres
@pytest.mark.usefixtures("committed")
def test_imports_entries_and_takings_out_at_once_end_right():
    one, two, three = _people("one", "two", "three")
    made = sheets.make("ar", 60, one)
    numbers = [sheet.pk for sheet in made]

    def load(person, order):
        sheets.enter_all([SheetCount(sheet_id=n, **TYPED) for n in order], person)

    def by_hand(person):
        for number in numbers:
            with suppress(sheets.Refused):
                sheets.enter(number, person, **TYPED)

    def take_out():
        for number in numbers[::6]:
            with suppress(sheets.Refused):
                sheets.void(number, three, "A test.")

    def load_or_give_up(person, order):
        with suppress(sheets.Refused):
            load(person, order)

    at_once(
        [
            lambda: load_or_give_up(one, numbers),
            lambda: load_or_give_up(two, numbers[::-1]),
            lambda: by_hand(two),
            lambda: by_hand(three),
            take_out,
        ]
    )
    assert tallies.recount() == []
    assert tallies.read_counter().paper == 17 * Sheet.objects.counted().count()
    assert audit.broken() == []
