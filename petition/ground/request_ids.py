"""Which request the running code serves: the proxy's number of it, for log lines and SQL."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from django.conf import settings
from django.db.backends.base.base import BaseDatabaseWrapper

GIVEN = re.compile(r"[0-9a-f]{32}")  # nginx's $request_id; anything else is a visitor's invention.

_current: ContextVar[str] = ContextVar("request_id", default="")


def current() -> str:
    """The number of the request that is served, "" outside of one."""
    return _current.get()


@contextmanager
def serving(given: str) -> Iterator[None]:
    """Within it, a request is served that the proxy has numbered so; without a number it gets
    one."""
    token = _current.set(given if GIVEN.fullmatch(given) else secrets.token_hex(16))
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def tagging(connection: BaseDatabaseWrapper) -> Iterator[None]:
    """Within it, where the log is for programs, statements over this connection are tagged."""
    if settings.LOG_FORMAT == "json" and connection.vendor == "postgresql":
        with connection.execute_wrapper(tagged):
            yield
    else:
        yield


def tagged(execute, sql, params, many, context):
    """An `execute_wrapper` that writes the number before a statement, so that what the database
    logs of a slow or failing one leads to its request."""
    return execute(f"/* {number} */ {sql}" if (number := current()) else sql, params, many, context)
