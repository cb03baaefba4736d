"""Long readings from a real standby: only while it follows, and never for who has just written."""

import re
import signal
from datetime import timedelta

import pytest
from django.core.cache import caches
from django.core.management import call_command
from django.db import connection, connections

from petition.desk import exports
from petition.ground import replica
from petition.models import Signature
from tests import equipment
from tests.letters.test_sending import wait_until
from tests.making import State, make_coordinator, make_signature

pytestmark = [pytest.mark.postgres, pytest.mark.usefixtures("committed")]
LIST = "/admin/petition/signature/"


@pytest.fixture
def standby():
    """A streaming copy of the tests' own server, as REPLICA_URL names one."""
    main = connection.settings_dict
    url = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**main)
    with equipment.standby(url) as server:
        named(main | {"PORT": server.port})
        try:
            yield server
        finally:
            unnamed()


def named(database: dict) -> None:
    """As REPLICA_URL does it. Django's test case lets a test use the databases alone that were
    there when it began."""
    connections.settings[replica.ALIAS] = database
    its = connections[replica.ALIAS]

    def connect():
        if its.connection is None:
            with its.wrap_database_errors:
                its.connect()

    its.ensure_connection = connect


def unnamed() -> None:
    connections[replica.ALIAS].close()
    del connections.settings[replica.ALIAS]
    del connections[replica.ALIAS]


def ask_standby(sql: str):
    with connections[replica.ALIAS].cursor() as cursor:
        cursor.execute(sql)
        return cursor.fetchone()[0]


def looked_anew() -> str:
    """Which database is read from now on."""
    caches["process"].clear()
    return replica.source().alias


def follows() -> None:
    """Waits until the standby has everything."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_current_wal_insert_lsn()")
        (wanted,) = cursor.fetchone()
    wait_until(lambda: ask_standby(f"SELECT pg_last_wal_replay_lsn() >= '{wanted}'"))


def rows(client) -> tuple[int, bool]:
    """How many signatures the list shows, and whether it says of when it is."""
    page = client.get(LIST, headers={"Accept-Language": "en"}).content.decode()
    return len(re.findall(r"•+@", page)), "As of" in page


def test_lists_come_from_the_standby_and_say_of_when_but_not_for_who_has_just_written(
    standby, client
):
    client.force_login(make_coordinator("moderator"))
    made = make_signature("first@example.org")
    follows()
    assert looked_anew() == replica.ALIAS
    assert rows(client) == (1, True)
    ask_standby("SELECT pg_wal_replay_pause()::text")
    make_signature("second@example.org")
    assert rows(client) == (1, True)
    client.post(LIST, {"action": "hold", "_selected_action": [made.pk]})
    assert rows(client) == (2, False)


def test_a_standby_that_is_behind_or_gone_is_not_asked(standby, monkeypatch):
    make_signature()
    follows()
    assert looked_anew() == replica.ALIAS
    monkeypatch.setattr(replica, "MOST_BEHIND", timedelta(0))
    assert looked_anew() == "default"
    monkeypatch.undo()
    assert looked_anew() == replica.ALIAS
    standby.stop()
    assert looked_anew() == "default"
    assert Signature.objects.using(replica.source().alias).count() == 1


def test_a_standby_that_hangs_stops_nobody(standby, client):
    client.force_login(make_coordinator("moderator"))
    make_signature()
    follows()
    standby.send(signal.SIGSTOP)
    caches["process"].clear()
    for _ in range(4):
        caches["process"].clear()
        assert rows(client) == (1, False)
    standby.send(signal.SIGCONT)


def test_a_server_that_is_no_standby_is_not_asked():
    named(connection.settings_dict)
    try:
        assert looked_anew() == "default"
    finally:
        unnamed()


def test_a_recount_reads_the_standby_and_finds_what_is_wrong_there(standby, capsys):
    make_signature(state=State.COUNTED)
    follows()
    caches["process"].clear()
    call_command("recount")
    assert "All counters agree" in capsys.readouterr().out
    Signature.objects.update(state=State.HELD)
    follows()
    with pytest.raises(SystemExit):
        call_command("recount")


def test_who_has_withdrawn_a_moment_ago_is_not_delivered_from_the_standby(standby):
    made = [
        make_signature(f"s{n}@example.org", State.COUNTED, name=f"Sample {n}", delivery=True)
        for n in range(3)
    ]
    follows()
    caches["process"].clear()
    assert replica.source().alias == replica.ALIAS
    ask_standby("SELECT pg_wal_replay_pause()::text")
    Signature.objects.filter(pk=made[1].pk).update(delivery=False)
    export = exports.begin_delivery(make_coordinator("administrator"), "Sample reason")
    text = b"".join(exports._lines(export)).decode()
    assert [f"Sample {n}" in text for n in range(3)] == [True, False, True]
