"""Keeps in a process, for seconds, what every visitor reads: the database is asked once for all."""

from collections.abc import Callable
from typing import TypeVar, cast

from django.core.cache import caches
from django.db import InterfaceError, OperationalError

T = TypeVar("T")
# How long an old figure or text may stand in for a new one.
AN_HOUR = 3600
# How soon a database that did not answer is asked again.
RETRY_SECONDS = 1


def remember(key: str, make: Callable[[], T], seconds: float, last_good_for: float = 0) -> T:
    """What `make` makes, kept for `seconds` under `key` in this process.

    Where the database does not answer, the last value that it gave serves instead, for
    `last_good_for` seconds since it was made. Leave that 0 for whatever must not be shown longer
    than its rule allows, such as a prisoner's case.
    """
    memory, last = caches["process"], f"last-{key}"
    kept = memory.get(key)
    if kept is not None:
        return cast(T, kept)
    try:
        made = make()
    except (OperationalError, InterfaceError):
        kept = memory.get(last)
        if kept is None:
            raise
        memory.set(key, kept, RETRY_SECONDS)
        return cast(T, kept)
    memory.set(key, made, seconds)
    if last_good_for:
        memory.set(last, made, last_good_for)
    return made
