"""Appends who did what, and checks that nobody has altered what was appended."""

import hashlib
import json
import re
from datetime import UTC, datetime

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import connection, transaction
from django.utils import timezone

from petition.ground import encryption, memory
from petition.models import AuditHead, Entry, Signature

BATCH = 2000  # Entries that are in memory at once.
BEGINNING = "0" * 64
SEAL, MARK = "audit head", "audit mark"
SYSTEM = "(system)"  # No account can have this name.
# One writer at a time; the number only has to differ from other advisory locks of this database.
LOCK = 7_235_001


class WrongSeal(Exception):
    """The end of the chain is not as the site sealed it: why, in words."""


class NoSuchHead(Exception):
    """The chain does not hold the entry that was remembered elsewhere, or it reads differently."""


def append(by: AbstractBaseUser | None, act: str, subject: str = "", **detail) -> Entry:
    """Append an entry in the caller's transaction, as the last thing that it writes.

    Last, because every other act waits from here until the commit. `by` is None for what the
    system does itself. `detail` holds no name and no address of a signer.
    """
    with transaction.atomic():
        _wait_for_turn()
        last = Entry.objects.order_by("-number").first()
        entry = Entry(
            number=last.number + 1 if last else 1,
            at=timezone.now(),
            actor=actor(by),
            act=act,
            subject=subject,
            detail={name: value for name, value in detail.items() if value not in ("", None)},
            previous=last.hash if last else BEGINNING,
        )
        entry.hash = _hash(entry)
        entry.save(force_insert=True)
        _seal(entry)
        # What coordinators do may be seen on a page: a profile that is taken down, above all.
        transaction.on_commit(memory.change)
    return entry


def actor(by: AbstractBaseUser | None) -> str:
    """How records name who did something; None is the system itself."""
    return by.get_username() if by else SYSTEM


def about(subject: str) -> list[Entry]:
    """What was done to one thing, the latest first."""
    return list(Entry.objects.filter(subject=subject))


def name_of(signature: Signature) -> str:
    """How entries name a signature: by its random reference."""
    return f"signature {signature.reference}"


def name_of_account(user: AbstractBaseUser) -> str:
    """How entries name an account: by its user name, as far as the column goes."""
    return f"account {user.get_username()}"[: Entry._meta.get_field("subject").max_length]


def broken() -> list[int]:
    """The numbers of the entries that are not as they were appended; empty where all is right.

    A link counts as broken where an entry was altered, taken out or put in.
    """
    wrong = []
    before = Entry(number=0, hash=BEGINNING)
    while batch := Entry.objects.filter(number__gt=before.number).order_by("number")[:BATCH]:
        for entry in batch:
            follows = entry.number == before.number + 1 and entry.previous == before.hash
            if not follows or entry.hash != _hash(entry):
                wrong.append(entry.number)
            before = entry
    return wrong


def head() -> str:
    """`number:hash` of the last entry, to be kept elsewhere; whoever has it can tell later whether
    entries up to it were rewritten or cut off."""
    last = Entry.objects.order_by("-number").first()
    return f"{last.number}:{last.hash}" if last else f"0:{BEGINNING}"


def check_head(remembered: str) -> None:
    """Raises NoSuchHead where the chain does not hold a head that was kept elsewhere."""
    number, _, digest = remembered.partition(":")
    if not re.fullmatch("[0-9]{1,18}", number) or not digest:
        raise NoSuchHead
    if remembered == f"0:{BEGINNING}":
        return
    if not Entry.objects.filter(number=int(number), hash=digest).exists():
        raise NoSuchHead


def mark(before: datetime) -> str:
    """What may be published of the last entry before a moment: 32 hexadecimal digits that tell
    nobody anything without the data keys; "" where there is none."""
    last = Entry.objects.filter(at__lt=before).order_by("-number").first()
    return encryption.index(_sealed_text(last), MARK).hex() if last else ""


def check_mark(published: str) -> int:
    """The number of the entry whose mark was published. Raises NoSuchHead where the chain does not
    hold it: it was rewritten or cut off since."""
    wanted, number = published.strip().lower(), 0
    while batch := Entry.objects.filter(number__gt=number).order_by("number")[:BATCH]:
        for entry in batch:
            number = entry.number
            if wanted in (each.hex() for each in encryption.indexes(_sealed_text(entry), MARK)):
                return number
    raise NoSuchHead


def check_seal() -> None:
    """Raises WrongSeal where the chain, whole as it may look, does not end where the site sealed
    it: somebody rewrote it, cut it off or added to it who has no data key."""
    last, sealed = Entry.objects.order_by("-number").first(), AuditHead.objects.first()
    if sealed is None:
        if last is None:
            return
        raise WrongSeal("it was never sealed")
    end = Entry.objects.filter(number=sealed.number).first()
    if end is None:
        raise WrongSeal(f"it was cut off before entry {sealed.number}")
    if bytes(sealed.seal) not in encryption.indexes(_sealed_text(end), SEAL):
        raise WrongSeal(f"entry {end.number} is not the one that was sealed")
    if last and last.number > end.number:
        raise WrongSeal(f"the entries from {end.number + 1} on are not sealed")


def reseal() -> None:
    """Seal the end with the first data key. Raises WrongSeal."""
    with transaction.atomic():
        _wait_for_turn()
        check_seal()
        if last := Entry.objects.order_by("-number").first():
            _seal(last)


def _wait_for_turn() -> None:
    """From here to the end of the transaction nobody else appends."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])


def _seal(entry: Entry) -> None:
    seal = {"number": entry.number, "seal": encryption.index(_sealed_text(entry), SEAL)}
    if not AuditHead.objects.update(**seal):
        AuditHead.objects.create(pk=1, **seal)


def _sealed_text(entry: Entry) -> str:
    return f"{entry.number}:{entry.hash}"


def _hash(entry: Entry) -> str:
    content = [
        entry.number,
        entry.at.astimezone(UTC).isoformat(timespec="microseconds"),
        entry.actor,
        entry.act,
        entry.subject,
        entry.detail,
        entry.previous,
    ]
    text = json.dumps(content, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
