"""Connections that give up in time, whatever the server or the network does.

A `statement_timeout` is the server's own and ends nothing where the server hangs, and PgBouncer
may hand a session's setting to somebody else. So the client looks at its watch: each wait ends
after what `petition.ground.waiting` leaves it. A connection that was given up is closed. After
several in a row the breaker lets nobody wait for a while.
"""

import time
from functools import cache
from types import SimpleNamespace

import psycopg
from django.db import DEFAULT_DB_ALIAS
from django.db.backends.postgresql import base
from psycopg import errors

from petition.ground import waiting

LIVES_SECONDS = 1


class Connection(psycopg.Connection):
    """A connection whose every wait has an end."""

    answered_at = float("-inf")
    breaker: waiting.Breaker

    def wait(self, gen, interval=0.1, timeout=None):
        if not self.breaker.may_ask():
            gen.close()
            raise errors.OperationalError("the database has not answered for a while")
        left = waiting.left() if timeout is None else min(timeout, waiting.left())
        try:
            result = super().wait(gen, interval=interval, timeout=left)
        except errors._WaitTimeout as error:
            self.breaker.failed()
            self.pgconn.finish()  # What comes later belongs to nobody.
            raise errors.OperationalError("the database did not answer in time") from error
        self.breaker.answered()
        self.answered_at = time.monotonic()
        return result

    @classmethod
    def _connect_gen(cls, conninfo=""):
        """As psycopg's own, which waits for two seconds and more; it looks up every 0.1 s."""
        if not cls.breaker.may_ask():
            raise errors.OperationalError("the database has not answered for a while")
        gen = super()._connect_gen(conninfo)
        until = time.monotonic() + waiting.left()
        try:
            wanted = next(gen)
            while True:
                ready = yield wanted
                if not ready and time.monotonic() > until:
                    gen.close()
                    cls.breaker.failed()
                    raise errors.OperationalError("the database took no connection in time")
                wanted = gen.send(ready)
        except StopIteration as end:
            cls.breaker.answered()
            return end.value


@cache
def module(alias: str) -> SimpleNamespace:
    """psycopg for one database: a standby that hangs does not stop anybody from asking the main
    one."""

    class Own(Connection):
        breaker = waiting.Breaker(limit=3, rest=0.5)

    return SimpleNamespace(**vars(psycopg) | {"connect": Own.connect})


class DatabaseWrapper(base.DatabaseWrapper):
    """Django's, with our connections."""

    def __init__(self, settings_dict, alias=DEFAULT_DB_ALIAS):
        self.Database = module(alias)
        super().__init__(settings_dict, alias)

    def close_if_health_check_failed(self):
        """Asks a connection whether it lives only where it has not answered for a moment: on a busy
        day that would be a round trip more for each signature."""
        if self.connection and time.monotonic() - self.connection.answered_at < LIVES_SECONDS:
            return
        super().close_if_health_check_failed()

    def bound_by_server(self):
        """A cursor that sends values apart from the statement, which the server then reads once
        and psycopg need not write out. Nothing is prepared: a pool may swap the connection."""
        self.close_if_health_check_failed()
        self.ensure_connection()
        with self.wrap_database_errors:
            return self._prepare_cursor(psycopg.Cursor(self.connection))
