"""Nothing waits without an end: how long what runs now may still wait for the database.

`petition.ground.postgresql` asks it before each wait. Where nothing is said, as in a worker or a
command, a statement may take WORKER_SECONDS.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

WORKER_SECONDS = 15 * 60

_deadline: ContextVar[float | None] = ContextVar("deadline", default=None)


@contextmanager
def at_most(seconds: float) -> Iterator[None]:
    """Within it, the database is waited for until so many seconds from now, and no longer."""
    until = time.monotonic() + seconds
    outer = _deadline.get()
    token = _deadline.set(until if outer is None else min(until, outer))
    try:
        yield
    finally:
        _deadline.reset(token)


def left() -> float:
    """Seconds that may still be waited; 0 where none are left."""
    until = _deadline.get()
    return WORKER_SECONDS if until is None else max(0.0, until - time.monotonic())


@contextmanager
def turn_of(lock: threading.Lock, seconds: float) -> Iterator[None]:
    """Wait for `lock` for so long, and go on without it after that."""
    mine = lock.acquire(timeout=seconds)
    try:
        yield
    finally:
        if mine:
            lock.release()


class Breaker:
    """Stops asking what has timed out `limit` times in a row, until `rest` seconds have passed;
    then one asks, and all others when it was answered."""

    def __init__(self, limit: int, rest: float):
        self.limit, self.rest = limit, rest
        self._failures, self._closed_until = 0, 0.0
        self._lock = threading.Lock()

    def may_ask(self) -> bool:
        with self._lock:
            if self._failures < self.limit:
                return True
            now = time.monotonic()
            if now < self._closed_until:
                return False
            self._closed_until = now + self.rest  # This one asks; the next after another rest.
            return True

    def failed(self) -> None:
        with self._lock:
            self._failures += 1
            if self._failures >= self.limit:
                self._closed_until = time.monotonic() + self.rest

    def answered(self) -> None:
        if self._failures:
            with self._lock:
                self._failures = 0
