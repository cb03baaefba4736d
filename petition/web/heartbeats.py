"""Which workers live: each tells the database every few seconds, from whichever host."""

import socket
import threading
import time

from django.db import DatabaseError, connection
from django.db.models import Max
from django.db.models.functions import Now

from petition.models import Heartbeat

EVERY_SECONDS = 15
WORKERS = ("mailer", "sweeper", "historian")
_last: dict[str, float] = {}
_lock = threading.Lock()


def beat(worker: str) -> None:
    """Says that a worker of this host lives, every EVERY_SECONDS at most. Where the database does
    not answer it is silent, as it should be."""
    with _lock:
        now = time.monotonic()
        if now - _last.get(worker, float("-inf")) < EVERY_SECONDS:
            return
        _last[worker] = now
    if connection.in_atomic_block:
        return  # The next one will do: nothing of others' work is to hang on it.
    try:
        Heartbeat.objects.update_or_create(
            worker=worker, host=socket.gethostname()[:60], defaults={"at": Now()}
        )
    except DatabaseError:
        connection.close()


def silent_seconds() -> dict[str, float | None]:
    """For how long nothing was heard of each kind of worker, from whichever host, by the database's
    clock; None where it never ran."""
    heard = Heartbeat.objects.values("worker").annotate(last=Max("at"), now=Now())
    found = {row["worker"]: (row["now"] - row["last"]).total_seconds() for row in heard}
    return {worker: found.get(worker) for worker in WORKERS}
