"""What a coordinator does to one signature; each act is written into the audit together with it."""

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from petition import audit
from petition.ground import addresses
from petition.letters import owing
from petition.models import Entry, Letter, Signature
from petition.signing import lifecycle

State = Signature.State
Act = Entry.Act


# In which states an act has something to do.
POSSIBLE = {
    "count": (State.HELD, State.REJECTED),
    "hold": (State.PENDING, State.COUNTED, State.REJECTED),
    "reject": (State.PENDING, State.COUNTED, State.HELD),
    "resend": (State.PENDING,),
    "erase": (State.PENDING, State.COUNTED, State.HELD, State.REJECTED),
}


class SomebodyWasFirst(Exception):
    """The signature is no longer as it was shown; nothing was done."""


class NobodyToWriteTo(Exception):
    """The person was erased, or has got as many letters today as one address may."""


def count(signature: Signature, by: AbstractBaseUser, note: str = "") -> None:
    """Let a held or rejected signature count again; where its owner has not confirmed, let it be
    pending, since a confirmation is nobody else's to give. Raises SomebodyWasFirst, and
    lifecycle.NotAllowed for what is neither held nor rejected."""
    with transaction.atomic():
        # Locked, so that an owner who confirms at this moment is not taken for one who did not.
        rows = Signature.objects.select_for_update(no_key=True)
        current = rows.filter(pk=signature.pk, state=signature.state).first()
        if current is None:
            raise SomebodyWasFirst
        if current.state not in POSSIBLE["count"]:
            raise lifecycle.NotAllowed(current.state)
        to = State.COUNTED if current.confirmed_at else State.PENDING
        # A person has looked: what its browser did no longer matters.
        _move(current, to, by, Act.COUNT, note, passed_challenge=True)


def hold(signature: Signature, by: AbstractBaseUser, reason: str, note: str = "") -> None:
    """Set a signature aside until somebody decides. Raises as `count` does."""
    _move(signature, State.HELD, by, Act.HOLD, note, reason=reason)


def reject(signature: Signature, by: AbstractBaseUser, reason: str, note: str = "") -> None:
    """Decide that a signature does not count. Raises as `count` does."""
    _move(signature, State.REJECTED, by, Act.REJECT, note, reason=reason)


def erase(signature: Signature, by: AbstractBaseUser, note: str = "") -> None:
    """Take the person out for good, as if they had withdrawn. Raises as `count` does."""
    _move(signature, State.WITHDRAWN, by, Act.ERASE, note, **Signature.ERASED)


def resend(signature: Signature, by: AbstractBaseUser, note: str = "") -> None:
    """Owe the letter that asks to confirm once more. Raises NobodyToWriteTo, also for what is no
    longer pending: the other letters say that somebody has signed again."""
    with transaction.atomic():
        locked = Signature.objects.select_for_update(no_key=True).filter(pk=signature.pk)
        current = locked.filter(state__in=POSSIBLE["resend"]).first()
        if current is None:
            raise NobodyToWriteTo
        letter = owing.owe(current, owing.LETTERS[current.state], current.language)
        if letter.state == Letter.State.WITHHELD:
            raise NobodyToWriteTo
        audit.append(by, Act.RESEND, audit.name_of(current), letter=letter.kind, note=note)


def letters_that_may_be_seen(signature: Signature) -> QuerySet[Letter]:
    """Those that did not arrive, and old ones: a fresh one would tell a moderator, without a trace
    in the audit, whose signature it is that they have just asked the public form to write to."""
    failed = Q(state__in=[Letter.State.REFUSED, Letter.State.GIVEN_UP])
    old = Q(created_at__lt=timezone.now() - owing.LETTERS_WINDOW)
    return signature.letters.filter(failed | old).order_by("-pk")[:50]


def find(typed: str, by: AbstractBaseUser) -> Signature | None:
    """The signature of exactly this address, however it is spelt. Raises addresses.Invalid.

    The audit says that somebody looked, and what was found; never the address.
    """
    address = addresses.parse(typed, carries_unicode=True)
    signature = Signature.objects.of_mailbox(address).first()
    audit.append(by, Act.LOOK_UP, audit.name_of(signature) if signature else "nothing found")
    return signature


def reveal(signature: Signature, by: AbstractBaseUser, why: str) -> tuple[str, str]:
    """Name and address. That they were looked at, by whom and why, is committed before."""
    audit.append(by, Act.REVEAL, audit.name_of(signature), note=why)
    return signature.name or "", signature.email or ""


def _move(
    signature: Signature, to: str, by: AbstractBaseUser, act: str, note: str, **changes
) -> None:
    with transaction.atomic():
        was = signature.state
        if not lifecycle.move(signature, to, **changes):
            raise SomebodyWasFirst
        if to == State.WITHDRAWN:
            owing.forget(signature)
        audit.append(
            by, act, audit.name_of(signature), was=was, to=to, why=signature.reason, note=note
        )
