"""What a process can be used for now, and why not: for a balancer and for people at night."""

from collections.abc import Iterator

from django.core.cache import cache
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from redis.exceptions import RedisError

from petition.web import installation

# Of PostgreSQL: a standby, or one that takes no writes; commits that wait for a standby that is
# gone.
ASKED = """
SELECT pg_is_in_recovery() OR current_setting('transaction_read_only') = 'on',
  current_setting('synchronous_standby_names') <> ''
  AND current_setting('synchronous_commit') NOT IN ('off', 'local')
  AND NOT EXISTS (SELECT FROM pg_stat_replication)
"""


def uses() -> dict[str, str]:
    """`{use: why not}`, the reason empty where it can be used."""
    database = _database()
    return {
        "sign": database,
        # Pages come from memory, for an hour, whatever the database does.
        "read": "",
        "desk": database or _cache(),
    }


def notes() -> Iterator[str]:
    """What does not stop anything and should be known."""
    if why := _cache():
        yield f"{why}: attempts are not limited"
    try:
        if _unknown_migrations():
            yield "the database is of a newer release than this process"
    except DatabaseError:
        pass


def _database() -> str:
    try:
        executor = MigrationExecutor(connection)
        if executor.migration_plan(executor.loader.graph.leaf_nodes()):
            return "migrations are not applied: manage.py migrate"
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(ASKED)
                is_read_only, waits_for_standby = cursor.fetchone()
            if is_read_only:
                return "the database takes no writes"
            if waits_for_standby:
                return "commits wait for a standby that is gone"
        installation.check_keys()
    except installation.Wrong as error:
        return str(error)
    except DatabaseError:
        return "the database does not answer"
    return ""


def _unknown_migrations() -> bool:
    loader = MigrationExecutor(connection).loader
    return any(key not in loader.disk_migrations for key in loader.applied_migrations)


def _cache() -> str:
    try:
        cache.set("readyz", "ok", 10)
        well = cache.get("readyz") == "ok"
    except (OSError, RedisError):
        well = False
    return "" if well else "the cache does not answer"
