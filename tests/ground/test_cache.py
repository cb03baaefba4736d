"""Redis that hangs, is gone and comes back: it delays one request by a moment, and no more."""

import socket
import threading

import pytest
from redis.exceptions import RedisError

from petition.ground import cache, waiting
from tests.conftest import free_port

pytestmark = pytest.mark.once


class Hanging:
    """Takes connections and never answers, as a frozen server; counts who connected."""

    def __init__(self):
        self.server = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.server.getsockname()[1]
        self.clients: list = []
        threading.Thread(target=self._take, daemon=True).start()

    def _take(self):
        while True:
            try:
                self.clients.append(self.server.accept()[0])
            except OSError:
                return


@pytest.fixture
def breaker(monkeypatch):
    fresh = waiting.Breaker(limit=1, rest=3)
    monkeypatch.setattr(cache, "breaker", fresh)
    return fresh


def test_a_server_that_hangs_is_waited_for_once(breaker):
    hanging = Hanging()
    redis = cache.RedisCache(f"redis://127.0.0.1:{hanging.port}/0", {})
    for _ in range(20):
        with pytest.raises(RedisError):
            redis.get("x")
    assert len(hanging.clients) == 1
    hanging.server.close()


def test_a_server_that_is_gone_is_left_alone_and_asked_again(breaker):
    redis = cache.RedisCache(f"redis://127.0.0.1:{free_port()}/0", {})
    with pytest.raises(RedisError):
        redis.get("x")
    assert not breaker.may_ask()
    breaker.answered()
    assert breaker.may_ask()


def test_a_breaker_lets_one_ask_after_its_rest_and_all_once_it_was_answered(monkeypatch):
    now = [100.0]
    monkeypatch.setattr(waiting.time, "monotonic", lambda: now[0])
    breaker = waiting.Breaker(limit=2, rest=5)
    breaker.failed()
    assert breaker.may_ask()
    breaker.failed()
    assert not breaker.may_ask()
    now[0] += 5
    assert [breaker.may_ask() for _ in range(3)] == [True, False, False]
    breaker.answered()
    assert [breaker.may_ask() for _ in range(3)] == [True, True, True]
