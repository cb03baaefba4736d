"""A mistaken sweep is undone: to each its former state, but where somebody decided since."""

from datetime import timedelta

import pytest
from django.utils import timezone

from petition.ground import links, workers
from petition.models import Signature, Sweep
from petition.signing import lifecycle, privacy, signatures, sweeps, tallies
from tests.making import State, make_coordinator, make_signature
from tests.signing.test_races import at_once
from tests.signing.test_sweeps import make_sweep, states

pytestmark = pytest.mark.django_db


def undo(sweep) -> None:
    sweep.refresh_from_db()
    sweeps.undo(sweep, make_coordinator(username=f"undoer{sweep.pk}"))


def test_an_undo_leaves_what_somebody_has_decided_since():
    for name in ("left", "rejected", "gone", "again"):
        make_signature(f"{name}@example.org", State.COUNTED, country="LB")
    sweep = make_sweep(country="LB")
    sweeps.run()
    of = {s.email.partition("@")[0]: s for s in Signature.objects.all()}
    lifecycle.move(of["rejected"], State.REJECTED, reason="other")
    lifecycle.move(of["gone"], State.WITHDRAWN, **Signature.ERASED)
    lifecycle.move(of["again"], State.COUNTED)
    lifecycle.move(of["again"], State.HELD, reason="owner")
    sweep.refresh_from_db()
    sweeps.undo(sweep, make_coordinator(username="undoer"))
    sweeps.run()
    assert states() == {"left": "counted", "rejected": "rejected", "": "withdrawn",
                        "again": "held"}  # fmt: skip
    sweep.refresh_from_db()
    assert (sweep.moved, sweep.restored) == (4, 1)
    assert tallies.recount() == []


def test_who_confirmed_while_set_aside_counts_after_the_undo():
    signature = make_signature(country="LB")
    sweep = make_sweep(country="LB")
    sweeps.run()
    signatures.confirm(links.token(links.CONFIRM, signature.reference))
    sweep.refresh_from_db()
    sweeps.undo(sweep, make_coordinator(username="undoer"))
    sweeps.run()
    assert set(states().values()) == {"counted"}


def test_held_ones_that_a_sweep_rejected_are_held_again_for_their_former_reason():
    signature = make_signature(country="LB")
    lifecycle.move(signature, State.HELD, reason="name")
    sweep = make_sweep(country="LB", to="rejected")
    sweeps.run()
    assert Signature.objects.get().reason == "disposable"
    sweep.refresh_from_db()
    sweeps.undo(sweep, make_coordinator(username="undoer"))
    sweeps.run()
    assert (Signature.objects.get().state, Signature.objects.get().reason) == ("held", "name")


def test_who_confirms_while_the_undo_has_them_in_hand_is_counted():
    signature = make_signature(country="LB")
    sweep = make_sweep(country="LB")
    sweeps.run()
    (in_hand,) = sweep.moves.all()
    signatures.confirm(links.token(links.CONFIRM, signature.reference))
    assert sweeps._restore(in_hand)
    assert states() == {"someone": "counted"}
    assert tallies.read_counter().total == 1


@pytest.mark.postgres
@pytest.mark.usefixtures("committed")
def test_nobody_who_confirms_during_an_undo_is_lost():
    made = [make_signature(f"s{n}@example.org", country="LB") for n in range(100)]
    sweep = make_sweep(country="LB")
    sweeps.run()
    undo(sweep)
    confirms = [links.token(links.CONFIRM, s.reference) for s in made]
    at_once([sweeps.run, *(lambda t=t: signatures.confirm(t) for t in confirms)])
    assert tallies.read_counter().total == 100
    assert tallies.recount() == []


def test_an_undo_leaves_what_was_decided_while_it_had_the_row_in_hand():
    make_signature(state=State.COUNTED, country="LB")
    sweep = make_sweep(country="LB")
    sweeps.run()
    (in_hand,) = sweep.moves.all()
    decided = Signature.objects.get()
    lifecycle.move(decided, State.COUNTED)
    lifecycle.move(decided, State.HELD, reason="owner")
    assert not sweeps._restore(in_hand)
    assert Signature.objects.get().reason == "owner"


def test_two_sweeps_are_undone_one_after_the_other_back_to_the_beginning():
    signature = make_signature(state=State.COUNTED, country="LB")
    since = Signature.objects.get().moved_at
    held = make_sweep(country="LB", to="held")
    sweeps.run()
    rejected = make_sweep(country="LB", to="rejected")
    sweeps.run()
    for sweep, state in ((rejected, "held"), (held, "counted")):
        undo(sweep)
        sweeps.run()
        assert Signature.objects.get(pk=signature.pk).state == state
    assert Signature.objects.get().moved_at == since
    assert tallies.recount() == []


def test_the_number_of_a_sweep_does_not_shrink_when_what_it_moved_is_purged():
    for n in range(3):
        make_signature(f"s{n}@example.org", country="LB")
    sweep = make_sweep(country="LB")
    sweeps.run()
    Signature.objects.update(signed_at=timezone.now() - timedelta(days=20))
    privacy.purge()
    undo(sweep)
    sweeps.run()
    sweep.refresh_from_db()
    assert (sweep.moved, sweep.restored) == (3, 0)


def test_nobody_undoes_while_a_worker_still_has_the_sweep_in_hand():
    sweep = make_sweep(country="LB")
    Sweep.objects.update(state="stopped", worker=f"{workers.my_name()}")
    with pytest.raises(sweeps.NotNow):
        sweeps.undo(sweep, make_coordinator(username="undoer"))
