"""The only code that changes a signature's state, and with it the counters; what `statements` does
in SQL is compared with it by the same histories."""

from django.db import transaction
from django.utils import timezone

from petition.log import events
from petition.models import Signature
from petition.signing import tallies

State = Signature.State

MOVES: dict[str, set[State]] = {
    State.PENDING: {State.COUNTED, State.HELD, State.REJECTED, State.WITHDRAWN},
    State.COUNTED: {State.HELD, State.REJECTED, State.WITHDRAWN},
    State.HELD: {State.COUNTED, State.REJECTED, State.WITHDRAWN, State.PENDING},
    State.REJECTED: {State.COUNTED, State.HELD, State.WITHDRAWN, State.PENDING},
    State.WITHDRAWN: set(),
}


# What the log says of why a signature left the count.
LEAVES: dict[str, str] = {State.WITHDRAWN: events.WITHDRAWN}


class NotAllowed(Exception):
    """No signature ever goes from the one state to the other."""


def move(signature: Signature, to: str, **changes) -> bool:
    """Move a signature and its counters together, with `changes` to other fields in the same write.

    False where somebody was first: the row is no longer as `signature` remembers it, nothing was
    written, and the caller looks again. Compared are the state and all that the counters count by,
    so that what is added now is what will be taken off later. One transaction moves one signature.
    A reason among the `changes` stays until the next move; a `moved_at` is that of a former state
    that comes back.
    """
    was = signature.state
    if to not in MOVES[was]:
        raise NotAllowed(f"{was} to {to}")
    before, leaving = tallies.of(signature), tallies.leaving(signature, to)
    remembered: dict[str, object] = {
        "state": was,
        "country": signature.country,
        "track": signature.track_id,
        "language": signature.language,
    }
    changes = {"reason": "", "moved_at": timezone.now()} | changes | {"state": to}
    if State.COUNTED in (was, to):
        # The log takes in what is counted at any moment.
        remembered["in_log"] = signature.in_log
    if was == State.COUNTED:
        changes["in_log"] = True
    with transaction.atomic():
        if not Signature.objects.filter(pk=signature.pk, **remembered).update(**changes):
            return False
        if was == State.COUNTED:
            events.signature_leaves(signature, LEAVES.get(to, events.SET_ASIDE))
        elif to == State.COUNTED and signature.in_log:
            events.restored(1, str(signature.reference))
        for field, value in changes.items():
            setattr(signature, field, value)
        after = tallies.of(signature) + leaving
        tallies.add(dict.fromkeys(before, -1) | dict.fromkeys(after, 1))
    return True
