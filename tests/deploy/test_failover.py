"""Two databases under Patroni and etcd behind HAProxy (deploy/patroni/): the leader's host is
killed while people sign. Nothing that was acknowledged is lost or counted twice.

FAILOVERS=10 kills ten times. A leader that is frozen and wakes up needs a watchdog, which is not on
every machine: docs/high-availability.md says what was seen without.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, suppress
from pathlib import Path
from urllib.request import urlopen

import psycopg
import pytest
from django.conf import settings

from tests import equipment
from tests.conftest import free_port
from tests.deploy.test_production import running, until
from tests.web.test_outages import Site

pytestmark = [
    pytest.mark.deploy,
    pytest.mark.once,
    pytest.mark.skipif(os.environ.get("SHORT") == "1", reason="a lease takes 20 seconds to end"),
]

DEPLOY = settings.BASE_DIR / "deploy" / "patroni"
NEEDED = ("patroni", "etcd", "haproxy")
TIMES = int(os.environ.get("FAILOVERS", "1"))
BACK_SECONDS = 30
PACE = 50  # Signatures a second.


class Node:
    """A database host: Patroni and the PostgreSQL that it starts."""

    def __init__(self, folder: Path, name: str, etcd: int):
        self.name, self.port, self.rest = name, free_port(), free_port()
        self.folder = folder / name
        self.folder.mkdir()
        self.account = equipment._account(self.folder)
        self.log = (self.folder / "patroni.log").open("ab")
        text = (DEPLOY / "patroni.yml").read_text("utf-8")
        for word, value in (
            ("NODE_NAME", name), ("REST_ADDRESS", f"127.0.0.1:{self.rest}"),
            ("ETCD_HOSTS", f"127.0.0.1:{etcd}"), ("POSTGRES_ADDRESS", f"127.0.0.1:{self.port}"),
            ("DATA_DIR", self.folder / "data"), ("BIN_DIR", equipment._programs(folder, False)),
            ("PASS_FILE", self.folder / "pass"), ("SOCKET_DIR", self.folder),
            ("hostssl replication replicator DATABASE_NETWORK scram-sha-256",
             "host replication all 127.0.0.1/32 trust"),
            ("mode: required", "mode: off"),
            ("hostssl all all DATABASE_NETWORK scram-sha-256", "host all all 127.0.0.1/32 trust"),
        ):  # fmt: skip
            assert word in text
            text = text.replace(word, str(value))
        (self.folder / "patroni.yml").write_text(text, "utf-8")
        self.process = None

    def start(self) -> None:
        self.process = subprocess.Popen(
            ["patroni", self.folder / "patroni.yml"], stdout=self.log, stderr=self.log,
            cwd=self.folder, start_new_session=True, **self.account,
            env=os.environ | {f"PATRONI_{who}_PASSWORD": "sample-password"
                              for who in ("SUPERUSER", "REPLICATION", "REWIND")},
        )  # fmt: skip

    def send(self, how: int) -> None:
        """To all that runs on this host."""
        found = subprocess.run(["pgrep", "-f", str(self.folder)], capture_output=True, text=True)
        mothers = [int(pid) for pid in found.stdout.split()]
        for pid in mothers:
            below = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True)
            for each in [pid, *map(int, below.stdout.split())]:
                with suppress(ProcessLookupError):
                    os.kill(each, how)

    def stop(self) -> None:
        self.send(signal.SIGCONT)
        self.send(signal.SIGKILL)
        self.process.wait(20)
        self.log.close()

    def says(self, path: str) -> dict:
        with urlopen(f"http://127.0.0.1:{self.rest}/{path}", timeout=2) as answer:
            return json.load(answer)


class Cluster:
    def __init__(self, nodes: list[Node], writes: int):
        self.nodes, self.url = nodes, f"postgres://postgres@127.0.0.1:{writes}/petition"

    def roles(self) -> dict[str, str]:
        for node in self.nodes:
            with suppress(OSError, ValueError):
                return {m["name"]: m["role"] for m in node.says("cluster")["members"]}
        return {}

    def is_whole(self) -> bool:
        """A leader, and a standby without which it acknowledges nothing."""
        return sorted(self.roles().values()) == ["leader", "sync_standby"]

    def create_database(self) -> bool:
        url = self.url.rpartition("/")[0] + "/postgres"
        with psycopg.connect(url, autocommit=True) as first:
            first.execute("CREATE DATABASE petition")
        return True

    def leader(self) -> Node:
        names = [name for name, role in self.roles().items() if role == "leader"]
        return next(node for node in self.nodes if node.name in names)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    missing = [name for name in NEEDED if not shutil.which(name)]
    if missing:
        pytest.skip(f"missing: {', '.join(missing)}; apt-get install patroni etcd-server haproxy")
    folder = tmp_path_factory.mktemp("cluster")
    for each in (folder, *folder.parents[:3]):
        os.chmod(each, 0o755)  # noqa: S103 - for the servers' own user.
    etcd, peers, writes, reads = (free_port() for _ in range(4))
    log = (folder / "everything.log").open("ab")
    with ExitStack() as together:
        together.callback(log.close)
        here = f"http://127.0.0.1:{etcd}"
        peer = f"http://127.0.0.1:{peers}"
        together.enter_context(
            running(["etcd", "--data-dir", folder / "etcd", "--listen-client-urls", here,
                     "--advertise-client-urls", here, "--listen-peer-urls", peer,
                     "--initial-advertise-peer-urls", peer, "--initial-cluster",
                     f"default={peer}"], log)
        )  # fmt: skip
        until(lambda: urlopen(f"{here}/health", timeout=1).status == 200)  # noqa: S310
        nodes = [Node(folder, name, etcd) for name in ("db1", "db2")]
        for node in nodes:
            node.start()
            together.callback(node.stop)
        text = (DEPLOY / "haproxy.cfg").read_text("utf-8")
        for word, value in (
            ("WRITES", f"127.0.0.1:{writes}"), ("READS", f"127.0.0.1:{reads}"),
            ("FIRST_NAME", "db1"), ("SECOND_NAME", "db2"),
            ("FIRST_ADDRESS", f"127.0.0.1:{nodes[0].port}"), ("FIRST_REST", nodes[0].rest),
            ("SECOND_ADDRESS", f"127.0.0.1:{nodes[1].port}"), ("SECOND_REST", nodes[1].rest),
        ):  # fmt: skip
            text = text.replace(word, str(value))
        (folder / "haproxy.cfg").write_text(text)
        made = Cluster(nodes, writes)
        until(made.is_whole, 90)
        together.enter_context(running(["haproxy", "-f", folder / "haproxy.cfg"], log))
        until(made.create_database)
        yield made


@pytest.fixture(scope="module")
def site(cluster, tmp_path_factory):
    made = Site(cluster.url, tmp_path_factory.mktemp("last-good"))
    made.manage("migrate")
    made.start()
    yield made
    made.stop()


class Signers:
    """Sign at PACE, each address once, and note what was acknowledged and when."""

    def __init__(self, site, prefix: str):
        self.site, self.prefix = site, prefix
        self.acknowledged: list[tuple[float, str]] = []
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._sign, args=[n]) for n in range(10)]

    def _sign(self, number: int) -> None:
        turn = 0
        while not self._over.wait(10 / PACE):
            turn += 1
            address = f"{self.prefix}-{number}-{turn}@example.org"
            with suppress(OSError):
                if self.site.sign(address).status == 303:
                    self.acknowledged.append((time.monotonic(), address))

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._over.set()
        for thread in self._threads:
            thread.join()

    def again_after(self, moment: float) -> float:
        """Seconds from a moment to the first signature that was acknowledged after it."""
        found = until(
            lambda: next((at for at, _ in self.acknowledged if at > moment + 0.5), 0),
            BACK_SECONDS * 2,
        )
        return found - moment


@pytest.mark.parametrize("turn", range(TIMES))
def test_a_leader_that_is_killed_takes_nothing_with_it_that_was_acknowledged(cluster, site, turn):
    until(cluster.is_whole, 90)
    leader = cluster.leader()
    with Signers(site, f"killed{turn}") as signers:
        until(lambda: len(signers.acknowledged) > PACE)
        leader.send(signal.SIGKILL)
        leader.process.wait(20)
        seconds = signers.again_after(time.monotonic())
        assert cluster.leader() is not leader
        leader.start()
        until(cluster.is_whole, 90)
        before = len(signers.acknowledged)
        until(lambda: len(signers.acknowledged) > before + PACE)
    print(f"Signing again after {seconds:.1f} s")
    assert seconds <= BACK_SECONDS
    with psycopg.connect(cluster.url) as database:
        stored = database.execute("SELECT count(*) FROM petition_signature").fetchone()[0]
        boxes = database.execute(
            "SELECT count(DISTINCT mailbox_index) FROM petition_signature"
        ).fetchone()[0]
    assert stored == boxes
    assert everyone_is_there(site, [address for _, address in signers.acknowledged])
    site.manage("recount")


def everyone_is_there(site, addresses: list[str]) -> bool:
    """Asks the site's own code, which knows mailboxes by their indexes alone."""
    code = (
        "import sys, json; from petition.models import Signature;"
        "want = json.load(sys.stdin);"
        "found = sum(Signature.objects.of_mailbox(a).exists() for a in want);"
        "print(found == len(want))"
    )
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v", "0", "-c", code], check=True,
        input=json.dumps(addresses),
        env=site.environment, cwd=settings.BASE_DIR, capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout.split()[-1] == "True"
