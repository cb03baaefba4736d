"""Who signs or confirms while somebody else does goes to the database with all who do so: nobody
is lost among them, and what is wrong with one is nobody else's trouble."""

import threading
import time
from collections import Counter
from contextlib import contextmanager

import psycopg
import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from petition.campaign import texts
from petition.ground import links, waiting
from petition.ground.postgresql import base
from petition.models import Attempt, ConsentText, Letter, Signature, Tally
from petition.signing import group_commit, signatures, statements, tallies
from tests.making import State, make_signature

pytestmark = [pytest.mark.postgres, pytest.mark.usefixtures("committed")]

PATIENCE_SECONDS = 20
OTHERS = "FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname = current_database()"


@contextmanager
def elsewhere():
    """A connection of somebody else."""
    about = connection.settings_dict
    with psycopg.connect(
        host=about["HOST"], port=about["PORT"], user=about["USER"], password=about["PASSWORD"],
        dbname=about["NAME"],
    ) as other:  # fmt: skip
        yield other


class People:
    """Each does something in a thread; `errors` are the kinds of what they were told."""

    def __init__(self):
        self.threads, self.errors = [], Counter()

    def come(self, act, *args, seconds: float = PATIENCE_SECONDS, **kwargs) -> threading.Thread:
        def run():
            try:
                with waiting.at_most(seconds):
                    act(*args, **kwargs)
            except DatabaseError as error:
                self.errors[type(error).__name__] += 1
            finally:
                connection.close()

        thread = threading.Thread(target=run, daemon=True)
        self.threads.append(thread)
        thread.start()
        return thread

    def go(self):
        for thread in self.threads:
            thread.join(PATIENCE_SECONDS)
            assert not thread.is_alive()


def sign(who: str, **changes) -> None:
    signatures.sign(
        **{
            "name": f"Sample {who}", "email": f"{who}@example.org", "country": "MA",
            "track": None, "updates": False, "delivery": False, "language": "fr",
            "consent": texts.consent_shown(None, "fr"), **changes,
        }
    )  # fmt: skip


def until(true) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < end
        time.sleep(0.005)


@contextmanager
def busy(people: People, group, act, *args):
    """Somebody is at the database and does not come back before the end."""
    with elsewhere() as other:
        other.execute(f"LOCK TABLE {Tally._meta.db_table} IN EXCLUSIVE MODE")
        first = people.come(act, *args)
        until(lambda: group._is_led and not group._waiting)
        yield
        other.rollback()
    first.join(PATIENCE_SECONDS)


def all_wait(how_many: int, group) -> None:
    until(lambda: len(group._waiting) == how_many)


def transactions() -> list[int]:
    """How many signatures each wrote, the fewest first."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM petition_signature GROUP BY xmin::text ORDER BY 1")
        return [n for (n,) in cursor.fetchall()]


def names() -> set[str]:
    return {signature.name for signature in Signature.objects.all()}


def test_all_who_sign_meanwhile_are_stored_together():
    people = People()
    with busy(people, statements.SIGNING, sign, "first"):
        for name in "abcdefghij":
            people.come(sign, name)
        all_wait(10, statements.SIGNING)
    people.go()
    assert not people.errors
    assert names() == {"Sample first", *(f"Sample {name}" for name in "abcdefghij")}
    assert transactions() == [1, 10]
    assert Letter.objects.filter(state="due").count() == 11
    assert tallies.recount() == []


def test_who_signs_twice_meanwhile_is_one_signature_with_two_versions():
    people = People()
    with busy(people, statements.SIGNING, sign, "first"):
        for version in range(2):
            people.come(sign, "a", name=f"Sample {'AB'[version]}")
            all_wait(1 + version, statements.SIGNING)
        people.come(sign, "b")
        all_wait(3, statements.SIGNING)
    people.go()
    assert not people.errors
    assert names() == {"Sample first", "Sample A", "Sample b"}
    assert [attempt.name for attempt in Attempt.objects.all()] == ["Sample B"]
    assert tallies.recount() == []


def test_all_who_confirm_meanwhile_are_counted_together():
    former, *pending = people_who_have_signed(7)
    people = People()
    with busy(people, statements.CONFIRMING, confirm, former):
        for signature in pending:
            people.come(confirm, signature)
        all_wait(6, statements.CONFIRMING)
    people.go()
    assert not people.errors
    assert Signature.objects.filter(state=State.COUNTED).count() == 7
    assert transactions() == [1, 6]
    assert tallies.recount() == []


def test_who_cannot_confirm_hears_so_among_those_who_can():
    former, good, late = people_who_have_signed(3)
    Signature.objects.filter(pk=late.pk).update(
        signed_at=timezone.now() - Signature.PENDING_FOR * 2
    )
    told, people = [], People()

    def confirm_late():
        try:
            confirm(late)
        except signatures.LinkExpired:
            told.append("expired")

    with busy(people, statements.CONFIRMING, confirm, former):
        people.come(confirm, good)
        people.come(confirm_late)
        all_wait(2, statements.CONFIRMING)
    people.go()
    assert told == ["expired"]
    late.refresh_from_db()
    assert (late.state, Signature.objects.counted().count()) == (State.PENDING, 2)


def people_who_have_signed(how_many: int) -> list[Signature]:
    return [make_signature(f"sample{n}@example.org") for n in range(how_many)]


def confirm(signature: Signature) -> None:
    assert signatures.confirm(links.token(links.CONFIRM, signature.reference))


def test_what_is_wrong_with_one_stops_none_of_the_others():
    people = People()
    unknown = ConsentText(pk=10_000)  # Refused when all is to be committed.
    with busy(people, statements.SIGNING, sign, "first"):
        people.come(sign, "a")
        people.come(sign, "wrong", consent=unknown)
        people.come(sign, "b")
        all_wait(3, statements.SIGNING)
    people.go()
    assert people.errors == {"IntegrityError": 1}
    assert names() == {"Sample first", "Sample a", "Sample b"}
    assert tallies.recount() == []


def test_who_is_held_up_by_somebody_else_holds_up_none_of_the_others():
    """As a coordinator's act that has one signature in its hands."""
    sign("held")
    people = People()
    with elsewhere() as other:
        other.execute(f"SELECT FROM {Signature._meta.db_table} FOR UPDATE")
        with busy(people, statements.SIGNING, sign, "first"):
            slow = people.come(sign, "held", name="Sample again")
            others = [people.come(sign, name) for name in "ab"]
            all_wait(3, statements.SIGNING)
        for thread in others:
            thread.join(PATIENCE_SECONDS)
        assert slow.is_alive()  # It still waits, and nobody else does.
        assert names() == {"Sample held", "Sample first", "Sample a", "Sample b"}
        other.rollback()
    people.go()
    assert not people.errors
    assert [attempt.name for attempt in Attempt.objects.all()] == ["Sample again"]


def test_whose_turn_does_not_come_in_time_is_told_so_and_not_stored():
    people = People()
    with busy(people, statements.SIGNING, sign, "first"):
        late = people.come(sign, "late", seconds=0.1)
        all_wait(1, statements.SIGNING)
        people.come(sign, "a")
        all_wait(2, statements.SIGNING)
        late.join(PATIENCE_SECONDS)
        assert people.errors == {"OperationalError": 1}
        all_wait(1, statements.SIGNING)
    people.go()
    assert names() == {"Sample first", "Sample a"}
    assert transactions() == [1, 1]


class OpenedTooLate:
    """What somebody waits at, who gives up just when it is their turn to lead."""

    def __init__(self, group):
        self.group = group

    def acquire(self, timeout: float) -> bool:
        with self.group._lock:
            self.group._pass_on()
        return False

    def release(self) -> None:
        pass


def test_after_one_who_gave_up_just_when_it_was_their_turn_the_next_goes(monkeypatch):
    group = group_commit.GroupCommit(lambda rows, using: [row["key"] for row in rows])
    group._is_led = True  # Somebody is at the database.
    with monkeypatch.context() as patch:
        patch.setattr(group_commit, "_woken", lambda: OpenedTooLate(group))
        with pytest.raises(DatabaseError, match="in time"):
            group.do("late", {"key": "late"})
    with waiting.at_most(1):
        assert group.do("next", {"key": "next"})
    group.close()


def test_after_one_who_waited_in_vain_at_the_database_the_next_goes():
    people = People()
    with elsewhere() as other:
        other.execute(f"LOCK TABLE {Tally._meta.db_table} IN EXCLUSIVE MODE")
        people.come(sign, "first", seconds=0.2)
        until(lambda: statements.SIGNING._is_led and not statements.SIGNING._waiting)
        people.come(sign, "a")
        until(lambda: people.errors)
        other.rollback()
    people.go()
    assert people.errors == {"OperationalError": 1}
    assert "Sample a" in names()
    assert tallies.recount() == []


def test_a_server_that_was_started_anew_costs_nobody_a_signature(monkeypatch):
    """A connection that has been silent is asked first whether it lives."""
    monkeypatch.setattr(base, "LIVES_SECONDS", 0)
    sign("a")
    confirm(Signature.objects.get())
    with elsewhere() as other:
        other.autocommit = True
        other.execute(f"SELECT pg_terminate_backend(pid) {OTHERS}")
        connection.close()
        until(lambda: not other.execute(f"SELECT pid {OTHERS}").fetchall())
    sign("b")
    confirm(Signature.objects.pending().get())
    assert Signature.objects.counted().count() == 2


def test_within_a_transaction_signing_is_part_of_it():
    with transaction.atomic():
        sign("a")
        transaction.set_rollback(True)
    assert not Signature.objects.exists()
