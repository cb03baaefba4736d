"""The acts of a supporter: sign, confirm, withdraw."""

import uuid
from contextlib import suppress
from dataclasses import dataclass

from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Coalesce
from django.utils import timezone

from petition.ground import links
from petition.letters import owing
from petition.models import Attempt, ConsentText, Letter, Signature
from petition.signing import lifecycle, statements, tallies

State = Signature.State

# Whose codes are compared with one that is typed, beside the first: what the cap on letters lets
# out in a day. The links of older ones work as long.
MOST_VERSIONS = owing.LETTERS_AN_ADDRESS
NOBODY = uuid.UUID(int=0)


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
    passed_challenge: bool = True,
) -> None:
    """Keep the signature and the letter that it owes, committed together.

    Tells nobody whether the mailbox had signed before, by its answer or by its time: the steps are
    the same, and what they find goes by letter. A known mailbox stays as it is. Where its owner has
    not confirmed yet, what was typed is an `Attempt`, with a letter of its own. Raises TryAgain or
    a DatabaseError, and then nothing is stored.
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
        "passed_challenge": passed_challenge,
        "signed_at": now,
    }
    if in_one_statement() and not former:
        _at_once(current, details)
        return
    with transaction.atomic():
        if former:
            # Between two data keys a known mailbox first comes over to the new one.
            for signature in Signature.objects.filter(mailbox__in=former):
                with suppress(IntegrityError):  # It is there twice: `rotate_keys` settles that.
                    signature.reseal()
        signature, is_new = _own(current, details)
        is_version = signature.state == State.PENDING and not is_new
        attempt = uuid.uuid4() if is_version else None
        letter = owing.owe(signature, owing.LETTERS[signature.state], language, attempt)
        if letter.state == Letter.State.WITHHELD:
            # Nobody could confirm it.
            Letter.objects.filter(pk=letter.pk).update(attempt=None)
        elif attempt:
            of_person = {k: v for k, v in details.items() if k not in ("email", "domain")}
            Attempt.objects.create(reference=attempt, signature=signature, **of_person)
        # A known mailbox adds nothing, by the same statement.
        tallies.add_anywhere(tallies.PENDING, int(is_new))


def in_one_statement() -> bool:
    """Whether the database takes what `statements` writes."""
    return connection.vendor == "postgresql"


def _at_once(mailbox_index: bytes, details: dict) -> None:
    try:
        statements.sign(details, mailbox_index)
    except IntegrityError:
        # Two posts with one mailbox met where the release before has a second index of it. Once
        # more: now the first one is there.
        statements.sign(details, mailbox_index)


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
    """The signature that a mailed link would confirm, or has confirmed, as the link's version of it
    says; nothing is stored. Raises LinkExpired."""
    version = _version(token)
    if not version.can_be_confirmed():
        raise LinkExpired
    return version.as_signature()


def confirm(
    token: str, *, updates: bool = True, delivery: bool = True, passed_challenge: bool = False
) -> bool:
    """Count the signature behind a mailed link, as its version says; as often as wanted. False
    where it is held instead: until a volunteer has looked at it, or since one has set it aside.

    `updates` and `delivery` are false where the owner takes back what that version agreed to;
    `passed_challenge` is true where the browser has solved a challenge now. Raises LinkExpired.
    """
    if in_one_statement():
        reference = _reference(links.CONFIRM, token)
        if statements.confirm(reference, updates, delivery, passed_challenge):
            return True
    version = _version(token)
    if not version.can_be_confirmed():
        raise LinkExpired
    return _confirm(version, {"updates": updates, "delivery": delivery}, passed_challenge)


def token_of_code(email: str, code: str) -> str:
    """The token of the link beside which the code of an address stood. Raises WrongCode, and
    nothing else: an address that never signed and a wrong code look alike."""
    typed = links.clean_code(code)
    found = None
    for reference in _code_references(email):
        if links.is_code(reference, typed) and reference != NOBODY:
            found = reference
    if found is None:
        raise WrongCode
    return links.token(links.CONFIRM, found)


def _code_references(email: str) -> list[uuid.UUID]:
    """Whose codes an address may type. The same statements and as many references whoever it is,
    so that the time does not tell whether it has signed."""
    since = timezone.now() - Signature.PENDING_FOR
    kept = Signature.objects.of_mailbox(email).only("pk", "state", "reference", "signed_at")
    signature = kept.first()
    later = Attempt.objects.filter(signature=signature.pk if signature else 0, signed_at__gt=since)
    found = list(later.order_by("-pk").values_list("reference", flat=True)[:MOST_VERSIONS])
    if signature and Version(signature).can_be_confirmed():
        found.append(signature.reference)
    if signature and signature.state not in (State.PENDING, State.COUNTED, State.HELD):
        found = []
    return found + [NOBODY] * (1 + MOST_VERSIONS - len(found))


def to_withdraw(token: str) -> Signature:
    """The signature that a mailed link would withdraw, or has withdrawn. Raises LinkExpired."""
    return _linked(links.WITHDRAW, token)


def withdraw(token: str) -> None:
    """Erase the person, lower the count where it counted, owe no letters. Raises LinkExpired."""
    if in_one_statement() and statements.withdraw(_reference(links.WITHDRAW, token)):
        return
    signature = to_withdraw(token)
    with transaction.atomic():
        while signature.state != State.WITHDRAWN:
            if not lifecycle.move(signature, State.WITHDRAWN, **Signature.ERASED):
                _look_again(signature)
        owing.forget(signature)
        signature.attempts.all().delete()


def to_unsubscribe(token: str) -> Signature:
    """The signature whose owner would get no more news. Raises LinkExpired."""
    return _linked(links.UNSUBSCRIBE, token)


def unsubscribe(token: str) -> None:
    """Send no more news, also none that is queued already; the signature stays as it is. As often
    as wanted. Raises LinkExpired."""
    Signature.objects.filter(pk=to_unsubscribe(token).pk).update(updates=False)


@dataclass(frozen=True)
class Version:
    """What one letter asks to confirm: the first that was typed, or a later attempt."""

    signature: Signature
    attempt: Attempt | None = None

    @property
    def reference(self) -> uuid.UUID:
        return (self.attempt or self.signature).reference

    def can_be_confirmed(self) -> bool:
        if self.signature.state == State.PENDING:
            signed_at = (self.attempt or self.signature).signed_at
            return signed_at > timezone.now() - Signature.PENDING_FOR
        return self.signature.state in (State.COUNTED, State.HELD)

    def typed(self) -> dict:
        """The fields to write where this version is confirmed."""
        names = ("updates", "delivery", "passed_challenge")
        kept = {name: getattr(self.signature, name) for name in names}
        if self.attempt is None:
            return kept
        return self.attempt.typed() | self.signature.sealed(name=self.attempt.name)

    def as_signature(self) -> Signature:
        """The signature as it would be; not to be saved."""
        if self.attempt and self.signature.confirmed_at is None:
            for name, value in self.attempt.typed().items():
                setattr(self.signature, name, value)
        return self.signature


def _reference(kind: str, token: str) -> uuid.UUID:
    try:
        return links.read(kind, token)
    except links.Invalid as error:
        raise LinkExpired from error


def _linked(kind: str, token: str) -> Signature:
    try:
        return Signature.objects.get(reference=_reference(kind, token))
    except Signature.DoesNotExist as error:
        raise LinkExpired from error


def _version(token: str) -> Version:
    reference = _reference(links.CONFIRM, token)
    if signature := Signature.objects.filter(reference=reference).first():
        return Version(signature)
    attempt = Attempt.objects.filter(reference=reference).select_related("signature").first()
    if attempt is None:
        raise LinkExpired
    return Version(attempt.signature, attempt)


def _confirm(version: Version, agreed: dict[str, bool], passed: bool) -> bool:
    """Take a pending signature to counted, whoever else does the same; without its challenge, to
    those that a volunteer looks at. Whether it is counted. Raises LinkExpired."""
    signature = version.signature
    while signature.state in (State.PENDING, State.HELD):
        now = timezone.now()
        typed = version.typed()
        typed |= {name: typed[name] and still for name, still in agreed.items()}
        typed["passed_challenge"] |= passed
        with transaction.atomic():
            if signature.state == State.PENDING and typed["passed_challenge"]:
                done = lifecycle.move(signature, State.COUNTED, confirmed_at=now, **typed)
            elif signature.state == State.PENDING:
                why = {"reason": Signature.Reason.CHALLENGE}
                done = lifecycle.move(signature, State.HELD, confirmed_at=now, **typed, **why)
            else:
                # Set aside before its owner confirmed: kept for the coordinators, not counted here.
                held = Signature.objects.filter(pk=signature.pk, state=State.HELD)
                done = bool(held.update(confirmed_at=Coalesce("confirmed_at", now)))
                held.filter(confirmed_at=now).update(**typed)
            if done:
                signature.attempts.update(**Attempt.ERASED)
                return signature.state == State.COUNTED
        _look_again(signature)
    if signature.state != State.COUNTED:
        raise LinkExpired
    return True


def _look_again(signature: Signature) -> None:
    try:
        signature.refresh_from_db()
    except Signature.DoesNotExist as error:
        raise LinkExpired from error
