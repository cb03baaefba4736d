"""Django's caches, fit for a busy day.

In Redis, a server that does not answer is soon asked no more: after one time-out it is left alone
for some seconds, so that it does not delay every request. In the process, values are kept as they
are: nobody changes what is remembered, and pickling it cost more than a page in memory does.
"""

from django.core.cache.backends import locmem
from django.core.cache.backends import redis as django_redis
from django.core.cache.backends.base import DEFAULT_TIMEOUT
from redis import Redis, exceptions
from redis.backoff import NoBackoff
from redis.retry import Retry

from petition.ground.waiting import Breaker

breaker = Breaker(limit=1, rest=3)
# Seconds; a healthy server answers in a thousandth of it. A second try would wait twice as long.
OPTIONS = {
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
    def __init__(self, *args, **options):
        super().__init__(*args, **OPTIONS | options)
        self._client = _Server


class RedisCache(django_redis.RedisCache):
    """What `CACHE_URL=redis://…` stands for."""

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
