"""Signing, confirming and withdrawing in one round trip to PostgreSQL: one commit, no moment in
between at which a process could end. All who sign or confirm at the same moment go together, each
as a row of JSON.

`signatures` has the same acts by the ORM, for SQLite and as the reference. A test drives both with
the same histories.
"""

import json
import os
import secrets
import uuid
from typing import cast

from django.db import connection
from django.utils import timezone

from petition.ground import encryption
from petition.ground.postgresql.base import DatabaseWrapper
from petition.ground.postgresql.functions import Function
from petition.letters import owing
from petition.log import events
from petition.models import Attempt, Letter, LogEvent, Signature, Tally
from petition.models.signatures import EMAIL, NAME
from petition.signing import tallies
from petition.signing.group_commit import LOCK_WAIT, GroupCommit, Row

State = Signature.State

_KINDS = " ".join(f"WHEN '{state}' THEN '{kind}'" for state, kind in owing.LETTERS.items())
_ADD = (
    "ON CONFLICT (channel, dimension, value, slot) DO UPDATE "
    f"SET count = {Tally._meta.db_table}.count + excluded.count, changed_at = excluded.changed_at"
)


def _erased(model: type[Signature] | type[Attempt]) -> str:
    """The columns that lose what they tell of a person, as in an UPDATE."""
    empty = {None: "NULL", "": "''", False: "false"}
    columns = {field.name: field.column for field in model._meta.concrete_fields}
    return ", ".join(f"{columns[name]} = {empty[value]}" for name, value in model.ERASED.items())


# A mailbox that is known is locked and stays as it is. Where its owner has not confirmed yet, what
# was typed is a version of its own. In the order of the mailboxes, so that two groups cannot wait
# for each other in a circle.
SIGN = Function(
    "petition_sign",
    {"rows": "json", "now": "timestamptz", "since": "timestamptz", "most": "integer",
     "slot": "smallint"},
    f"""
WITH typed AS (
  SELECT * FROM json_to_recordset(%(rows)s) AS r(reference uuid, attempt uuid, mailbox bytea,
    name bytea, attempt_name bytea, email bytea, domain bytea, country text, track text,
    updates boolean, delivery boolean, consent bigint, language text, passed boolean)
), own AS (
  INSERT INTO {Signature._meta.db_table} AS s (reference, state, mailbox_index, name, email,
    domain_index, country, track_id, updates, delivery, consent_id, language,
    passed_challenge, signed_at, moved_at, reason)
  SELECT reference, 'pending', mailbox, name, email, domain, country, track, updates, delivery,
    consent, language, passed, %(now)s, %(now)s, ''
  FROM typed ORDER BY mailbox
  ON CONFLICT (mailbox_index) DO UPDATE SET language = s.language
  RETURNING id, state, reference, mailbox_index
), judged AS (
  SELECT own.id, state, own.reference = typed.reference AS is_new,
    petition_recent_letters(own.id, %(since)s) >= %(most)s AS is_capped, attempt, attempt_name,
    country, track, updates, delivery, consent, language, passed
  FROM own JOIN typed ON mailbox = mailbox_index
), attempts AS (
  INSERT INTO {Attempt._meta.db_table} (reference, signature_id, name, country, track_id, updates,
    delivery, consent_id, language, passed_challenge, signed_at)
  SELECT attempt, id, attempt_name, country, track, updates, delivery, consent, language, passed,
    %(now)s
  FROM judged WHERE state = 'pending' AND NOT is_new AND NOT is_capped
  RETURNING reference
), letters AS (
  INSERT INTO {Letter._meta.db_table} (signature_id, attempt, kind, language, state, created_at,
    due_at, mailer, tries, reply, ended_at)
  SELECT id, reference, CASE state {_KINDS} END, language,
    CASE WHEN is_capped THEN 'withheld' ELSE 'due' END, %(now)s, %(now)s, '', 0, '',
    CASE WHEN is_capped THEN %(now)s END
  FROM judged LEFT JOIN attempts ON reference = attempt
)
INSERT INTO {Tally._meta.db_table} (channel, dimension, value, slot, count, changed_at)
SELECT 'online', 'state', 'pending', %(slot)s, sum(is_new::int), %(now)s FROM judged {_ADD}
""",  # noqa: S608 - names of tables and columns of ours.
)  # fmt: skip

# The total first, as `tallies.add` says. Additions of nothing, here and below, and arrays keep the
# planner to the index of references and to those of signatures: where a table had few rows when it
# last looked, it would read all that came since, for each.
CONFIRM = Function(
    "petition_confirm",
    {"rows": "json", "now": "timestamptz", "since": "timestamptz", "day": "text",
     "slot": "smallint"},
    f"""
WITH asked AS (
  SELECT * FROM json_to_recordset(%(rows)s)
    AS r(reference uuid, updates boolean, delivery boolean, passed boolean)
), moved AS (
  UPDATE {Signature._meta.db_table} AS s
  SET state = 'counted', confirmed_at = %(now)s, moved_at = %(now)s, reason = '',
    updates = s.updates AND asked.updates, delivery = s.delivery AND asked.delivery
  FROM asked
  WHERE s.reference = ANY(ARRAY(SELECT reference FROM asked)) AND s.reference = asked.reference
    AND state || '' = 'pending'
    AND signed_at + interval '0' > %(since)s AND (passed_challenge OR passed)
  RETURNING s.reference, country, track_id, language
), changes AS (
  SELECT place, dimension, value, sum(by) AS by FROM moved, LATERAL (VALUES
    (1, 'total', '', 1), (2, 'country', country, 1), (3, 'day', %(day)s, 1),
    (4, 'language', language, 1), (5, 'state', 'pending', -1),
    (6, 'track', coalesce(track_id, ''), 1)
  ) AS change (place, dimension, value, by)
  GROUP BY place, dimension, value
), added AS (
  INSERT INTO {Tally._meta.db_table} (channel, dimension, value, slot, count, changed_at)
  SELECT 'online', dimension, value, %(slot)s, by, %(now)s
  FROM changes ORDER BY place, value COLLATE "C" {_ADD}
)
SELECT reference FROM moved
""",  # noqa: S608
    gives=("uuid",),
    # Also the version that somebody typed while the statement waited for that one's end.
    afterwards=f"""
UPDATE {Attempt._meta.db_table} SET {_erased(Attempt)}
WHERE name IS NOT NULL AND signature_id = ANY(ARRAY(
  SELECT id FROM {Signature._meta.db_table} WHERE state || '' = 'counted' AND reference = ANY(
    ARRAY(SELECT r.reference FROM json_to_recordset(%(rows)s) AS r(reference uuid))
  )
))
""",  # noqa: S608
)  # fmt: skip

_GONE = (
    f"SELECT id FROM {Signature._meta.db_table} "  # noqa: S608
    "WHERE reference = %(reference)s AND state || '' = 'withdrawn'"
)
# As `lifecycle.move` does it, with the events of the log that go with it.
WITHDRAW = Function(
    "petition_withdraw",
    {"reference": "uuid", "now": "timestamptz", "slot": "smallint", "enters": "text",
     "leaves": "text", "opening": "bytea"},
    f"""
WITH former AS (
  SELECT id, state, country, track_id, language, confirmed_at, in_log,
    state = 'counted' AS was_counted
  FROM {Signature._meta.db_table} WHERE reference = %(reference)s AND state || '' <> 'withdrawn'
  FOR UPDATE
), moved AS (
  UPDATE {Signature._meta.db_table}
  SET state = 'withdrawn', moved_at = %(now)s, reason = '', {_erased(Signature)},
    in_log = in_log OR state = 'counted'
  WHERE id = (SELECT id FROM former)
  RETURNING reference
), events AS (
  INSERT INTO {LogEvent._meta.db_table} (line, opening)
  SELECT line, opening FROM former, LATERAL (VALUES
    (1, %(enters)s, NULL), (2, %(leaves)s, %(opening)s)
  ) AS event (place, line, opening)
  WHERE was_counted AND NOT (in_log AND place = 1) ORDER BY place
), added AS (
  INSERT INTO {Tally._meta.db_table} (channel, dimension, value, slot, count, changed_at)
  SELECT 'online', dimension, value, %(slot)s, by, %(now)s FROM former, LATERAL (VALUES
    (1, true, 'total', '', -1), (2, true, 'country', country, -1),
    (3, true, 'day', (confirmed_at AT TIME ZONE 'UTC')::date::text, -1),
    (4, true, 'language', language, -1), (5, true, 'left', 'withdrawn', 1),
    (6, false, 'state', state, -1), (7, NULL, 'state', 'withdrawn', 1),
    (8, true, 'track', coalesce(track_id, ''), -1)
  ) AS change (place, of_counted, dimension, value, by)
  WHERE of_counted IS NULL OR of_counted = was_counted
  ORDER BY place {_ADD}
)
SELECT reference FROM moved
""",  # noqa: S608
    gives=("uuid",),
    # Also what came while the statement waited for a post to end that had the row.
    afterwards=f"""
WITH letters AS (DELETE FROM {Letter._meta.db_table} WHERE signature_id = ({_GONE}))
DELETE FROM {Attempt._meta.db_table} WHERE signature_id = ({_GONE})
""",  # noqa: S608
)  # fmt: skip


def sign(details: dict, mailbox: bytes) -> None:
    """Keep a signature, the letter that it owes and its tally; `details` are the columns of what
    was typed. Raises a DatabaseError, and then nothing is stored or nobody knows."""
    reference, attempt = uuid.uuid4(), uuid.uuid4()
    row = {
        "reference": reference.hex,
        "attempt": attempt.hex,
        "mailbox": _hex(mailbox),
        # Sealed for either row: which it will be, the statement finds out.
        "name": _hex(encryption.encrypt(details["name"], NAME, reference.bytes)),
        "attempt_name": _hex(encryption.encrypt(details["name"], NAME, attempt.bytes)),
        "email": _hex(encryption.encrypt(details["email"], EMAIL, reference.bytes)),
        "domain": _hex(details["domain"]),
        "country": details["country"],
        "track": details["track_id"],
        "updates": details["updates"],
        "delivery": details["delivery"],
        "consent": details["consent_id"],
        "language": details["language"],
        "passed": details["passed_challenge"],
    }
    SIGNING.do(mailbox, row)


def confirm(reference: uuid.UUID, updates: bool, delivery: bool, passed: bool) -> bool:
    """Count the first version of a signature that is pending, not too old and solved its challenge;
    false where it is not. `updates` and `delivery` say what its owner has not taken back, `passed`
    whether the browser has solved a challenge now. Raises a DatabaseError."""
    about = {"updates": updates, "delivery": delivery, "passed": passed}
    return CONFIRMING.do(reference, {"reference": reference.hex, **about})


def withdraw(reference: uuid.UUID) -> bool:
    """Erase the person, lower the count where it counted, delete letters and versions; false where
    there is no signature that was not withdrawn yet. Raises a DatabaseError."""
    enters, leaves = events.of_leaving(reference, events.WITHDRAWN)
    values = {
        "reference": reference,
        "now": timezone.now(),
        "slot": os.getpid() % tallies.SLOTS,
        "enters": enters.line,
        "leaves": leaves.line,
        "opening": leaves.opening,
    }
    return bool(WITHDRAW.call(values, cast(DatabaseWrapper, connection)))


def _hex(content: bytes | None) -> str | None:
    """As PostgreSQL reads bytes in a text."""
    return None if content is None else f"\\x{content.hex()}"


def _sign_all(rows: list[Row], using: DatabaseWrapper) -> list[tuple]:
    now = timezone.now()
    values = {
        "rows": json.dumps(rows),
        "now": now,
        "since": now - owing.LETTERS_WINDOW,
        "most": owing.LETTERS_AN_ADDRESS,
        "slot": secrets.randbelow(tallies.SLOTS),
    }
    return SIGN.call(values, using, _lock_wait(rows))


def _confirm_all(rows: list[Row], using: DatabaseWrapper) -> list[uuid.UUID]:
    now = timezone.now()
    values = {
        "rows": json.dumps(rows),
        "now": now,
        "since": now - Signature.PENDING_FOR,
        "day": now.date().isoformat(),
        "slot": os.getpid() % tallies.SLOTS,
    }
    return [reference for (reference,) in CONFIRM.call(values, using, _lock_wait(rows))]


def _lock_wait(rows: list[Row]) -> str:
    """Who is alone waits as long as the request may."""
    return LOCK_WAIT if len(rows) > 1 else ""


SIGNING, CONFIRMING = GROUPS = GroupCommit(_sign_all), GroupCommit(_confirm_all)
