"""Statements that PostgreSQL keeps as functions, with their plans: planning one anew takes longer
than doing it.

A function's name has a hash of what it does, so that two releases beside each other call each
their own; `migrate` makes those of its release. Where one is missing, as in a database whose
tables alone were restored, the statement is sent as it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from typing import Any

from django.db import ProgrammingError, connection
from psycopg import errors

from petition.ground.postgresql.base import DatabaseWrapper


@dataclass(frozen=True)
class Function:
    """A statement with `%(name)s` for each of its values; `values` says their types. It returns
    rows with columns of the types `gives`, or nothing.

    A statement sees what was committed before it began, and of the rows that it had to wait for
    alone what came after. `afterwards` begins when it has ended, and sees all.
    """

    name: str
    values: Mapping[str, str]
    statement: str
    gives: tuple[str, ...] = ()
    afterwards: str = ""

    @cached_property
    def _body(self) -> str:
        values = {name: f"p_{name}" for name in self.values}
        first = f"{'RETURN QUERY ' if self.gives else ''}{self.statement % values}"
        then = f"; {self.afterwards % values}" if self.afterwards else ""
        wait = "IF p_lock_wait <> '' THEN PERFORM set_config('lock_timeout', p_lock_wait, true); "
        # Foreign keys are looked up within, by the same plans as all else.
        now = "SET CONSTRAINTS ALL IMMEDIATE; "
        return f"{wait}END IF; {now}{first}{then}"

    @cached_property
    def _signature(self) -> str:
        version = sha256(f"{self._takes} {self.gives} {self._body}".encode()).hexdigest()[:12]
        return f"{self.name}_{version}"

    def make(self) -> None:
        """Lay it down in the database, where it is not there yet."""
        with connection.cursor() as cursor:
            cursor.execute("SELECT FROM pg_proc WHERE proname = %s", [self._signature])
            if cursor.fetchone():
                return
            takes = ", ".join(f"p_{name} {kind}" for name, kind in self._takes.items())
            columns = ", ".join(f"o_{n} {kind}" for n, kind in enumerate(self.gives))
            gives = f"TABLE ({columns})" if columns else "void"
            # A plan made while a table was nearly empty would read all of it an hour later.
            cursor.execute(
                f"CREATE OR REPLACE FUNCTION {self._signature}({takes}) RETURNS {gives} "
                "LANGUAGE plpgsql SET enable_seqscan = off "
                f"AS $body$ BEGIN {self._body}; END $body$"
            )

    def call(
        self, values: dict[str, Any], using: DatabaseWrapper, lock_wait: str = ""
    ) -> list[tuple]:
        """What it returns. No lock is waited for longer than `lock_wait`, as PostgreSQL writes
        times, where that is given. Raises a DatabaseError."""
        try:
            with using.bound_by_server() as cursor:
                cursor.execute(self._call, values | {"lock_wait": lock_wait})
                return cursor.fetchall() if self.gives else []
        except ProgrammingError as error:
            if not isinstance(error.__cause__, errors.UndefinedFunction):
                raise
            with using.cursor() as cursor, using.connection.transaction():
                cursor.execute(self.statement, values)
                found = cursor.fetchall() if self.gives else []
                if self.afterwards:
                    cursor.execute(self.afterwards, values)
                return found

    @cached_property
    def _takes(self) -> dict[str, str]:
        return {**self.values, "lock_wait": "text"}

    @cached_property
    def _call(self) -> str:
        given = ", ".join(f"%({name})s::{kind}" for name, kind in self._takes.items())
        return f"SELECT * FROM {self._signature}({given})"  # noqa: S608 - names of ours.
