"""Real threads on a real PostgreSQL: what happens at the same instant."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta

import pytest
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from petition.campaign import texts
from petition.ground import links
from petition.letters import owing
from petition.models import Attempt, Letter, Signature
from petition.signing import lifecycle, privacy, signatures, tallies
from tests.making import State, filled_form, make_signature

pytestmark = [pytest.mark.postgres, pytest.mark.usefixtures("committed")]


def at_once(acts, threads=8):
    """Run the acts in threads with connections of their own; raises what any of them raised."""

    def run(act):
        try:
            return act()
        finally:
            connection.close()

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(run, acts))


def tokens(count: int, state=State.PENDING, kind=links.CONFIRM, prefix="sample"):
    made = [make_signature(f"{prefix}{n}@example.org", state) for n in range(count)]
    return [links.token(kind, signature.reference) for signature in made]


def test_eight_threads_that_confirm_the_same_200_signatures_count_200():
    same = tokens(200)
    start = threading.Barrier(8)

    def confirm_all():
        start.wait()
        for token in same:
            signatures.confirm(token)

    at_once([confirm_all] * 8)
    assert tallies.read_counter().total == 200
    assert tallies.recount() == []


def test_recount_agrees_at_every_moment_while_people_confirm_and_withdraw():
    confirms = tokens(250)
    withdrawals = tokens(50, State.COUNTED, links.WITHDRAW, prefix="other")
    acts = [lambda t=t: signatures.confirm(t) for t in confirms]
    acts += [lambda t=t: signatures.withdraw(t) for t in withdrawals]
    acts.sort(key=lambda act: hash(act))
    over, found = threading.Event(), []

    def recount_all_the_time():
        try:
            while not over.is_set():
                found.append(tallies.recount())
        finally:
            connection.close()

    watcher = threading.Thread(target=recount_all_the_time)
    watcher.start()
    try:
        at_once(acts)
    finally:
        over.set()
        watcher.join()
    assert len(found) > 3
    assert all(differences == [] for differences in found)
    assert tallies.read_counter().total == 250
    assert tallies.recount() == []


def test_confirming_and_withdrawing_the_same_signature_at_once_ends_withdrawn_and_right():
    made = [make_signature(f"sample{n}@example.org") for n in range(60)]
    acts = []
    for signature in made:
        confirm = links.token(links.CONFIRM, signature.reference)
        withdraw = links.token(links.WITHDRAW, signature.reference)
        acts += [lambda t=confirm: _ignoring_expiry(t), lambda t=withdraw: signatures.withdraw(t)]
    at_once(acts)
    assert set(Signature.objects.values_list("state", flat=True)) == {State.WITHDRAWN}
    assert tallies.read_counter().total == 0
    assert tallies.recount() == []


def _ignoring_expiry(token):
    with suppress(signatures.LinkExpired):
        signatures.confirm(token)


def test_the_same_address_at_the_same_instant_is_one_signature_and_one_answer():
    start = threading.Barrier(8)

    def sign():
        client = Client()
        start.wait()
        response = client.post("/en/sign/", filled_form(email="some.one+x@gmail.com"))
        return response.status_code, response["Location"]

    assert set(at_once([sign] * 8)) == {(303, "/en/sign/sent/")}
    assert Signature.objects.count() == 1
    due = Letter.objects.filter(state=Letter.State.DUE).count()
    assert due == owing.LETTERS_AN_ADDRESS


def test_signing_again_while_the_former_attempt_is_purged_is_stored():
    long_ago = timezone.now() - timedelta(days=15)
    for n in range(40):
        make_signature(f"sample{n}@example.org", signed_at=long_ago)
    bodies = [filled_form(email=f"sample{n}@example.org") for n in range(40)]
    acts = [lambda b=b: Client().post("/fr/sign/", b).status_code for b in bodies]
    for place in range(0, 40, 5):
        acts.insert(place, privacy.purge)
    answers = at_once(acts)
    assert {a for a in answers if isinstance(a, int)} == {303}
    assert Signature.objects.count() == 40


def test_changing_ones_mind_about_the_country_while_confirming_leaves_the_counters_right():
    made = [make_signature(f"sample{n}@example.org") for n in range(50)]
    acts = []
    for n, signature in enumerate(made):
        token = links.token(links.CONFIRM, signature.reference)
        body = filled_form(email=f"sample{n}@example.org", country="LB")
        acts += [
            lambda b=body: Client().post("/fr/sign/", b),
            lambda t=token: signatures.confirm(t),
        ]
    at_once(acts)
    assert tallies.read_counter().total == 50
    assert tallies.recount() == []


def test_mending_the_counters_while_people_confirm_ends_right():
    confirms = tokens(100)
    acts = [lambda t=t: signatures.confirm(t) for t in confirms]
    for place in range(10, 100, 20):
        acts.insert(place, tallies.mend)
    at_once(acts)
    assert tallies.read_counter().total == 100
    assert tallies.recount() == []


def test_a_counted_address_at_the_same_instant_gets_no_letter_too_many():
    make_signature("some.one@example.org", State.COUNTED)
    start = threading.Barrier(8)

    def sign():
        start.wait()
        return Client().post("/en/sign/", filled_form(email="some.one@example.org")).status_code

    assert set(at_once([sign] * 8)) == {303}
    due = Letter.objects.filter(state=Letter.State.DUE).count()
    assert due == owing.LETTERS_AN_ADDRESS


def test_nobody_adds_to_a_counter_while_it_is_mended(monkeypatch):
    token = tokens(1)[0]
    recounting, go_on, confirmed = threading.Event(), threading.Event(), threading.Event()
    recount = tallies.recount

    def slow_recount():
        found = recount()
        recounting.set()
        assert go_on.wait(10)
        return found

    monkeypatch.setattr(tallies, "recount", slow_recount)

    def confirm():
        assert recounting.wait(10)
        signatures.confirm(token)
        confirmed.set()

    def release():
        assert recounting.wait(10)
        assert not confirmed.wait(0.5)
        go_on.set()

    at_once([tallies.mend, confirm, release])
    assert recount() == []
    assert tallies.read_counter().total == 1


def test_a_purge_leaves_alone_what_is_just_being_confirmed():
    signature = make_signature(signed_at=timezone.now() - timedelta(days=15))
    moved, purged = threading.Event(), threading.Event()

    def confirm():
        with transaction.atomic():
            lifecycle.move(signature, State.COUNTED, confirmed_at=timezone.now())
            moved.set()
            assert purged.wait(10)

    def purge():
        assert moved.wait(10)
        try:
            privacy.purge()
        finally:
            purged.set()

    at_once([confirm, purge])
    assert Signature.objects.get().state == State.COUNTED
    assert tallies.recount() == []


@pytest.mark.parametrize("kind", [links.CONFIRM, links.WITHDRAW])
def test_what_is_typed_at_the_moment_in_which_an_owner_acts_is_erased_as_well(kind):
    signature = make_signature("some.one@example.org")
    acts = {links.CONFIRM: signatures.confirm, links.WITHDRAW: signatures.withdraw}
    token = links.token(kind, signature.reference)
    about = {"name": "Sample Two", "country": "LB", "track": None, "language": "fr"}
    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            signatures.sign(
                **about, email="some.one@example.org", updates=True, delivery=True,
                consent=texts.consent_shown(None, "fr"),
            )  # fmt: skip
            act = pool.submit(at_once, [lambda: acts[kind](token)])
            _wait_until_somebody_waits()
        act.result()
    assert not Attempt.objects.exclude(name=None).exists()
    if kind == links.WITHDRAW:
        assert not Letter.objects.exists()
    assert tallies.recount() == []


def _wait_until_somebody_waits():
    end = time.monotonic() + 20
    with connection.cursor() as cursor:
        while time.monotonic() < end:
            cursor.execute(
                "SELECT 1 FROM pg_locks WHERE NOT granted"
                " AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
            )
            if cursor.fetchone():
                return
            time.sleep(0.005)
    raise AssertionError("nobody waits")
