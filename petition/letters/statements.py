"""What the mailer asks the database for each letter, as SQL: building these statements anew each
time took longer than doing them.

A letter is as it was claimed: in the hands of its `mailer`, or of nobody where that is empty.
"""

from typing import Any

from django.db import connection
from django.utils import timezone

from petition.ground.fields import Sealed
from petition.models import Letter, Signature

_LETTERS, _SIGNATURES = Letter._meta.db_table, Signature._meta.db_table
_IS_MINE = f"""
SELECT s.email, s.state, s.updates FROM {_LETTERS} l JOIN {_SIGNATURES} s ON s.id = l.signature_id
WHERE l.id = %s AND l.mailer = %s
"""  # noqa: S608 - names of tables of ours.
_END = f"""
UPDATE {_LETTERS} SET state = %s, tries = %s, reply = %s, ended_at = %s, mailer = '',
  claimed_at = NULL
WHERE id = %s AND mailer = %s
"""  # noqa: S608


def is_mine(letter: Letter) -> bool:
    """Whether a letter is still in the same hands; its signature then holds what the row does now:
    a letter was claimed some moments ago."""
    with connection.cursor() as cursor:
        cursor.execute(_IS_MINE, [letter.pk, letter.mailer])
        if not (row := cursor.fetchone()):
            return False
    email, letter.signature.state, updates = row
    letter.signature.updates = bool(updates)
    letter.signature.email = Sealed(email) if email else ""
    return True


def end(letter: Letter, state: str, reply: str) -> bool:
    """A letter has come to its end; false where it is in other hands, or gone."""
    values: list[Any] = [state, letter.tries + 1, reply, timezone.now(), letter.pk, letter.mailer]
    with connection.cursor() as cursor:
        cursor.execute(_END, values)
        return cursor.rowcount == 1
