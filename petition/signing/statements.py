"""Signing and confirming as one PostgreSQL statement each: one round trip, one commit, no moment in
between at which a process could end.

`signatures` has the same acts by the ORM, for SQLite and as the reference. A test drives both with
the same histories.
"""

import os
import secrets
import uuid
from datetime import datetime
from typing import Any

from django.db import DEFAULT_DB_ALIAS, connection

from petition.ground import encryption
from petition.letters import sending
from petition.models import Attempt, Letter, Signature, Tally
from petition.models.signatures import EMAIL, NAME
from petition.signing import tallies
from petition.signing.functions import Function

State = Signature.State

_KINDS = " ".join(f"WHEN '{state}' THEN '{kind}'" for state, kind in sending.LETTERS.items())
_ADD = (
    "ON CONFLICT (channel, dimension, value, slot) DO UPDATE "
    f"SET count = {Tally._meta.db_table}.count + excluded.count, changed_at = excluded.changed_at"
)
# A mailbox that is known is locked and stays as it is. Where its owner has not confirmed yet, what
# was typed is a version of its own.
SIGN = Function(
    "petition_sign",
    {
        "reference": "uuid", "attempt": "uuid", "mailbox": "bytea", "name": "bytea",
        "attempt_name": "bytea", "email": "bytea", "domain": "bytea", "country": "text",
        "track": "text", "updates": "boolean", "delivery": "boolean", "consent": "bigint",
        "language": "text", "passed": "boolean", "now": "timestamptz", "since": "timestamptz",
        "most": "integer", "slot": "smallint",
    },
    f"""
WITH own AS (
  INSERT INTO {Signature._meta.db_table} AS s (reference, state, mailbox_index, name, email,
    domain_index, country, track_id, updates, delivery, consent_id, language,
    passed_challenge, signed_at, moved_at, reason)
  VALUES (%(reference)s, 'pending', %(mailbox)s, %(name)s, %(email)s, %(domain)s, %(country)s,
    %(track)s, %(updates)s, %(delivery)s, %(consent)s, %(language)s, %(passed)s, %(now)s,
    %(now)s, '')
  ON CONFLICT (mailbox_index) DO UPDATE SET language = s.language
  RETURNING id, state, reference = %(reference)s AS is_new
), judged AS (
  SELECT *, petition_recent_letters(id, %(since)s) >= %(most)s AS is_capped FROM own
), attempt AS (
  INSERT INTO {Attempt._meta.db_table} (reference, signature_id, name, country, track_id, updates,
    delivery, consent_id, language, passed_challenge, signed_at)
  SELECT %(attempt)s, id, %(attempt_name)s, %(country)s, %(track)s, %(updates)s, %(delivery)s,
    %(consent)s, %(language)s, %(passed)s, %(now)s
  FROM judged WHERE state = 'pending' AND NOT is_new AND NOT is_capped
  RETURNING reference
), letter AS (
  INSERT INTO {Letter._meta.db_table} (signature_id, attempt, kind, language, state, created_at,
    due_at, mailer, tries, reply, ended_at)
  SELECT id, (SELECT reference FROM attempt), CASE state {_KINDS} END, %(language)s,
    CASE WHEN is_capped THEN 'withheld' ELSE 'due' END, %(now)s, %(now)s, '', 0, '',
    CASE WHEN is_capped THEN %(now)s END
  FROM judged
)
INSERT INTO {Tally._meta.db_table} (channel, dimension, value, slot, count, changed_at)
SELECT 'online', 'state', 'pending', %(slot)s, is_new::int, %(now)s FROM own {_ADD}
""",  # noqa: S608 - names of tables and columns of ours.
)  # fmt: skip

# The total first, as `tallies.add` says.
CONFIRM = Function(
    "petition_confirm",
    {
        "reference": "uuid", "updates": "boolean", "delivery": "boolean", "passed": "boolean",
        "now": "timestamptz", "since": "timestamptz", "day": "text", "slot": "smallint",
    },
    f"""
WITH moved AS (
  UPDATE {Signature._meta.db_table}
  SET state = 'counted', confirmed_at = %(now)s, moved_at = %(now)s, reason = '',
    updates = updates AND %(updates)s, delivery = delivery AND %(delivery)s
  WHERE reference = %(reference)s AND state = 'pending' AND signed_at > %(since)s
    AND (passed_challenge OR %(passed)s)
  RETURNING id, country, track_id, language
), forgotten AS (
  UPDATE {Attempt._meta.db_table} AS a
  SET name = NULL, country = '', track_id = NULL, updates = false, delivery = false
  FROM moved WHERE a.signature_id = moved.id
), changes AS (
  SELECT change.* FROM moved, LATERAL (VALUES
    (1, 'total', '', 1), (2, 'country', country, 1), (3, 'day', %(day)s, 1),
    (4, 'language', language, 1), (5, 'state', 'pending', -1),
    (6, 'track', coalesce(track_id, ''), 1)
  ) AS change (place, dimension, value, by)
), added AS (
  INSERT INTO {Tally._meta.db_table} (channel, dimension, value, slot, count, changed_at)
  SELECT 'online', dimension, value, %(slot)s, by, %(now)s FROM changes ORDER BY place {_ADD}
)
SELECT count(*) FROM moved
""",  # noqa: S608
    is_asked=True,
)  # fmt: skip


def make(using: str, **kwargs) -> None:
    """After `migrate`: the functions of this release."""
    if using == DEFAULT_DB_ALIAS and connection.vendor == "postgresql":
        for function in (SIGN, CONFIRM):
            function.make()


def sign(details: dict, mailbox: bytes, now: datetime) -> None:
    """Keep a signature, the letter that it owes and its tally; `details` are the columns of what
    was typed. Raises a DatabaseError, and then nothing is stored."""
    reference, attempt = uuid.uuid4(), uuid.uuid4()
    values: dict[str, Any] = {
        "reference": reference,
        "attempt": attempt,
        "mailbox": mailbox,
        # Sealed for either row: which it will be, the statement finds out.
        "name": encryption.encrypt(details["name"], NAME, reference.bytes),
        "attempt_name": encryption.encrypt(details["name"], NAME, attempt.bytes),
        "email": encryption.encrypt(details["email"], EMAIL, reference.bytes),
        "domain": details["domain"],
        "country": details["country"],
        "track": details["track_id"],
        "updates": details["updates"],
        "delivery": details["delivery"],
        "consent": details["consent_id"],
        "language": details["language"],
        "passed": details["passed_challenge"],
        "now": now,
        "since": now - sending.LETTERS_WINDOW,
        "most": sending.LETTERS_AN_ADDRESS,
        "slot": secrets.randbelow(tallies.SLOTS),
    }
    SIGN.call(values)


def confirm(
    reference: uuid.UUID, now: datetime, updates: bool, delivery: bool, passed: bool
) -> bool:
    """Count the first version of a signature that is pending, not too old and solved its challenge;
    false where it is not. `updates` and `delivery` say what its owner has not taken back, `passed`
    whether the browser has solved a challenge now."""
    values: dict[str, Any] = {
        "reference": reference,
        "updates": updates,
        "delivery": delivery,
        "passed": passed,
        "now": now,
        "since": now - Signature.PENDING_FOR,
        "day": now.date().isoformat(),
        "slot": os.getpid() % tallies.SLOTS,
    }
    return bool(CONFIRM.call(values))
