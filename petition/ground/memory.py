"""Keeps in a process, for seconds, what every visitor reads; keeps the last good value for when the
database does not answer; tells all processes that something public has changed."""

import itertools
import logging
import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeVar, cast

from django.core.cache import caches
from django.db import InterfaceError, InternalError, OperationalError

logger = logging.getLogger(__name__)

T = TypeVar("T")
# How long an old figure or text may stand in for a new one.
AN_HOUR = 3600
# How soon a database that did not answer is asked again.
RETRY_SECONDS = 1
# How often at most a value is written down, and another process is asked what it changed.
WRITE_SECONDS = 30
LISTEN_SECONDS = 0.5
# The database is gone, slow, full or read-only (InternalError): anything but a mistake of ours.
UNAVAILABLE = (OperationalError, InterfaceError, InternalError)

Turn = tuple[int, str]  # Changes of this process, and the last one of another.
_SHARED = "turn"
_changes = itertools.count(1)
_turn = {"here": 0}
_STANDING_IN = "standing-in"


def remember(key: str, make: Callable[[], T], seconds: float, last_good_for: float = 0) -> T:
    """What `make` makes, kept for `seconds` under `key` in this process.

    Where the database does not answer, the last value that it gave serves instead, for
    `last_good_for` seconds since it was made, also after a restart. Leave that 0 for whatever must
    not be shown longer than its rule allows, such as a prisoner's case.
    """
    memory, last = caches["process"], f"last-{key}"
    kept = memory.get(key)
    if kept is not None:
        return cast(T, kept)
    try:
        made = make()
    except UNAVAILABLE:
        kept = memory.get(last)
        if kept is None and last_good_for:
            kept, age = written_down(key) or (None, 0)
            if kept is not None:
                memory.set(last, kept, last_good_for - age)
        if kept is None:
            raise
        memory.set(key, kept, RETRY_SECONDS)
        memory.set(_STANDING_IN, True, RETRY_SECONDS)
        return cast(T, kept)
    memory.set(key, made, seconds)
    if last_good_for:
        memory.set(last, made, last_good_for)
        write_down(key, made)
    return made


def is_standing_in() -> bool:
    """An old value serves now, so that what is made of it says nothing of this moment."""
    return bool(caches["process"].get(_STANDING_IN))


# --- What outlives a restart --------------------------------------------------------------------


def write_down(key: str, value: Any, every: float = WRITE_SECONDS) -> None:
    """Keep `value` outside this process for an hour, at most once in `every` seconds. Does without
    where that fails: nothing hangs on it as long as all is well."""
    if not caches["process"].add(f"written-{key}", True, every):
        return
    try:
        caches["last_good"].set(key, (time.time(), value), AN_HOUR)
    except Exception as error:  # A full disk, another user's file.
        logger.warning("A last good copy could not be written: %s", type(error).__name__)


def written_down(key: str) -> tuple[Any, float] | None:
    """The value that was last written down under `key` and its age in seconds, at most an hour."""
    try:
        found = caches["last_good"].get(key)
    except Exception as error:  # Written by another release, or half.
        logger.warning("A last good copy could not be read: %s", type(error).__name__)
        return None
    if found is None:
        return None
    written_at, value = found
    # A clock that was set back makes a copy as old as it may be, not younger.
    age = time.time() - written_at
    return value, age if 0 <= age <= AN_HOUR else AN_HOUR


# --- Changes ------------------------------------------------------------------------------------


def change() -> None:
    """Something public has changed: pages in memory are old now, here at once, in other processes
    that share the cache within LISTEN_SECONDS."""
    _turn["here"] = next(_changes)
    try:
        caches["default"].set(_SHARED, secrets.token_hex(8), AN_HOUR)
    except Exception as error:  # Whatever a lost cache raises: elsewhere pages age in seconds.
        logger.warning("Other processes were not told of a change: %s", type(error).__name__)


def turn() -> Turn:
    """Differs from an earlier one where something public has changed since."""
    heard = caches["process"].get(_SHARED)
    if heard is None:
        heard = ""
        with suppress(Exception):  # As above; where attempts are counted it is said.
            heard = caches["default"].get(_SHARED, "")
        caches["process"].set(_SHARED, heard, LISTEN_SECONDS)
    return _turn["here"], heard
