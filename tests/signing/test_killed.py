"""A process that is killed at any statement of signing, confirming and withdrawing: what was
acknowledged is there, nothing counts twice, and doing it again comes to a right end."""

import os
import signal
import threading
import time

import pytest
from django.db import connection
from django.test import Client

from petition.ground import links
from petition.log import events
from petition.models import Letter, LogEvent, Signature
from petition.signing import statements, tallies
from tests.making import State, filled_form

pytestmark = [
    pytest.mark.postgres,
    pytest.mark.usefixtures("committed"),
    # Python 3.12 and later: other tests may have left a thread.
    pytest.mark.filterwarnings("ignore:.*multi-threaded.*fork:DeprecationWarning"),
    pytest.mark.skipif(not hasattr(os, "fork"), reason="kills a process of its own"),
]

ADDRESS = "someone@example.org"
ACKNOWLEDGED, REFUSED = 0, 9
MOST_STATEMENTS = 40


def path_of(kind: str) -> str:
    reference = Signature.objects.values_list("reference", flat=True).get()
    return f"/en/{kind}/{links.token(kind, reference)}/"


def make_pending() -> None:
    Client().post("/en/sign/", filled_form(email=ADDRESS))


def make_counted() -> None:
    make_pending()
    assert Client().post(path_of("confirm")).status_code == 303


ACTS = {
    "sign": (lambda: None, lambda: ("/en/sign/", filled_form(email=ADDRESS))),
    "sign again": (make_pending, lambda: ("/en/sign/", filled_form(email=ADDRESS))),
    "confirm": (make_pending, lambda: (path_of("confirm"), {})),
    "withdraw": (make_counted, lambda: (path_of("withdraw"), {})),
    "withdraw unconfirmed": (make_pending, lambda: (path_of("withdraw"), {})),
}


class Dies:
    """Ends the process at a statement, before it is sent or after it was answered."""

    def __init__(self, number: int, when: str):
        self.number, self.when, self.seen = number, when, 0

    def __call__(self, execute, sql, params, many, context):
        self.seen += 1
        if self.seen == self.number and self.when == "before":
            os.kill(os.getpid(), signal.SIGKILL)
        answer = execute(sql, params, many, context)
        if self.seen == self.number and self.when == "after":
            os.kill(os.getpid(), signal.SIGKILL)
        return answer


def in_another_process(path: str, form: dict, dies=None, after_seconds: float | None = None) -> int:
    """How the process ended that posted: its own code, or minus the signal that killed it."""
    child = os.fork()
    if child:
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    try:
        # The parent's connections stay open, and are not used here.
        kept = [connection.connection, *(group.connection for group in statements.GROUPS)]
        connection.connection = None
        for group in statements.GROUPS:
            group.connection = None
        if after_seconds is not None:
            killer = threading.Timer(after_seconds, os.kill, (os.getpid(), signal.SIGKILL))
            connection.ensure_connection()
            killer.start()
        if dies:
            for each in (connection, *(group.own_connection() for group in statements.GROUPS)):
                each.execute_wrappers.append(dies)
        status = Client(raise_request_exception=False).post(path, form).status_code
        del kept
        os._exit(ACKNOWLEDGED if status == 303 else REFUSED)
    finally:
        os._exit(REFUSED)


def assert_right(act: str, *, acknowledged: bool) -> None:
    """Counters, rows and log tell the same, and what was acknowledged is there."""
    assert tallies.recount() == []
    # What the log will say of it was written with it.
    assert events.waiting() == (tallies.read_counter().online, 0)
    assert Signature.objects.count() <= 1
    if acknowledged:
        wanted = {"sign": "pending", "sign again": "pending", "confirm": "counted"}
        assert Signature.objects.get().state == wanted.get(act, State.WITHDRAWN)
        if act == "sign":
            assert Letter.objects.filter(state="due").exists()


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("act", ACTS)
def test_killed_at_each_statement(act, when, settings):
    settings.RATELIMIT_ENABLE = False
    prepare, ask = ACTS[act]
    number, ended = 0, -signal.SIGKILL
    while ended == -signal.SIGKILL:
        number += 1
        assert number < MOST_STATEMENTS
        _begin_anew(prepare)
        path, form = ask()
        before = connections()
        ended = in_another_process(path, form, Dies(number, when))
        assert ended in (ACKNOWLEDGED, -signal.SIGKILL)
        _wait_for_the_server(before)
        assert_right(act, acknowledged=ended == ACKNOWLEDGED)
        # Its owner tries again: a right end in any case, counted once at most.
        if (ended and Signature.objects.exclude(state=State.WITHDRAWN).exists()) or act == "sign":
            assert Client().post(path, form).status_code == 303
            assert_right(act, acknowledged=True)
    assert number > 1


@pytest.mark.parametrize("act", ACTS)
def test_killed_at_any_moment(act, settings):
    """The server may be at work on the statement of a process that is gone."""
    settings.RATELIMIT_ENABLE = False
    prepare, ask = ACTS[act]
    for n in range(12):
        _begin_anew(prepare)
        path, form = ask()
        before = connections()
        ended = in_another_process(path, form, after_seconds=n * 0.0015)
        _wait_for_the_server(before)
        assert_right(act, acknowledged=ended == ACKNOWLEDGED)


def _begin_anew(prepare) -> None:
    for model in (Letter, Signature):
        model.objects.all().delete()
    tallies.mend()
    LogEvent.objects.all().delete()
    prepare()


def connections() -> set[int]:
    """Of this database, but for this one."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
        )
        return {pid for (pid,) in cursor.fetchall()}


def _wait_for_the_server(before: set[int]) -> None:
    """Until it has ended what the killed process had asked for."""
    until = time.monotonic() + 20
    while connections() - before:
        assert time.monotonic() < until, "a connection of a dead process is still open"
        time.sleep(0.01)
