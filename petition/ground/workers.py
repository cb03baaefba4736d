"""Names a process that works in the background, and tells whether another one is gone."""

import os
import secrets
import socket
from datetime import datetime
from functools import cache

from django.utils import timezone


@cache
def my_name() -> str:
    """`host:pid:chance`, what this process writes on the work that it has in its hands."""
    return f"{socket.gethostname()[:60]}:{os.getpid()}:{secrets.token_hex(4)}"


@cache
def _my_start() -> datetime:
    return timezone.now()


def gone_since(name: str) -> datetime | None:
    """What a worker took into its hands before this moment is nobody's now; None where it may be
    alive. Of another host only a lease can tell."""
    host, pid, _ = name.rsplit(":", 2)
    my_host, my_pid, _ = my_name().rsplit(":", 2)
    if name == my_name() or host != my_host:
        return None
    if pid == my_pid:
        # Our number in an earlier life, as in a container that was started again.
        return _my_start()
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return timezone.now()
    except PermissionError:
        return None
    return None
