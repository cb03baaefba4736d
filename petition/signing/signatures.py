"""The acts of a supporter: sign, confirm, withdraw."""

import uuid
from contextlib import suppress
from datetime import datetime

from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Coalesce
from django.utils import timezone

from petition.ground import links
from petition.letters import sending
from petition.models import ConsentText, Signature
from petition.signing import lifecycle, statements, tallies

State = Signature.State


class LinkExpired(Exception):
    """The link or code belongs to no signature that can still be confirmed or withdrawn."""


class TryAgain(Exception):
    """The mailbox's former signature kept vanishing while this one was to be stored."""


class WrongCode(Exception):
    """The code and the address do not belong together."""


def sign(
    *,
    name: str,
    email: str,
    country: str,
    track: str | None,
    updates: bool,
    delivery: bool,
    consent: ConsentText,
    language: str,
) -> None:
    """Keep the signature and the letter that it owes, committed together.

    Tells nobody whether the mailbox had signed before, by its answer or by its time: the steps are
    the same, and what they find goes by letter. What was typed last replaces what is not confirmed
    yet; what is confirmed is never changed from here. Raises TryAgain or a DatabaseError, and then
    nothing is stored.
    """
    now = timezone.now()
    current, *former = Signature.mailbox_indexes(email)
    details = {
        "name": name,
        "email": email,
        "domain": Signature.domain_index(email),
        "country": country,
        "track_id": track,
        "updates": updates,
        "delivery": delivery,
        "consent_id": consent.pk,
        "language": language,
        "signed_at": now,
    }
    if in_one_statement() and not former:
        _at_once(current, details, now)
        return
    with transaction.atomic():
        if former:
            # Between two data keys a known mailbox first comes over to the new one.
            for signature in Signature.objects.filter(mailbox__in=former):
                with suppress(IntegrityError):  # It is there twice: `rotate_keys` settles that.
                    signature.reseal()
        signature, is_new = _own(current, details)
        # Asked of every signature, so that the time tells nothing; only a pending one takes it.
        Signature.objects.filter(pk=signature.pk, state=State.PENDING).update(**details)
        sending.owe(signature, sending.LETTERS[signature.state], language)
        # A known mailbox adds nothing, by the same statement.
        tallies.add_anywhere(tallies.PENDING, int(is_new))


def in_one_statement() -> bool:
    """Whether the database takes what `statements` writes."""
    return connection.vendor == "postgresql"


def _at_once(mailbox_index: bytes, details: dict, now: datetime) -> None:
    try:
        statements.sign(details, mailbox_index, now)
    except IntegrityError:
        # Two posts with one mailbox met where the release before has a second index of it. Once
        # more: now the first one is there.
        statements.sign(details, mailbox_index, now)


def _own(mailbox_index: bytes, details: dict) -> tuple[Signature, bool]:
    """The one signature of a mailbox, locked, and whether it had to be made.

    The lock keeps two posts at the same instant from owing a letter too many. A row that is there
    and then gone was purged or withdrawn in between: the next round makes another.
    """
    for _ in range(5):
        fresh = Signature(mailbox=mailbox_index, **details)
        Signature.objects.bulk_create([fresh], ignore_conflicts=True)
        locked = Signature.objects.select_for_update(no_key=True).filter(mailbox=mailbox_index)
        if signature := locked.only("pk", "state", "reference").first():
            return signature, signature.reference == fresh.reference
    raise TryAgain


def to_confirm(token: str) -> Signature:
    """The signature that a mailed link would confirm, or has confirmed. Raises LinkExpired."""
    signature = _linked(links.CONFIRM, token)
    if not _can_be_confirmed(signature):
        raise LinkExpired
    return signature


def confirm(token: str) -> None:
    """Count the signature behind a mailed link; as often as wanted. Raises LinkExpired."""
    if in_one_statement():
        try:
            reference = links.read(links.CONFIRM, token)
        except links.Invalid as error:
            raise LinkExpired from error
        if statements.confirm(reference, timezone.now()):
            return
    _confirm(to_confirm(token))


def confirm_by_code(email: str, code: str) -> None:
    """Count the signature of an address by its typed code. Raises WrongCode, and nothing else:
    an address that never signed and a wrong code look alike."""
    typed = links.clean_code(code)
    signature = Signature.objects.of_mailbox(email).first()
    reference = signature.reference if signature else uuid.UUID(int=0)
    if not links.is_code(reference, typed) or not signature or not _can_be_confirmed(signature):
        raise WrongCode
    if in_one_statement() and statements.confirm(signature.reference, timezone.now()):
        return
    try:
        _confirm(signature)
    except LinkExpired as error:
        raise WrongCode from error


def to_withdraw(token: str) -> Signature:
    """The signature that a mailed link would withdraw, or has withdrawn. Raises LinkExpired."""
    return _linked(links.WITHDRAW, token)


def withdraw(token: str) -> None:
    """Erase the person, lower the count where it counted, owe no letters. Raises LinkExpired."""
    signature = to_withdraw(token)
    with transaction.atomic():
        while signature.state != State.WITHDRAWN:
            if not lifecycle.move(signature, State.WITHDRAWN, **Signature.ERASED):
                _look_again(signature)
        sending.forget(signature)


def to_unsubscribe(token: str) -> Signature:
    """The signature whose owner would get no more news. Raises LinkExpired."""
    return _linked(links.UNSUBSCRIBE, token)


def unsubscribe(token: str) -> None:
    """Send no more news, also none that is queued already; the signature stays as it is. As often
    as wanted. Raises LinkExpired."""
    Signature.objects.filter(pk=to_unsubscribe(token).pk).update(updates=False)


def _linked(kind: str, token: str) -> Signature:
    try:
        return Signature.objects.get(reference=links.read(kind, token))
    except (links.Invalid, Signature.DoesNotExist) as error:
        raise LinkExpired from error


def _can_be_confirmed(signature: Signature) -> bool:
    if signature.state == State.PENDING:
        return signature.signed_at > timezone.now() - Signature.PENDING_FOR
    return signature.state in (State.COUNTED, State.HELD)


def _confirm(signature: Signature) -> None:
    """Take a pending signature to counted, whoever else does the same. Raises LinkExpired."""
    while signature.state in (State.PENDING, State.HELD):
        now = timezone.now()
        if signature.state == State.PENDING:
            done = lifecycle.move(signature, State.COUNTED, confirmed_at=now)
        else:
            # Set aside before its owner confirmed: kept for the coordinators, not counted here.
            held = Signature.objects.filter(pk=signature.pk, state=State.HELD)
            done = bool(held.update(confirmed_at=Coalesce("confirmed_at", now)))
        if done:
            return
        _look_again(signature)
    if signature.state != State.COUNTED:
        raise LinkExpired


def _look_again(signature: Signature) -> None:
    try:
        signature.refresh_from_db()
    except Signature.DoesNotExist as error:
        raise LinkExpired from error
