"""What must be right before a process begins: the data keys are those of this database, and letters
are sent from the database that sent them before, not from a restored copy of it."""

import sys
from collections.abc import Callable

from django.core.cache import caches
from django.db import DatabaseError, connection
from django.utils import timezone

from petition.ground import encryption, memory, waiting
from petition.models import Installation

CRISIS_LOOK_SECONDS = 5
# How long a page, and the start of a process, wait for the database to say what it knows.
PAGE_WAITS_SECONDS, START_WAITS_SECONDS = 0.1, 3


class Wrong(Exception):
    """Why this process must not begin, in one line."""


def check_keys() -> None:
    """Compare DATA_KEYS with the key that this database is in use with. Another one would take each
    mailbox for a new one. Raises Wrong, or a DatabaseError."""
    fingerprints = encryption.indexes("data keys", "fingerprint")
    kept = _row().keys
    if kept is None:
        Installation.objects.filter(pk=1, keys=None).update(keys=fingerprints[0])
    elif bytes(kept) not in fingerprints:
        raise Wrong(
            "DATA_KEYS: none of these keys is the one that this database is in use with. "
            "Set the keys of the other hosts."
        )


def keys_are_rotated() -> None:
    """From now on a process needs the first of DATA_KEYS."""
    _row()
    current = encryption.index("data keys", "fingerprint")
    Installation.objects.filter(pk=1).update(keys=current)


def check_database(*, adopt: bool = False) -> None:
    """Refuse to send from a database that was restored elsewhere, until `adopt` says that it is the
    one in use: its letters were sent already. Raises Wrong."""
    here, row = _identity(), _row()
    if not row.database or adopt:
        Installation.objects.filter(pk=1).update(database=here)
    elif row.database != here:
        raise Wrong(
            "This is a copy of the database that letters were sent from: they would go out again. "
            "If it takes the place of the former one: manage.py mailer --adopt"
        )


def set_crisis(*, on: bool) -> None:
    """Let pages stand still, or go on; every process knows within CRISIS_LOOK_SECONDS."""
    _row()
    Installation.objects.filter(pk=1).update(crisis_since=timezone.now() if on else None)


def in_crisis() -> bool:
    """Whether pages stand still: asked of the database every few seconds, and believed for an hour
    where it does not answer."""
    try:
        with waiting.at_most(PAGE_WAITS_SECONDS):
            return memory.remember("crisis", is_crisis, CRISIS_LOOK_SECONDS, memory.AN_HOUR)
    except DatabaseError:
        # It never answered, or is older than this release. Not asked again for as long.
        caches["process"].set("crisis", False, CRISIS_LOOK_SECONDS)
        return False


def is_crisis() -> bool:
    """What the database says at this moment."""
    return Installation.objects.filter(crisis_since__isnull=False).exists()


def stop_where_wrong(check: Callable[[], None]) -> None:
    """End this process with the one line. Where the database does not answer it begins all the
    same: it serves what it has, and `/readyz` says what is wrong later."""
    try:
        with waiting.at_most(START_WAITS_SECONDS):
            check()
    except Wrong as error:
        sys.exit(str(error))
    except DatabaseError:
        pass


def _row() -> Installation:
    return Installation.objects.get_or_create(pk=1)[0]


def _identity() -> str:
    """The cluster, the table in it, and what `deploy/restore` has written: all are the same on a
    standby that takes over, and others where a dump or a backup was restored."""
    if connection.vendor != "postgresql":
        return "sqlite"
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 'petition_installation'::regclass::oid "
            "|| coalesce('/' || nullif(current_setting('petition.restored', true), ''), '')"
        )
        (table,) = cursor.fetchone()
        cursor.execute("SELECT has_function_privilege('pg_control_system()', 'execute')")
        if cursor.fetchone() == (True,):
            cursor.execute("SELECT system_identifier FROM pg_control_system()")
            return f"{cursor.fetchone()[0]}/{table}"
    return f"/{table}"
