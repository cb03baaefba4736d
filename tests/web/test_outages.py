"""The real web process while its real database is gone, hangs, is full or can only be read: pages
are there all the same, a post is answered at once, and nothing that was acknowledged is lost."""

import os
import signal
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import psycopg
import pytest

from tests import equipment
from tests.web.standing import FALLING, STANDING, Site, every_connection, read_only

# Once: with servers of its own, whatever the other tests run on.
pytestmark = [pytest.mark.postgres, pytest.mark.outage]

# Far from the tens of seconds of a hanging database, and of no machine's speed: bench/outages.py
# measures how long it takes.
PATIENCE = 3


@pytest.fixture(scope="module")
def standing(tmp_path_factory):
    """A site with its database, and copies of its pages."""
    with equipment.server({}) as database:
        site = Site(database.url, tmp_path_factory.mktemp("last-good"))
        site.manage("migrate")
        site.manage("historian", "--once")  # The log, and its files on this host.
        site.start()
        try:
            site.wait_until_warm()
            yield site, database
        finally:
            site.stop()


def check_standing(site: Site) -> None:
    for path in STANDING:
        answer = site.get(path)
        assert (path, answer.status) == (path, 200)
        assert answer.seconds <= PATIENCE, path


def check_posts_are_answered(site: Site) -> None:
    check_signing_is_answered(site)
    answer = site.post("/en/code/", email="typed@example.org", code="ABCD2345")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert "typed@example.org" in answer.text
    assert answer.seconds <= PATIENCE


def check_signing_is_answered(site: Site) -> None:
    """At once, with what was typed, in plain words, and with a time to come back."""
    answer = site.sign("typed@example.org")
    assert (answer.status, answer.headers["Retry-After"]) == (503, "5")
    assert "typed@example.org" in answer.text
    assert "could not be stored" in answer.text
    assert answer.seconds <= PATIENCE


def check_log(site: Site) -> None:
    """Each of many readers gets the whole log, though nobody asked for its files before."""
    size = int(site.get("/log/checkpoint").text.split("\n")[1])
    paths = ["/log/checkpoint", f"/log/tile/0/000.p/{size}", f"/log/tile/entries/000.p/{size}"]
    with ThreadPoolExecutor(30) as readers:
        answers = list(readers.map(site.get, paths * 100))
    assert {answer.status for answer in answers} == {200}


def signatures(database) -> int:
    with psycopg.connect(database.url) as connection:
        return connection.execute("SELECT count(*) FROM petition_signature").fetchone()[0]


def seconds_until_signed(site: Site, address: str) -> float:
    begun = time.monotonic()
    while site.sign(address).status != 303:
        assert time.monotonic() - begun < 10
        time.sleep(0.1)
    return time.monotonic() - begun


def test_pages_and_forms_stand_while_the_database_is_gone_and_after_a_restart(standing):
    site, database = standing
    before = signatures(database)
    assert site.sign("gone-before@example.org").status == 303
    database.stop(signal.SIGQUIT)
    check_standing(site)
    check_posts_are_answered(site)
    site.stop()
    site.start()
    check_standing(site)
    check_posts_are_answered(site)
    for path in FALLING:
        answer = site.get(path)
        assert (path, answer.status) == (path, 503)
        assert "try again in a minute" in answer.text or "/ar/" in path
    check_log(site)
    database.start()
    assert seconds_until_signed(site, "gone-after@example.org") <= PATIENCE
    assert signatures(database) == before + 2
    assert site.get("/en/cases/").status == 200


def test_nothing_waits_while_the_database_hangs(standing):
    site, database = standing
    before = signatures(database)
    assert site.sign("hung-before@example.org").status == 303
    database.send(signal.SIGSTOP)
    for _ in range(3):
        check_posts_are_answered(site)
    check_standing(site)
    assert site.get("/healthz").status == 200
    database.send(signal.SIGCONT)
    assert seconds_until_signed(site, "hung-after@example.org") <= PATIENCE
    # Posts that were given up may have been stored: whoever signs again still counts once.
    assert site.sign("typed@example.org").status == 303
    assert signatures(database) == before + 3


def test_a_database_that_can_only_be_read_takes_no_signature_and_stops_no_page(standing):
    site, database = standing
    read_only(database, "on")
    check_standing(site)
    check_signing_is_answered(site)
    assert site.get("/en/cases/").status == 200
    read_only(database, "off")
    assert seconds_until_signed(site, "read-after@example.org") <= PATIENCE


def test_while_others_have_every_connection_pages_stand_and_posts_are_answered(standing):
    site, database = standing
    before = signatures(database)
    assert site.sign("used-up-before@example.org").status == 303
    with every_connection(database):
        check_standing(site)
        check_posts_are_answered(site)
    assert seconds_until_signed(site, "used-up-after@example.org") <= PATIENCE
    assert signatures(database) == before + 2


@pytest.fixture
def small_disk(tmp_path, monkeypatch):
    """A file system of its own for the database; only root can make one."""
    disk = tmp_path / "disk"
    disk.mkdir()
    made = ["mount", "-t", "tmpfs", "-o", "size=300m,mode=755", "tmpfs", str(disk)]
    if os.getuid() or subprocess.run(made, capture_output=True).returncode:
        pytest.skip("a small file system cannot be mounted here: run it as root")
    for folder in (tmp_path, *tmp_path.parents[:-2]):
        folder.chmod(folder.stat().st_mode | 0o011)  # PostgreSQL's account passes through.
    monkeypatch.setattr(tempfile, "tempdir", str(disk))
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


def test_a_full_disk_loses_nothing_that_was_acknowledged(small_disk, tmp_path):
    with equipment.server({"max_wal_size": "32MB", "min_wal_size": "32MB"}) as database:
        site = Site(database.url, tmp_path / "last-good")
        site.manage("migrate")
        site.start()
        try:
            site.wait_until_warm()
            filler = small_disk / "filler"
            fill(filler)
            acknowledged = sign_until_refused(site)
            check_standing(site)
            check_signing_is_answered(site)
            filler.unlink()
            if database.process.poll() is not None:  # It could not even write its log.
                database.start()
            assert seconds_until_signed(site, "room-again@example.org") <= PATIENCE
            assert signatures(database) >= acknowledged + 1
        finally:
            site.stop()


def fill(path) -> None:
    with path.open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))


def sign_until_refused(site: Site) -> int:
    """How many were acknowledged: pages of tables that had room take some more."""
    for n in range(5000):
        answer = site.sign(f"full{n}@example.org")
        if answer.status != 303:
            assert answer.status == 503
            return n
    raise AssertionError("the disk is not full")
