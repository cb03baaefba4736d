"""What an entry of the log says, and the events that wait to become entries.

`v1 counted COMMITMENT`, `v1 restored N COMMITMENT`, `v1 sheet N COMMITMENT`,
`v1 left REASON N COMMITMENT`, `v1 total ONLINE PAPER TIME`, `v1 rules N TIME`: ASCII, one space
between, no newline. The count is counted + restored + sheet - left (docs/number.md).
"""

import secrets
import uuid
from datetime import datetime
from hashlib import sha256

from django.db.models import Sum

from petition.ground import addresses, encryption
from petition.models import LogEvent, Sheet, Signature

SECRET_BYTES = 32
OF_A_SIGNER = b"petition-log/v1/counted\x00"
OF_THE_SITE = b"petition-log/v1/change\x00"
# What the key of a sealed opening is derived for; never changed once data is stored.
OPENING = "log opening"

WITHDRAWN, SET_ASIDE, SHEET_TAKEN_OUT = "withdrawn", "set_aside", "sheet_taken_out"
RECOUNT = "recount"


def of_signer(secret: bytes, mailbox: str) -> str:
    """The commitment of a counted signature: it binds the canonical mailbox, so that two people
    cannot be given one receipt; without the 32 secret bytes nobody can try mailboxes out."""
    return sha256(OF_A_SIGNER + secret + mailbox.encode()).hexdigest()


def counted(email: str) -> tuple[bytes, str]:
    """New secret bytes for the signature of an address, and the line that counts it."""
    secret = secrets.token_bytes(SECRET_BYTES)
    return secret, f"v1 counted {of_signer(secret, addresses.canonical(email))}"


def total(online: int, paper: int, at: datetime) -> str:
    return f"v1 total {online} {paper} {_moment(at)}"


def rules(version: int, at: datetime) -> str:
    return f"v1 rules {version} {_moment(at)}"


def value(line: str) -> tuple[int, int]:
    """What an entry adds to the count online and on paper."""
    match line.split(" "):
        case ["v1", "counted", _]:
            return 1, 0
        case ["v1", "restored", n, _]:
            return int(n), 0
        case ["v1", "sheet", n, _]:
            return 0, int(n)
        case ["v1", "left", reason, n, _]:
            return (0, -int(n)) if reason == SHEET_TAKEN_OUT else (-int(n), 0)
    return 0, 0


# --- Events, in the transaction that changes the count ------------------------------------------
# A signature that is counted needs none: `counted` and not `in_log` is its event.


def left(reason: str, number: int, subject: str) -> None:
    """So many are not counted any more. Only the opening, which stays sealed, tells which."""
    _write(f"left {reason} {number}", subject)


def restored(number: int, subject: str) -> None:
    _write(f"restored {number}", subject)


def of_leaving(reference: uuid.UUID, reason: str) -> tuple[LogEvent, LogEvent]:
    """How a counted signature leaves the count, not stored: where the log does not have it yet it
    enters first, and binds nobody, since there will be no receipt for it; then it leaves."""
    enters = LogEvent(line=f"v1 counted {secrets.token_hex(SECRET_BYTES)}")
    return enters, _event(f"left {reason} 1", str(reference))


def signature_leaves(signature: Signature, reason: str) -> None:
    """A counted signature leaves the count."""
    enters, leaves = of_leaving(signature.reference, reason)
    if not signature.in_log:
        enters.save()
    leaves.save()


def sheet(number: int, lines: int) -> LogEvent:
    """A counted sheet, not stored."""
    return _event(f"sheet {lines}", f"sheet {number}")


def sheet_leaves(number: int, lines: int, *, in_log: bool) -> None:
    """A counted sheet is taken out. One that the log does not have yet enters it first."""
    if not in_log:
        sheet(number, lines).save()
    left(SHEET_TAKEN_OUT, lines, f"sheet {number}")


def recounted(online: int, paper: int) -> None:
    """What a recount found: so many more or fewer than the log says, in each channel."""
    if online < 0:
        left(RECOUNT, -online, "recount")
    elif online:
        restored(online, "recount")
    if paper < 0:
        left(SHEET_TAKEN_OUT, -paper, "recount of paper")
    elif paper:
        _write(f"sheet {paper}", "recount of paper")


def waiting() -> tuple[int, int]:
    """What the events that are no entries yet add to the count, online and on paper."""
    values = [value(line) for line in LogEvent.objects.values_list("line", flat=True)]
    online = Signature.objects.counted().filter(in_log=False).count()
    paper = Sheet.objects.counted().filter(in_log=False).aggregate(n=Sum("valid"))["n"] or 0
    return sum(v[0] for v in values) + online, sum(v[1] for v in values) + paper


def _write(what: str, subject: str) -> None:
    _event(what, subject).save()


def _event(what: str, subject: str) -> LogEvent:
    blind = secrets.token_bytes(SECRET_BYTES)
    commitment = sha256(OF_THE_SITE + blind + subject.encode()).hexdigest()
    opening = encryption.encrypt(f"{blind.hex()} {subject}", OPENING)
    return LogEvent(line=f"v1 {what} {commitment}", opening=opening)


def _moment(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")
