import os
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from petition.models import Signature, Tally
from petition.signing import lifecycle, tallies
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


@pytest.mark.parametrize("changed", [{"country": "FR"}, {"track": "fate"}, {"language": "fr"}])
def test_a_move_of_a_signature_that_changed_meanwhile_does_nothing(changed):
    stale = make_signature(country="MA", language="ar")
    Signature.objects.update(**changed)
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


def test_the_total_is_written_first_and_all_in_the_slot_of_the_process():
    signature = make_signature(state=State.COUNTED, track_id="fate")
    assert tallies.of(signature)[0] == tallies.TOTAL
    written = Tally.objects.exclude(count=0)
    assert {tally.slot for tally in written} == {os.getpid() % tallies.SLOTS}
    assert written.count() == 5


def test_a_signature_belongs_to_the_day_of_its_confirmation():
    signed = timezone.now() - timedelta(days=3)
    make_signature(state=State.COUNTED, signed_at=signed)
    today = timezone.now().date().isoformat()
    assert Tally.objects.get(dimension="day").value == today
    assert tallies.recount() == []


def test_a_move_leaves_its_time_on_the_signature_and_on_the_figure():
    long_ago = timezone.now() - timedelta(days=7)
    make_signature("one@example.org", State.COUNTED)
    Tally.objects.update(changed_at=long_ago)
    signature = make_signature("two@example.org", moved_at=long_ago)
    lifecycle.move(signature, State.COUNTED, confirmed_at=timezone.now())
    recent = timezone.now() - timedelta(minutes=1)
    assert tallies.read_counter().changed_at > recent
    assert Signature.objects.get(pk=signature.pk).moved_at > recent
