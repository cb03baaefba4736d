import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from petition import lifecycle, tallies
from petition.models import Signature, Tally
from tests.making import State, make_signature

pytestmark = pytest.mark.django_db


def test_a_signature_counts_from_the_moment_it_is_counted_until_it_is_not():
    signature = make_signature(state=State.COUNTED, country="LB", track_id="fate")
    assert tallies.read_counter().total == 1
    assert lifecycle.move(signature, State.HELD)
    assert tallies.read_counter().total == 0
    assert lifecycle.move(signature, State.COUNTED)
    assert tallies.read_counter().total == 1
    assert tallies.recount() == []


def test_a_move_from_a_state_that_is_no_longer_true_does_nothing():
    stale = make_signature()
    lifecycle.move(Signature.objects.get(), State.COUNTED, confirmed_at=timezone.now())
    assert lifecycle.move(stale, State.REJECTED) is False
    assert Signature.objects.get().state == State.COUNTED
    assert tallies.read_counter().total == 1


def test_a_move_of_a_signature_whose_country_changed_meanwhile_does_nothing():
    stale = make_signature(country="MA")
    Signature.objects.update(country="FR")
    assert lifecycle.move(stale, State.COUNTED, confirmed_at=timezone.now()) is False
    assert tallies.recount() == []


@pytest.mark.parametrize("to", [State.PENDING, State.COUNTED, State.HELD, State.REJECTED])
def test_nobody_comes_back_from_withdrawn(to):
    signature = make_signature(state=State.WITHDRAWN)
    with pytest.raises(lifecycle.NotAllowed):
        lifecycle.move(signature, to)


def test_the_counters_follow_the_state_or_neither_moves():
    signature = make_signature()
    with transaction.atomic():
        lifecycle.move(signature, State.COUNTED, confirmed_at=timezone.now())
        transaction.set_rollback(True)
    assert Signature.objects.get().state == State.PENDING
    assert tallies.read_counter().total == 0


def test_the_database_itself_refuses_a_count_without_confirmation():
    make_signature()
    with pytest.raises(IntegrityError), transaction.atomic():
        Signature.objects.update(state=State.COUNTED)


def test_the_database_itself_refuses_a_withdrawn_person_who_is_still_there():
    make_signature()
    with pytest.raises(IntegrityError), transaction.atomic():
        Signature.objects.update(state=State.WITHDRAWN)


def test_a_total_is_spread_over_slots_and_read_as_one():
    Tally.objects.create(dimension="total", value="", slot=3, count=-2)
    Tally.objects.create(dimension="total", value="", slot=4, count=44)
    assert tallies.read_counter().total == 42
