"""One statement or several: the same history leaves the same rows, and answers the same."""

import uuid
from collections import Counter
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from threading import Barrier, Thread
from unittest.mock import patch

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from petition.campaign import texts
from petition.ground import links
from petition.letters import owing
from petition.models import Attempt, Letter, LogEvent, Signature, Tally
from petition.signing import lifecycle, signatures, statements, tallies
from tests.budget import FUZZ, examples
from tests.making import make_signature
from tests.plans import assert_reads_by_key

pytestmark = pytest.mark.postgres

State = Signature.State
MAILBOXES = ["one@example.org", "two@example.org"]
mailboxes = st.sampled_from(MAILBOXES)
acts = st.one_of(
    st.tuples(
        st.just("sign"), mailboxes, st.sampled_from(["Sample One", "مثال"]),
        st.sampled_from(["MA", "LB"]), st.sampled_from([None, "fate"]), st.booleans(),
        st.sampled_from(["ar", "fr"]),
    ),
    st.tuples(st.just("confirm"), mailboxes),
    st.tuples(st.just("confirm_by_code"), mailboxes),
    st.tuples(st.just("sign_together"), st.sampled_from(["MA", "LB"]), st.booleans()),
    st.tuples(st.just("confirm_together"), st.booleans()),
    st.tuples(st.just("confirm_latest"), mailboxes, st.booleans(), st.booleans()),
    st.tuples(st.just("withdraw"), mailboxes),
    st.tuples(st.just("move"), mailboxes, st.sampled_from([State.HELD, State.REJECTED])),
    st.tuples(st.just("enter_the_log")),
    st.tuples(st.just("wait"), st.sampled_from([1, 25, 24 * 15])),  # hours
)  # fmt: skip
SIGN = ("sign", MAILBOXES[0], "Sample One", "MA", "fate", True, "fr")
CONFIRM, WITHDRAW, LOG = ("confirm", MAILBOXES[0]), ("withdraw", MAILBOXES[0]), ("enter_the_log",)
HOLD = ("move", MAILBOXES[0], State.HELD)
BEGINNING = timezone.now()


@contextmanager
def clock(moment):
    """It is this moment, also for the defaults of fields."""

    class Then(datetime):
        @classmethod
        def now(cls, tz=None):
            return moment

    with patch.object(timezone, "datetime", Then):
        yield


class History:
    """Does the acts, notes their answers, and tells what the database holds in the end."""

    def __init__(self):
        self.now, self.answers = BEGINNING, []
        self.references: dict = {}

    def do(self, act: str, *args) -> None:
        with clock(self.now):
            try:
                self.answers.append(getattr(self, act)(*args))
            except (signatures.LinkExpired, signatures.WrongCode, lifecycle.NotAllowed) as error:
                self.answers.append(type(error).__name__)
        self.now += timedelta(seconds=1)

    def sign(self, mailbox, name, country, track, delivery, language):
        signatures.sign(
            name=name, email=mailbox, country=country, track=track, updates=not delivery,
            delivery=delivery, consent=texts.consent_shown(None, language), language=language,
        )  # fmt: skip
        found = Signature.objects.of_mailbox(mailbox).get()
        self.references[mailbox] = found.reference
        return found.state

    def reference(self, mailbox):
        if mailbox not in self.references:
            raise signatures.LinkExpired
        return self.references[mailbox]

    def confirm(self, mailbox):
        signatures.confirm(links.token(links.CONFIRM, self.reference(mailbox)))

    def confirm_by_code(self, mailbox):
        code = links.code(self.reference(mailbox))
        signatures.confirm(signatures.token_of_code(mailbox, code))

    def sign_together(self, country, delivery):
        """As a group, where signing is one statement."""
        with self.together(statements.SIGNING):
            for mailbox in MAILBOXES:
                signatures.sign(
                    name="Sample Two", email=mailbox, country=country, track=None, updates=True,
                    delivery=delivery, consent=texts.consent_shown(None, "fr"), language="fr",
                )  # fmt: skip
        for mailbox in MAILBOXES:
            found = Signature.objects.of_mailbox(mailbox).get()
            self.references[mailbox] = found.reference

    def confirm_together(self, updates):
        tokens = [links.token(links.CONFIRM, r) for r in self.references.values()]
        with self.together(statements.CONFIRMING):
            for token in tokens:
                self.try_to_confirm(token, updates)
        return [self.try_to_confirm(token, updates) for token in tokens]

    @staticmethod
    def try_to_confirm(token, updates):
        with suppress(signatures.LinkExpired):
            return signatures.confirm(token, updates=updates)

    @staticmethod
    @contextmanager
    def together(group):
        """What goes to the database within it goes as one."""
        rows = []
        with patch.object(group, "do", lambda key, row: not rows.append(row)):
            yield
        if rows:
            group._run(rows, connection)

    def confirm_latest(self, mailbox, updates, delivery):
        """By the letter that was owed last, whichever version it is of."""
        letters = Letter.objects.filter(signature__reference=self.reference(mailbox))
        latest = letters.exclude(attempt=None).order_by("pk").last()
        reference = latest.attempt if latest else self.reference(mailbox)
        token = links.token(links.CONFIRM, reference)
        signatures.confirm(token, updates=updates, delivery=delivery)

    def withdraw(self, mailbox):
        signatures.withdraw(links.token(links.WITHDRAW, self.reference(mailbox)))

    def move(self, mailbox, to):
        signature = Signature.objects.get(reference=self.reference(mailbox))
        return lifecycle.move(signature, to, reason=Signature.Reason.OTHER)

    def enter_the_log(self):
        Signature.objects.counted().update(in_log=True)

    def wait(self, hours):
        self.now += timedelta(hours=hours)

    def told(self) -> dict:
        fields = [f.attname for f in Signature._meta.fields if f.attname not in ("id", "reference")]
        left_out = ("id", "signature_id", "reference", "attempt")
        of_attempts = [f.attname for f in Attempt._meta.fields if f.attname not in left_out]
        of_letters = [f.attname for f in Letter._meta.fields if f.attname not in left_out]
        sums: Counter = Counter()
        for tally in Tally.objects.all():
            sums[tally.channel, tally.dimension, tally.value] += tally.count
        assert tallies.recount() == []
        return {
            "answers": self.answers,
            # In whatever order a group has them: each has its moment.
            "signatures": sorted(
                ([getattr(s, name) for name in fields] for s in Signature.objects.all()), key=repr
            ),
            "letters": sorted(
                (
                    [letter.attempt is None, *(getattr(letter, name) for name in of_letters)]
                    for letter in Letter.objects.all()
                ),
                key=repr,
            ),
            "attempts": sorted(
                ([getattr(a, name) for name in of_attempts] for a in Attempt.objects.all()),
                key=repr,
            ),
            # What they hide differs each time; `log` opens it.
            "log": [
                (event.line.rsplit(" ", 1)[0], event.opening is None)
                for event in LogEvent.objects.order_by("pk")
            ],
            "tallies": {key: n for key, n in sums.items() if n},
        }


def told(history: list, *, at_once: bool) -> dict:
    with (
        transaction.atomic(),
        patch.object(signatures, "in_one_statement", lambda: at_once),
    ):
        world = History()
        for act in history:
            world.do(*act)
        found = world.told()
        transaction.set_rollback(True)
    return found


@pytest.mark.property
@pytest.mark.django_db
@settings(
    max_examples=examples(60),
    deadline=None,
    derandomize=not FUZZ,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(st.lists(acts, max_size=14))
# Long ways that chance seldom takes: each state and each side of the log, withdrawn.
@example([SIGN, CONFIRM, WITHDRAW, SIGN, CONFIRM])
@example([SIGN, CONFIRM, LOG, WITHDRAW, WITHDRAW])
@example([SIGN, CONFIRM, HOLD, WITHDRAW])
@example([SIGN, SIGN, HOLD, WITHDRAW])
def test_every_history_leaves_the_same_rows_either_way(history):
    assert told(history, at_once=True) == told(history, at_once=False)


@pytest.mark.django_db
def test_a_mailbox_is_one_signature_and_its_sixth_letter_is_withheld():
    world = History()
    for n in range(7):
        world.do("sign", MAILBOXES[0], f"Sample {'ABCDEFG'[n]}", "MA", None, False, "fr")
    assert Signature.objects.get().name == "Sample A"
    assert [a.name[-1] for a in Attempt.objects.order_by("pk")] == ["B", "C", "D", "E"]
    assert Counter(Letter.objects.values_list("state", flat=True)) == {"due": 5, "withheld": 2}
    assert tallies.recount() == []


@pytest.mark.django_db
def test_each_act_is_one_statement(django_assert_num_queries):
    details = {
        "name": "Sample", "email": MAILBOXES[0], "country": "MA", "track": None, "language": "fr",
        "updates": False, "delivery": False, "consent": texts.consent_shown(None, "fr"),
    }  # fmt: skip
    with django_assert_num_queries(1):
        signatures.sign(**details)
    token = links.token(links.CONFIRM, Signature.objects.get().reference)
    with django_assert_num_queries(1):
        signatures.confirm(token)
    assert Signature.objects.get().state == State.COUNTED
    token = links.token(links.WITHDRAW, Signature.objects.get().reference)
    with django_assert_num_queries(1):
        signatures.withdraw(token)
    assert Signature.objects.get().state == State.WITHDRAWN


@pytest.mark.parametrize("rows", [0, 1, 200])
@pytest.mark.parametrize("function", [statements.CONFIRM, statements.WITHDRAW])
@pytest.mark.django_db
def test_no_table_is_read_whole_however_few_rows_it_had_when_the_plan_was_made(function, rows):
    for n in range(rows):
        signature = make_signature(f"sample{n}@example.org", State.COUNTED)
        owing.owe(signature, Letter.Kind.COUNTED, "fr")
    assert_reads_by_key(
        function.statement, function.afterwards, rows="[]", now=BEGINNING, since=BEGINNING,
        day="", slot=0, reference=uuid.uuid4(), enters="", leaves="", opening=b"",
    )  # fmt: skip


@pytest.mark.usefixtures("committed")
def test_where_the_functions_are_missing_people_sign_and_are_counted_all_the_same():
    """As where tables alone were restored; the next `migrate` makes the functions again."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT proname FROM pg_proc WHERE proname ~ '^petition_(sign|confirm|withdraw)_'"
        )
        names = [name for (name,) in cursor.fetchall()]
        assert len(names) == 3
        for name in names:
            cursor.execute(f"DROP FUNCTION {name}")
    world = History()
    world.do("sign", MAILBOXES[0], "Sample One", "MA", None, False, "fr")
    world.do("confirm", MAILBOXES[0])
    assert Signature.objects.get().state == State.COUNTED
    world.do("withdraw", MAILBOXES[0])
    assert Signature.objects.get().state == State.WITHDRAWN
    assert not Letter.objects.exists()
    call_command("migrate", verbosity=0)
    world.do("sign", MAILBOXES[1], "Sample Two", "MA", None, False, "fr")
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_proc WHERE proname = ANY(%s)", [names])
        assert cursor.fetchone() == (3,)
    assert Signature.objects.count() == 2


@pytest.mark.usefixtures("committed")
def test_posts_of_one_mailbox_at_one_instant_owe_no_letter_too_many():
    consent = texts.consent_shown(None, "fr")
    together = Barrier(16)

    def post():
        together.wait()
        for _ in range(4):
            signatures.sign(
                name="Sample", email=MAILBOXES[0], country="MA", track=None, updates=False,
                delivery=False, consent=consent, language="fr",
            )  # fmt: skip
        connection.close()

    threads = [Thread(target=post) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Signature.objects.count() == 1
    due = Letter.objects.exclude(state=Letter.State.WITHHELD).count()
    assert (due, Letter.objects.count()) == (owing.LETTERS_AN_ADDRESS, 64)
    assert tallies.recount() == []
