"""What comes back: reports that a letter did not arrive, and complaints about one.

A relay takes every letter and reports later, to the envelope sender. Each try of a letter has one
of its own that nobody else can make: whoever does not know our key reports nothing. Reports are RFC
3464, or what the detectors of flufl.bounce know of; complaints are RFC 5965.
"""

import logging
import re
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import Message
from enum import Enum

from django.db import transaction
from flufl.bounce import all_failures

from petition.ground import metrics
from petition.letters import envelopes, mailings, owing, sending
from petition.models import Letter, Signature

logger = logging.getLogger(__name__)

MOST_BYTES = 1 << 20  # Reports may bring the whole letter back; ours have 20 KB.
# Where servers write down whom a report was for.
DELIVERED_TO = ("Delivered-To", "X-Original-To", "Envelope-To", "X-Envelope-To", "To", "Cc")


class Kind(Enum):
    HARD = "hard"  # The mailbox does not exist, or wants nothing of us.
    SOFT = "soft"  # Full, busy, too large: it may be tried again.
    COMPLAINT = "complaint"
    NONE = "none"  # An answer of a person or of a machine, a delay that a relay still works on.


@dataclass(frozen=True)
class Report:
    """What a mail reports, and of which try of which letter; `letter` is 0 where it names none."""

    kind: Kind
    letter: int = 0
    tries: int = 0
    status: str = ""


def read(raw: bytes) -> Report:
    """What a mail reports. Whatever is in it, nothing is raised."""
    mail = message_from_bytes(raw[:MOST_BYTES], policy=policy.compat32)
    try:
        kind, status = _kind(mail)
        found = _named(mail, kind) if kind is not Kind.NONE else (0, 0)
    except Exception as error:  # What a stranger sends may be broken in any way.
        logger.warning("A report cannot be read: %s", type(error).__name__)
        return Report(Kind.NONE)
    return Report(kind, *found, status)


def take(raw: bytes) -> Report:
    """Read a report and do what follows of it; as often as it comes."""
    report = read(raw)
    act_on(report)
    return report


def act_on(report: Report) -> None:
    """Do what follows of a report; nothing where it names no letter of ours."""
    if report.letter and report.kind is not Kind.NONE:
        with transaction.atomic():
            done = _act(report)
        if done:
            metrics.LETTERS.labels(f"reported_{report.kind.value}").inc()
            logger.info("Letter %s: reported as %s %s", report.letter, report.kind.value,
                        report.status)  # fmt: skip


def _act(report: Report) -> bool:
    """Whether it changed anything: one of an earlier try, or one that is known, does not."""
    sent = Letter.objects.select_for_update(no_key=True).select_related(None)
    letter = sent.filter(pk=report.letter, state=Letter.State.SENT, tries=report.tries).first()
    if letter is None:
        return False
    if report.kind is Kind.SOFT and not letter.mailing_id:  # News is not sent twice.
        sending.try_again(letter, report.status or "reported")
        return True
    is_complaint = report.kind is Kind.COMPLAINT
    reply = owing.COMPLAINT if is_complaint else f"reported {report.status}".strip()[:20]
    sent.filter(pk=letter.pk).update(state=Letter.State.REFUSED, reply=reply)
    if letter.mailing_id:
        mailings.came_back(letter)
    if is_complaint or (letter.mailing_id and report.kind is Kind.HARD):
        Signature.objects.filter(pk=letter.signature_id).update(updates=False)
    if is_complaint:
        due = Letter.objects.filter(signature=letter.signature_id, state=Letter.State.DUE)
        due.update(state=Letter.State.WITHHELD, reply=owing.COMPLAINT)
    return True


def _kind(mail: Message) -> tuple[Kind, str]:
    report = str(mail.get_param("report-type", "")).lower()
    if report == "feedback-report":
        return Kind.COMPLAINT, ""
    if found := _delivery_status(mail):
        return found
    temporary, permanent = all_failures(mail)
    return (Kind.HARD if permanent else Kind.SOFT if temporary else Kind.NONE), ""


def _delivery_status(mail: Message) -> tuple[Kind, str] | None:
    """Of RFC 3464: `Action: failed` is the end, `delayed` is not. None of any other mail."""
    for part in mail.walk():
        if part.get_content_type() != "message/delivery-status":
            continue
        for recipient in part.get_payload():
            if not isinstance(recipient, Message) or "Action" not in recipient:
                continue
            action = str(recipient["Action"]).strip().lower()
            status = re.search(r"[245]\.\d{1,3}\.\d{1,3}", str(recipient.get("Status", "")))
            said = status[0] if status else ""
            if action != "failed":
                return Kind.NONE, said
            return kind_of(said), said
    return None


def kind_of(status: str) -> Kind:
    """What a refusal with an enhanced status code (RFC 3463) means for the mailbox."""
    is_full = status.startswith("4") or status in ("5.2.2", "5.3.4")  # Also what is busy.
    is_about_us = status.startswith("5.7.")  # We are not trusted today.
    return Kind.SOFT if is_full or is_about_us else Kind.HARD


def _named(mail: Message, kind: Kind) -> tuple[int, int]:
    """The letter and the try that a report is about; (0, 0) where it names none of ours."""
    places = [str(value) for name in DELIVERED_TO for value in mail.get_all(name, [])]
    places += [str(value) for value in mail.get_all("Received", [])]
    if kind is Kind.COMPLAINT:
        parts = [part for part in mail.walk() if part is not mail]
        places += [str(part[envelopes.HEADER]) for part in parts if part[envelopes.HEADER]]
        heads = [part for part in parts if part.get_content_type() == "text/rfc822-headers"]
        places += [str(part.get_payload()) for part in heads]
    return envelopes.found_in(places)
