"""Django's caches, fit for a busy day.

In Redis, a server that does not answer is soon asked no more: after one time-out it is left alone
for some seconds, so that it does not delay every request. In the process, values are kept as they
are: nobody changes what is remembered, and pickling it cost more than a page in memory does.
"""

from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.cache.backends import locmem
from django.core.cache.backends import redis as django_redis
from django.core.cache.backends.base import DEFAULT_TIMEOUT
from redis import ConnectionPool, Redis, exceptions
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel

from petition.ground.waiting import Breaker

SENTINEL = "redis+sentinel://"
breaker = Breaker(limit=1, rest=3)
# Seconds; a healthy server answers in a thousandth of it. A second try would wait twice as long.
OPTIONS: dict[str, Any] = {
    "socket_timeout": 0.2,
    "socket_connect_timeout": 0.2,
    "retry": Retry(NoBackoff(), 0),
}


class _Server(Redis):
    def execute_command(self, *args, **options):
        if not breaker.may_ask():
            raise exceptions.ConnectionError("Redis has not answered for a while")
        try:
            answer = super().execute_command(*args, **options)
        except (exceptions.ConnectionError, exceptions.TimeoutError):
            breaker.failed()
            raise
        breaker.answered()
        return answer


class _Client(django_redis.RedisCacheClient):
    def __init__(self, servers, **options):
        super().__init__(servers, **OPTIONS | options)
        self._client = _Server
        self._watched = _watched(servers[0]) if servers[0].startswith(SENTINEL) else None

    def _get_connection_pool(self, write):
        return self._watched or super()._get_connection_pool(write)


def _watched(address: str) -> ConnectionPool:
    """Connections to the server that the sentinels in the address call the master now; asked again
    for each new one. A password is that of the servers."""
    parts = urlsplit(address)
    account, _, places = parts.netloc.rpartition("@")
    _, service, number = f"{parts.path}/0".split("/")[:3]
    hosts = [urlsplit(f"//{place}") for place in places.split(",")]
    sentinel = Sentinel(
        [(host.hostname, host.port or 26379) for host in hosts],
        sentinel_kwargs=OPTIONS,
        db=int(number or 0),
        password=unquote(account.rpartition(":")[2]) or None,
        **OPTIONS,
    )
    return sentinel.master_for(service).connection_pool


class RedisCache(django_redis.RedisCache):
    """What `CACHE_URL` stands for: a server, a socket, or sentinels that know the server."""

    def __init__(self, server, params):
        super().__init__(server, params)
        self._class = _Client


class ProcessCache(locmem.LocMemCache):
    """Values of this process alone, never copied: whoever reads one must not change it."""

    def get(self, key, default=None, version=None):
        key = self.make_and_validate_key(key, version)
        with self._lock:
            return default if self._has_expired(key) else self._cache[key]

    def set(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        key = self.make_and_validate_key(key, version)
        with self._lock:
            self._set(key, value, timeout)

    def add(self, key, value, timeout=DEFAULT_TIMEOUT, version=None):
        key = self.make_and_validate_key(key, version)
        with self._lock:
            if not self._has_expired(key):
                return False
            self._set(key, value, timeout)
            return True
