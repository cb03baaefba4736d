"""Redis at a socket, and two servers under three sentinels, of which the leader is killed."""

import os
import shutil
import subprocess
import time
from contextlib import ExitStack, suppress

import pytest
from redis import Redis
from redis.exceptions import RedisError

from campaign_site import environment
from petition.ground import cache, waiting
from tests.conftest import free_port
from tests.deploy.stack import running, until

pytestmark = [pytest.mark.deploy, pytest.mark.once]

DOWN_SECONDS = 1


@pytest.fixture(autouse=True)
def _needed(monkeypatch):
    if not shutil.which("redis-server"):
        assert os.environ.get("REQUIRE_ALL") != "1"
        pytest.skip("redis-server is missing; apt-get install redis-server")
    monkeypatch.setattr(cache, "breaker", waiting.Breaker(limit=1, rest=0.2))


def cache_of(address: str) -> cache.RedisCache:
    found = environment.cache(address)
    return cache.RedisCache(found["LOCATION"], {})


def test_a_socket_is_a_cache_as_a_port_is(tmp_path):
    place = tmp_path / "redis.sock"
    command = ["redis-server", "--port", "0", "--unixsocket", str(place), "--save", ""]
    with running(command, subprocess.DEVNULL):
        until(place.exists)
        kept = cache_of(f"unix://{place}?db=2")
        kept.set("sample", 1)
        assert kept.incr("sample") == 2
        assert Redis(unix_socket_path=str(place), db=2).dbsize() == 1


def test_a_leader_that_is_killed_is_followed_by_the_other_one(tmp_path):
    with ExitStack() as together:
        first, second, servers = pair(together, tmp_path)
        # Not before: until a server has its port, any connection of this machine may take it.
        watchers = [free_port() for _ in range(3)]
        for port in watchers:
            file = tmp_path / f"sentinel-{port}.conf"
            file.write_text(
                f"port {port}\ndir {tmp_path}\n"
                f"sentinel monitor petition 127.0.0.1 {first} 2\n"
                f"sentinel down-after-milliseconds petition {DOWN_SECONDS * 1000}\n"
                "sentinel failover-timeout petition 5000\n"
            )
            command = ["redis-server", str(file), "--sentinel"]
            log = together.enter_context((tmp_path / f"sentinel-{port}.log").open("w"))
            together.enter_context(running(command, log))
        knows = [Redis(port=port) for port in watchers]
        try:
            until(lambda: all(knows_all(sentinel) for sentinel in knows))
        except AssertionError:
            said = [log.read_text() for log in tmp_path.glob("sentinel-*.log")]
            raise AssertionError("\n".join(["a sentinel does not know all", *said])) from None
        places = ",".join(f"127.0.0.1:{port}" for port in watchers)
        kept = cache_of(f"redis+sentinel://{places}/petition/1")
        kept.set("attempts", 1)
        until(lambda: Redis(port=second, db=1).dbsize() == 1)
        servers[first].kill()
        began = time.monotonic()

        def counted() -> int | None:
            with suppress(RedisError):
                return kept.incr("attempts")

        while not (value := counted()):
            assert time.monotonic() - began < 20
            time.sleep(0.05)
        assert value == 2  # What was counted before is known to the other one.
        assert Redis(port=second).info("replication")["role"] == "master"


def pair(together: ExitStack, folder) -> tuple[int, int, dict]:
    """A leader and who follows it, on ports that nobody took meanwhile: else once more."""
    for _ in range(4):
        first, second = free_port(), free_port()
        servers = {
            port: together.enter_context(
                running(["redis-server", "--port", str(port), "--save", "", "--dir", folder,
                         *(["--replicaof", "127.0.0.1", str(first)] if port != first else [])],
                        subprocess.DEVNULL)
            )
            for port in (first, second)
        }  # fmt: skip
        with suppress(AssertionError):
            until(lambda: replication(second).get("master_link_status") == "up", 10)  # noqa: B023
            return first, second, servers
    raise AssertionError("no pair of servers came up")


def replication(port: int) -> dict:
    """What a server says of it; nothing before it listens."""
    with suppress(RedisError):
        return Redis(port=port).info("replication")
    return {}


def knows_all(sentinel: Redis) -> bool:
    with suppress(RedisError):
        state = sentinel.sentinel_masters()["petition"]
        return (state["num-other-sentinels"], state["num-slaves"]) == (2, 1)
    return False
