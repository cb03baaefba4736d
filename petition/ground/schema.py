"""Changes tables of a site that is in use: no statement here holds up signers for long.

For migrations with `atomic = False`, on PostgreSQL. Each step can be run again after a failure.
"""

import time
from collections.abc import Iterator

from django.db import OperationalError, migrations, transaction
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

LOCK_NOT_AVAILABLE = "55P03"
WAIT = "100ms"
PAUSE_SECONDS = 0.2
TRIES = 300


def alter(editor: BaseDatabaseSchemaEditor, statement: str) -> None:
    """Run a statement that needs a table for itself for a moment.

    While it waits for its lock, everybody else waits behind it. So it waits briefly, and tries
    again. Raises OperationalError where the table was never free in about a minute.
    """
    for tries_left in reversed(range(TRIES)):
        try:
            with transaction.atomic(editor.connection.alias), editor.connection.cursor() as cursor:
                cursor.execute(f"SET LOCAL lock_timeout = '{WAIT}'")
                cursor.execute(statement)
            return
        except OperationalError as error:
            code = getattr(error.__cause__, "sqlstate", None)
            if code != LOCK_NOT_AVAILABLE or not tries_left:
                raise
        time.sleep(PAUSE_SECONDS)


def create_index(
    editor: BaseDatabaseSchemaEditor, name: str, on: str, unique: bool = False
) -> None:
    """CREATE INDEX CONCURRENTLY, `on` being the table and the columns; what a former try left
    unfinished is made anew."""
    with editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT indisvalid FROM pg_index WHERE indexrelid = to_regclass(quote_ident(%s))",
            [name],
        )
        state = cursor.fetchone()
        if state == (True,):
            return
        if state:
            cursor.execute(f"DROP INDEX CONCURRENTLY {name}")
        cursor.execute(f"CREATE {'UNIQUE ' if unique else ''}INDEX CONCURRENTLY {name} ON {on}")


def drop_index(editor: BaseDatabaseSchemaEditor, name: str) -> None:
    with editor.connection.cursor() as cursor:
        cursor.execute(f"DROP INDEX CONCURRENTLY IF EXISTS {name}")


def spans(editor: BaseDatabaseSchemaEditor, table: str, rows: int) -> Iterator[tuple[int, int]]:
    """First and last id of stretches of at most `rows` rows, for statements that commit each."""
    with editor.connection.cursor() as cursor:
        cursor.execute(f"SELECT coalesce(min(id), 0), coalesce(max(id), -1) FROM {table}")  # noqa: S608
        first, last = cursor.fetchone()
    while first <= last:
        yield first, first + rows - 1
        first += rows


def index(name: str, on: str, *, unique: bool = False) -> migrations.RunPython:
    """The operation that makes an index while the table is in use, and its way back: for migrations
    that do this alone, so that they can be run again."""
    kind = "UNIQUE INDEX" if unique else "INDEX"

    def add(apps, editor: BaseDatabaseSchemaEditor) -> None:
        if editor.connection.vendor == "postgresql":
            create_index(editor, name, on, unique)
        else:
            editor.execute(f"CREATE {kind} {name} ON {on}")

    def drop(apps, editor: BaseDatabaseSchemaEditor) -> None:
        if editor.connection.vendor == "postgresql":
            drop_index(editor, name)
        else:
            editor.execute(f"DROP INDEX IF EXISTS {name}")

    return migrations.RunPython(add, drop)


def column(table: str, name: str, kind: str, default: str) -> migrations.RunPython:
    """The operation that adds a column with a constant default, which rewrites no row, and its way
    back. For migrations with `atomic = False`."""

    def add(apps, editor: BaseDatabaseSchemaEditor) -> None:
        if editor.connection.vendor == "postgresql":
            added = f"ADD COLUMN IF NOT EXISTS {name} {kind} NOT NULL DEFAULT {default}"
            alter(editor, f"ALTER TABLE {table} {added}")
        else:
            editor.execute(
                f"ALTER TABLE {table} ADD COLUMN {name} {kind} NOT NULL DEFAULT {default}"
            )

    def drop(apps, editor: BaseDatabaseSchemaEditor) -> None:
        if editor.connection.vendor == "postgresql":
            alter(editor, f"ALTER TABLE {table} DROP COLUMN IF EXISTS {name}")
        else:
            editor.execute(f"ALTER TABLE {table} DROP COLUMN {name}")

    return migrations.RunPython(add, drop)
