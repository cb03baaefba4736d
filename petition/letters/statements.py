"""What the mailer asks the database for each letter, as SQL: building these statements anew each
time took longer than doing them.

A letter is as it was claimed: in the hands of its `mailer`, or of nobody where that is empty. In
PostgreSQL the statement that ends one letter asks for the owner of the next one in the same hand,
so that each letter takes one round trip.
"""

from typing import Any, cast

from django.db import connection
from django.utils import timezone

from petition.ground import workers
from petition.ground.fields import Sealed
from petition.ground.postgresql.base import DatabaseWrapper
from petition.ground.postgresql.functions import Function
from petition.models import Letter, Signature

_LETTERS, _SIGNATURES = Letter._meta.db_table, Signature._meta.db_table
_FIELDS = [field.attname for field in Letter._meta.concrete_fields]
_OF_OWNER = ("id", "reference", "email", "state", "updates")
_CLAIM = f"""
UPDATE {_LETTERS} AS l SET mailer = %s, claimed_at = %s
FROM {_SIGNATURES} AS s
WHERE s.id = l.signature_id AND l.id = ANY(ARRAY(
  SELECT id FROM {_LETTERS}
  WHERE state = 'due' AND mailer = '' AND mailing_id IS NULL AND due_at <= statement_timestamp()
  ORDER BY due_at LIMIT %s FOR UPDATE SKIP LOCKED
))
RETURNING {", ".join(f"l.{field.column}" for field in Letter._meta.concrete_fields)},
  {", ".join(f"s.{name}" for name in _OF_OWNER)}
"""  # noqa: S608 - names of tables and columns of ours.
_OWNER = f"""
SELECT s.email, s.state, s.updates FROM {_LETTERS} l JOIN {_SIGNATURES} s ON s.id = l.signature_id
WHERE l.id = %s AND l.mailer = %s
"""  # noqa: S608
_END = f"""
UPDATE {_LETTERS} SET state = %s, tries = %s, reply = %s, ended_at = %s, mailer = '',
  claimed_at = NULL
WHERE id = %s AND mailer = %s
"""  # noqa: S608
# The first of the columns says whether the letter was ended, the rest is the next one's owner.
END = Function(
    "petition_end_letter",
    {"id": "bigint", "mailer": "text", "state": "text", "tries": "smallint", "reply": "text",
     "now": "timestamptz", "following": "bigint"},
    f"""
WITH ended AS (
  UPDATE {_LETTERS} SET state = %(state)s, tries = %(tries)s, reply = %(reply)s,
    ended_at = %(now)s, mailer = '', claimed_at = NULL
  WHERE id = %(id)s AND mailer = %(mailer)s RETURNING id
)
SELECT EXISTS (SELECT FROM ended), s.email, s.state::text, s.updates
FROM (SELECT) AS always LEFT JOIN {_SIGNATURES} AS s ON s.id = (
  SELECT signature_id FROM {_LETTERS} WHERE id = %(following)s AND mailer = %(mailer)s
)
""",  # noqa: S608
    gives=("boolean", "bytea", "text", "boolean"),
)  # fmt: skip


def claim(how_many: int) -> list[Letter]:
    """The letters that somebody waits for and nobody else is claiming, now in the hands of this
    process, the oldest first. PostgreSQL alone has it in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(_CLAIM, [workers.my_name(), timezone.now(), how_many])
        rows = cursor.fetchall()
    claimed = []
    for row in rows:
        letter = Letter.from_db(connection.alias, _FIELDS, row[: len(_FIELDS)])
        pk, reference, *owner = row[len(_FIELDS) :]
        letter.signature = Signature.from_db(connection.alias, ["id", "reference"], [pk, reference])
        _set_owner(letter, owner)
        claimed.append(letter)
    claimed.sort(key=lambda letter: (letter.due_at, letter.pk))
    for letter in claimed[:1]:
        letter.owner_was_asked = True
    return claimed


def is_mine(letter: Letter) -> bool:
    """Whether a letter is still in the same hands; its signature then holds what the row does now:
    a letter was claimed some moments ago."""
    if letter.owner_was_asked:
        letter.owner_was_asked = False
        return True
    with connection.cursor() as cursor:
        cursor.execute(_OWNER, [letter.pk, letter.mailer])
        if not (owner := cursor.fetchone()):
            return False
    _set_owner(letter, owner)
    return True


def end(letter: Letter, state: str, reply: str, following: Letter | None = None) -> bool:
    """A letter has come to its end; false where it is in other hands, or gone. `following` is the
    next one in the same hands: whether it `is_mine` need not be asked again where it is."""
    tries = letter.tries + 1
    # News ends in a transaction, which a function that is missing would break off.
    if connection.vendor == "postgresql" and not letter.mailing_id:
        about = {"id": letter.pk, "mailer": letter.mailer, "state": state, "tries": tries}
        next_one = following.pk if following else None
        values = about | {"reply": reply, "now": timezone.now(), "following": next_one}
        ((is_ended, *owner),) = END.call(values, cast(DatabaseWrapper, connection))
        if following and owner[1]:
            _set_owner(following, owner)
            following.owner_was_asked = True
        return is_ended
    values_in_order: list[Any] = [state, tries, reply, timezone.now(), letter.pk, letter.mailer]
    with connection.cursor() as cursor:
        cursor.execute(_END, values_in_order)
        return cursor.rowcount == 1


def _set_owner(letter: Letter, owner) -> None:
    email, letter.signature.state, updates = owner
    letter.signature.updates = bool(updates)
    letter.signature.email = Sealed(email) if email else ""
