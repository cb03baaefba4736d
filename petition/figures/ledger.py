"""The public ledger of corrections: why the count changed where many were moved at once."""

from dataclasses import dataclass
from datetime import datetime

from petition.models import Mend, Signature, Sweep


@dataclass(frozen=True)
class Correction:
    """A line of the public ledger: by how much the count changed, and why. `number` is that of the
    sweep or of the recount; one kind has it once."""

    number: int
    made_at: datetime
    kind: str  # set_aside, restored, recount
    reason: str  # of Signature.Reason, or empty
    count: int
    rules: int
    is_over: bool


def corrections() -> list[Correction]:
    """Every sweep, every undo of one, and every recount that changed the count; the latest first.

    Decisions on single signatures are in the figures of their hour.
    """
    found = [
        Correction(mend.pk, mend.made_at, "recount", "", mend.count, mend.rules, is_over=True)
        for mend in Mend.objects.all()
    ]
    for sweep in Sweep.objects.defer("domain", "note"):
        lowered, raised = _moved(sweep)
        # A stopped one whose worker has not laid it down may still move the one in its hand.
        over = sweep.state == Sweep.State.DONE or (
            sweep.state == Sweep.State.STOPPED and not sweep.worker
        )
        is_undone = sweep.task == Sweep.Task.UNDO
        began = sweep.begun_at or sweep.made_at
        rest = (sweep.reason, -lowered, sweep.rules, over or is_undone)
        found.append(Correction(sweep.pk, began, "set_aside", *rest))
        if is_undone:
            rest = (sweep.reason, raised, sweep.rules, over)
            found.append(Correction(sweep.pk, sweep.undo_at or began, "restored", *rest))
    return sorted(found, key=lambda line: (line.made_at, line.kind), reverse=True)


def _moved(sweep: Sweep) -> tuple[int, int]:
    """How many it took off the count and put back. Of one that is not done its worker may have
    written down less than it did."""
    if sweep.state == Sweep.State.DONE:
        return sweep.lowered, sweep.raised
    lowered = sweep.moves.filter(was=Signature.State.COUNTED).count()
    raised = sweep.moves.filter(raised=True).count()
    return max(lowered, sweep.lowered), max(raised, sweep.raised)
