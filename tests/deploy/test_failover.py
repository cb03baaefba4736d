"""Two database hosts under Patroni and three members of etcd behind HAProxy (deploy/patroni/), each
host in a network of its own: the leader is killed, cut off, and frozen until it wakes up, while
people sign. Nothing that was acknowledged is lost or counted twice.

FAILOVERS=10 kills ten times, and cuts off and freezes three times each.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from urllib.request import urlopen

import psycopg
import pytest
from django.conf import settings

from tests import equipment
from tests.conftest import free_port
from tests.deploy.stack import running, until
from tests.web.standing import Site

pytestmark = [
    pytest.mark.deploy,
    pytest.mark.once,
    pytest.mark.skipif(os.environ.get("SHORT") == "1", reason="a lease takes 20 seconds to end"),
]

DEPLOY = settings.BASE_DIR / "deploy" / "patroni"
NEEDED = ("etcd", "haproxy", "ip", "setpriv")
# Patroni 3 lets a leader that wakes up take its lease back, and what was acknowledged is lost.
LEAST_PATRONI = 4
PATRONI = (os.environ.get("PATRONI"), "/opt/patroni/bin/patroni", "patroni")
TIMES = int(os.environ.get("FAILOVERS", "1"))
BACK_SECONDS = 30
PACE = 50  # Signatures a second.
NETWORK, BRIDGE = "10.213.7.", "petition-test"


class Node:
    """A database host in a network of its own: Patroni and the PostgreSQL that it starts."""

    def __init__(self, folder: Path, name: str, number: int, etcd: str, patroni: str):
        self.name, self.patroni, self.address = name, patroni, f"{NETWORK}{number}"
        self.network, self.wire = f"{BRIDGE}-{name}", f"petition-{name}"
        self.folder = folder / name
        self.folder.mkdir()
        equipment._account(self.folder)
        self.log = (self.folder / "patroni.log").open("ab")
        text = (DEPLOY / "patroni.yml").read_text("utf-8")
        for word, value in (
            ("NODE_NAME", name), ("REST_ADDRESS", f"{self.address}:8008"),
            ("ETCD_HOSTS", etcd), ("POSTGRES_ADDRESS", f"{self.address}:5432"),
            ("DATA_DIR", self.folder / "data"), ("BIN_DIR", equipment._programs(folder, False)),
            ("PASS_FILE", self.folder / "pass"), ("SOCKET_DIR", self.folder),
            ("hostssl replication replicator DATABASE_NETWORK scram-sha-256",
             f"host replication all {NETWORK}0/24 trust"),
            # The kernel here has none: the rule has to hold without.
            ("mode: required", "mode: off"),
            ("hostssl all all DATABASE_NETWORK scram-sha-256",
             f"host all all {NETWORK}0/24 trust"),
        ):  # fmt: skip
            assert word in text
            text = text.replace(word, str(value))
        (self.folder / "patroni.yml").write_text(text, "utf-8")
        self.process = None

    @contextmanager
    def connected(self):
        forget("link", "del", self.wire)
        forget("netns", "del", self.network)
        ip("netns", "add", self.network)
        try:
            ip("link", "add", self.wire, "type", "veth", "peer", "name", "eth0", "netns",
               self.network)  # fmt: skip
            ip("link", "set", self.wire, "master", BRIDGE, "up")
            for command in (f"addr add {self.address}/24 dev eth0", "link set eth0 up",
                            "link set lo up"):  # fmt: skip
                ip("-n", self.network, *command.split())
            yield
        finally:
            ip("link", "del", self.wire)
            ip("netns", "del", self.network)

    def start(self) -> None:
        self.process = subprocess.Popen(
            ["ip", "netns", "exec", self.network, "setpriv", "--reuid", equipment.ROOT_CANNOT,
             "--regid", "nogroup", "--clear-groups", self.patroni, self.folder / "patroni.yml"],
            stdout=self.log, stderr=self.log, cwd=self.folder, start_new_session=True,
            env=os.environ | {f"PATRONI_{who}_PASSWORD": "sample-password"
                              for who in ("SUPERUSER", "REPLICATION", "REWIND")},
        )  # fmt: skip

    def kill(self) -> None:
        self.send(signal.SIGKILL)
        self.process.wait(20)

    def send(self, how: int) -> None:
        """To all that runs on this host."""
        found = subprocess.run(["pgrep", "-f", str(self.folder)], capture_output=True, text=True)
        mothers = [int(pid) for pid in found.stdout.split()]
        for pid in mothers:
            below = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True)
            for each in [pid, *map(int, below.stdout.split())]:
                with suppress(ProcessLookupError):
                    os.kill(each, how)

    def freeze(self) -> None:
        self.send(signal.SIGSTOP)

    def wake(self) -> None:
        self.send(signal.SIGCONT)

    def cut_off(self) -> None:
        ip("link", "set", self.wire, "down")

    def connect(self) -> None:
        ip("link", "set", self.wire, "up")

    def stop(self) -> None:
        self.wake()
        self.kill()
        self.log.close()

    def says(self, path: str) -> dict:
        with urlopen(f"http://{self.address}:8008/{path}", timeout=2) as answer:
            return json.load(answer)


def ip(*command: str) -> None:
    subprocess.run(["ip", *command], check=True, capture_output=True)


def forget(*command: str) -> None:
    """What a run that was killed has left."""
    with suppress(subprocess.CalledProcessError):
        ip(*command)


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


def program() -> str | None:
    """Patroni, new enough, that other users may run."""
    for path in filter(None, map(shutil.which, filter(None, PATRONI))):
        said = subprocess.run([path, "--version"], capture_output=True, text=True).stdout
        if (version := re.search(r"patroni (\d+)", said)) and int(version[1]) >= LEAST_PATRONI:
            return path
    return None


@contextmanager
def network():
    forget("link", "del", BRIDGE)
    ip("link", "add", BRIDGE, "type", "bridge")
    try:
        ip("addr", "add", f"{NETWORK}1/24", "dev", BRIDGE)
        ip("link", "set", BRIDGE, "up")
        yield
    finally:
        ip("link", "del", BRIDGE)


@contextmanager
def etcd(folder: Path, log):
    """Three members, at the address that every host reaches; gives the addresses for clients."""
    members = {f"member{n}": (2379 + 10 * n, 2380 + 10 * n) for n in range(3)}
    peers = ",".join(f"{name}=http://{NETWORK}1:{port}" for name, (_, port) in members.items())
    with ExitStack() as together:
        for name, (clients, peer) in members.items():
            here, there = f"http://{NETWORK}1:{clients}", f"http://{NETWORK}1:{peer}"
            together.enter_context(
                running(["etcd", "--name", name, "--data-dir", folder / name,
                         "--listen-client-urls", here, "--advertise-client-urls", here,
                         "--listen-peer-urls", there, "--initial-advertise-peer-urls", there,
                         "--initial-cluster", peers], log)
            )  # fmt: skip
        for clients, _ in members.values():
            address = f"http://{NETWORK}1:{clients}/health"
            until(lambda asked=address: urlopen(asked, timeout=1).status == 200)  # noqa: S310
        yield ",".join(f"{NETWORK}1:{clients}" for clients, _ in members.values())


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    if os.geteuid():
        pytest.skip("only root makes networks")
    missing = [name for name in NEEDED if not shutil.which(name)]
    if missing:
        pytest.skip(f"missing: {missing}; apt-get install etcd-server haproxy iproute2")
    if not (patroni := program()):
        pytest.skip("Patroni 4 is missing: docs/high-availability.md says how to get it")
    folder = tmp_path_factory.mktemp("cluster")
    for each in (folder, *folder.parents[:3]):
        os.chmod(each, 0o755)  # noqa: S103 - for the servers' own user.
    writes, reads = free_port(), free_port()
    log = (folder / "everything.log").open("ab")
    with ExitStack() as together:
        together.callback(log.close)
        together.enter_context(network())
        members = together.enter_context(etcd(folder, log))
        nodes = [Node(folder, f"db{n}", 10 + n, members, patroni) for n in (1, 2)]
        for node in nodes:
            together.enter_context(node.connected())
            node.start()
            together.callback(node.stop)
        text = (DEPLOY / "haproxy.cfg").read_text("utf-8")
        for word, value in (
            ("WRITES", f"127.0.0.1:{writes}"), ("READS", f"127.0.0.1:{reads}"),
            ("FIRST_NAME", "db1"), ("SECOND_NAME", "db2"),
            ("FIRST_ADDRESS", f"{nodes[0].address}:5432"), ("FIRST_REST", "8008"),
            ("SECOND_ADDRESS", f"{nodes[1].address}:5432"), ("SECOND_REST", "8008"),
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


def killed(leader: Node) -> None:
    leader.kill()


def started(leader: Node) -> None:
    leader.start()


# What happens to the leader, and how it comes back.
FAULTS = {
    "killed": (killed, started),
    "cut off": (Node.cut_off, Node.connect),
    "frozen": (Node.freeze, Node.wake),
}
TURNS = [f"killed {n}" for n in range(TIMES)] + [
    f"{fault} {n}" for fault in ("cut off", "frozen") for n in range(min(TIMES, 3))
]


@pytest.mark.parametrize("turn", TURNS)
def test_a_leader_that_fails_takes_nothing_with_it_that_was_acknowledged(cluster, site, turn):
    fails, comes_back = FAULTS[turn.rpartition(" ")[0]]
    until(cluster.is_whole, 90)
    leader = cluster.leader()
    with Signers(site, turn.replace(" ", "-")) as signers:
        until(lambda: len(signers.acknowledged) > PACE)
        fails(leader)
        seconds = signers.again_after(time.monotonic())
        before = len(signers.acknowledged)
        until(lambda: len(signers.acknowledged) > before + PACE)
        comes_back(leader)
        until(cluster.is_whole, 90)
        assert cluster.leader() is not leader
        before = len(signers.acknowledged)
        until(lambda: len(signers.acknowledged) > before + PACE)
    print(f"{turn}: signing again after {seconds:.1f} s, {len(signers.acknowledged)} acknowledged")
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
