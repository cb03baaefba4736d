"""What letters are owed to the owner of a mailbox, and how many at most."""

import uuid
from datetime import timedelta

from django.db.models import Count, Q
from django.utils import timezone

from petition.models import Letter, Signature

# The owner of a mailbox must not be flooded by somebody who types their address.
LETTERS_AN_ADDRESS = 5
LETTERS_WINDOW = timedelta(hours=24)

# The reply of a letter whose reader called it spam: they get no more of them.
COMPLAINT = "complaint"

# What the owner of a mailbox is told, by what has become of the signature.
LETTERS: dict[str, str] = {
    Signature.State.PENDING: Letter.Kind.CONFIRM,
    Signature.State.COUNTED: Letter.Kind.COUNTED,
    Signature.State.HELD: Letter.Kind.HELD,
    Signature.State.REJECTED: Letter.Kind.HELD,
}


def owe(signature: Signature, kind: str, language: str, attempt: uuid.UUID | None = None) -> Letter:
    """Record that a letter about a signature is owed, in the caller's transaction. It asks to
    confirm the version of the signature that `attempt` names, the first where that is None.

    Beyond LETTERS_AN_ADDRESS in LETTERS_WINDOW it is recorded as withheld: a row is written either
    way, so that the answer takes the same time. News, which its owner asked for and which nobody
    else can cause, is neither counted nor withheld.
    """
    since = timezone.now() - LETTERS_WINDOW
    counted = Q(created_at__gt=since, mailing=None) & ~Q(state=Letter.State.WITHHELD)
    found = Letter.objects.filter(signature=signature).aggregate(
        recent=Count("pk", filter=counted), complaints=Count("pk", filter=Q(reply=COMPLAINT))
    )
    letter = Letter(signature=signature, kind=kind, language=language, attempt=attempt)
    if found["recent"] >= LETTERS_AN_ADDRESS or found["complaints"]:
        letter.state = Letter.State.WITHHELD
        letter.ended_at = letter.created_at
    letter.save(force_insert=True)
    return letter


def forget(signature: Signature) -> None:
    """Owe this signature no letter any more, and keep no trace of those that were sent."""
    Letter.objects.filter(signature=signature).delete()


def waiting() -> int:
    """How many letters are owed and not sent."""
    return Letter.objects.filter(state=Letter.State.DUE).count()
