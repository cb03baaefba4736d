"""A copy of all that the site keeps about one signer, for its owner (GDPR, articles 15 and 20)."""

from datetime import datetime

from petition.models import Attempt, Letter, Signature


def copy_of(signature: Signature) -> dict:
    """What is kept, in plain values that JSON can hold: moments in ISO 8601, UTC. Codes and sealed
    bytes, which nobody can read, are named and not given. Raises encryption.Unreadable."""
    attempts = signature.attempts.select_related("consent").order_by("pk")
    return {
        "signature": {
            **_typed(signature),
            "email": signature.email,
            "state": signature.state,
            "reason": signature.reason,
            "confirmed_at": _moment(signature.confirmed_at),
            "state_since": _moment(signature.moved_at),
        },
        "typed_again": [_typed(attempt) for attempt in attempts if attempt.name],
        "emails": [_letter(letter) for letter in signature.letters.order_by("pk")],
        "also_kept": [
            "a code calculated from the mailbox with a secret key",
            "a code calculated from its domain with a secret key",
            "random bytes that lead to the entry in the public log, once it is counted",
            "a random reference, under which coordinators' acts are recorded",
        ],
    }


def _typed(version: Signature | Attempt) -> dict:
    return {
        "name": version.name,
        "country": version.country,
        "track": version.track_id,
        "wants_news": version.updates,
        "may_be_shared_with_the_addressees": version.delivery,
        "language": version.language,
        "signed_at": _moment(version.signed_at),
        "passed_challenge": version.passed_challenge,
        "consent": {"version": version.consent.version, "text": version.consent.body},
    }


def _letter(letter: Letter) -> dict:
    return {
        "kind": letter.kind,
        "state": letter.state,
        "owed_at": _moment(letter.created_at),
        "ended_at": _moment(letter.ended_at),
    }


def _moment(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at else None
