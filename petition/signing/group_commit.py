"""Group commit: acts that come while one is at the database go there together, as one statement.

With a statement for each, every thread has a connection of its own, and as many of the server's
processes take turns on its cores. So each kind of act has one connection in a process, that of
whoever leads: the first who comes. Who comes meanwhile waits; the first of them leads next.
"""

import threading
import time
from collections.abc import Callable, Collection, Hashable
from dataclasses import dataclass, field
from typing import Any, cast

from django.db import (
    DEFAULT_DB_ALIAS,
    DataError,
    IntegrityError,
    OperationalError,
    connection,
    connections,
)
from psycopg import errors

from petition.ground import request_ids, waiting
from petition.ground.postgresql.base import DatabaseWrapper

Row = dict[str, Any]
# Enough for all threads of a process.
MOST = 50
# Where somebody else has a row of the group for longer, all go on by themselves.
LOCK_WAIT = "250ms"
# What the server says where it has kept nothing. After a lost connection nobody knows.
ROLLED_BACK = (errors.LockNotAvailable, errors.DeadlockDetected)


def _woken() -> threading.Lock:
    lock = threading.Lock()
    lock.acquire()
    return lock


@dataclass(eq=False)
class _Act:
    key: Hashable
    row: Row
    # Taken until somebody else has a word for this act.
    woken: threading.Lock = field(default_factory=lambda: _woken())
    leads: bool = False
    in_group: bool = False
    is_found: bool = False
    error: BaseException | None = None


class GroupCommit:
    """`run` does all acts of its rows in one statement over the connection that it is given, and
    returns the keys of those that it found. Two acts with one key are never in one group."""

    def __init__(self, run: Callable[[list[Row], DatabaseWrapper], Collection[Hashable]]):
        self._run = run
        self._lock = threading.Lock()
        self._waiting: list[_Act] = []
        self._is_led = False
        self.connection: DatabaseWrapper | None = None

    def do(self, key: Hashable, row: Row) -> bool:
        """Whether the act found its key. Within a transaction of the caller it is part of that.

        Raises a DatabaseError as the statement does, and where its turn does not come in the time
        that `waiting` leaves.
        """
        if connection.in_atomic_block:
            return self._by_itself(key, row)
        act = _Act(key, row)
        with self._lock:
            self._waiting.append(act)
            if not self._is_led:
                self._is_led = act.leads = True
        if not act.leads:
            self._wait(act)
        if act.leads:
            self._lead()
        if act.error is None:
            return act.is_found
        if act.in_group and _is_rolled_back(act.error):
            return self._by_itself(key, row)
        raise act.error

    def own_connection(self) -> DatabaseWrapper:
        """That of whoever leads."""
        if self.connection is None:
            own = connections.create_connection(DEFAULT_DB_ALIAS)
            own.inc_thread_sharing()  # One thread at a time: who leads.
            self.connection = cast(DatabaseWrapper, own)
        self.connection.close_if_unusable_or_obsolete()
        return self.connection

    def close(self) -> None:
        """End its connection; the next act opens another."""
        if self.connection is not None:
            self.connection.close()

    def _by_itself(self, key: Hashable, row: Row) -> bool:
        return key in self._run([row], cast(DatabaseWrapper, connection))

    def _wait(self, act: _Act) -> None:
        if act.woken.acquire(timeout=waiting.left()):
            return
        with self._lock:
            if act in self._waiting:
                self._waiting.remove(act)
                if act.leads:
                    self._pass_on()
        raise OperationalError("the database did not answer in time")

    def _lead(self) -> None:
        time.sleep(0)  # Who is ready to run goes first, and may come along.
        group = self._take()
        try:
            with request_ids.tagging(own := self.own_connection()):
                found = self._run([act.row for act in group], own)
            for act in group:
                act.is_found = act.key in found
        except BaseException as error:
            for act in group:
                act.error = error
        with self._lock:
            self._pass_on()
        for act in group[1:]:
            act.woken.release()

    def _take(self) -> list[_Act]:
        """Who goes together, the one who leads first."""
        group: dict[Hashable, _Act] = {}
        with self._lock:
            for act in self._waiting:
                if len(group) < MOST:
                    group.setdefault(act.key, act)
            taken = list(group.values())
            self._waiting = [act for act in self._waiting if group.get(act.key) is not act]
        for act in taken:
            act.in_group = len(taken) > 1
        return taken

    def _pass_on(self) -> None:
        self._is_led = bool(self._waiting)
        if self._is_led:
            self._waiting[0].leads = True
            self._waiting[0].woken.release()


def _is_rolled_back(error: BaseException) -> bool:
    if isinstance(error, IntegrityError | DataError):
        return True
    return isinstance(error.__cause__, ROLLED_BACK)
