"""Where long readings go: to the standby that REPLICA_URL names, as long as it is close behind."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections

from petition.ground import waiting
from petition.ground.memory import remember

ALIAS = "replica"
# A worker tells the database every 15 seconds that it lives, so that a standby that follows has
# always repeated something that is younger than this.
MOST_BEHIND = timedelta(seconds=30)
LOOK_SECONDS = 5
PATIENCE_SECONDS = 1.0  # One that hangs leaves a request the time to ask the main one.


@dataclass(frozen=True)
class Source:
    """Which database is read, and up to which moment a standby has everything."""

    alias: str
    as_of: datetime | None = None


MAIN = Source(DEFAULT_DB_ALIAS)


def source() -> Source:
    """The standby, or the main database where there is none that follows."""
    if ALIAS not in connections:
        return MAIN
    return remember("replica", _look, LOOK_SECONDS)


def _look() -> Source:
    """By the main database's clock alone: the standby's may be wrong."""
    try:
        with waiting.at_most(PATIENCE_SECONDS), connections[ALIAS].cursor() as standby:
            standby.execute("SELECT pg_last_xact_replay_timestamp() WHERE pg_is_in_recovery()")
            row = standby.fetchone()
        with connections[DEFAULT_DB_ALIAS].cursor() as main:
            main.execute("SELECT now()")
            (now,) = main.fetchone()
    except DatabaseError:
        connections[ALIAS].close()
        return MAIN
    repeated = row[0] if row else None
    follows = repeated is not None and now - repeated <= MOST_BEHIND
    return Source(ALIAS, repeated) if follows else MAIN
