"""A burst of fakes is swept aside, and put back where it was a mistake."""

import os
import re
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from petition import audit
from petition.ground import links, workers
from petition.models import Entry, Signature, Sweep, SweepMove
from petition.signing import lifecycle, privacy, signatures, sweeps, tallies
from tests.making import State, make_coordinator, make_signature
from tests.signing.test_races import at_once

pytestmark = pytest.mark.django_db

LIST = "/admin/petition/sweep/"


@pytest.fixture
def moderator(client):
    client.force_login(make_coordinator("moderator"))
    return client


def make_sweep(**rule) -> Sweep:
    sweep = Sweep(reason="disposable", **rule)
    sweeps.start(sweep, make_coordinator("moderator", username=f"sweeper{Sweep.objects.count()}"))
    return sweep


def press_start(client, preview: str):
    """Press the button of a preview, with all that the page holds."""
    hidden = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', preview))
    moment = re.search(r'name="start" value="([^"]+)"', preview)[1]
    return client.post(f"{LIST}new/", hidden | {"start": moment})


def states() -> dict[str, str]:
    return {s.email.partition("@")[0]: s.state for s in Signature.objects.all()}


def test_a_moderator_previews_starts_and_undoes_a_sweep(moderator):
    for n in range(3):
        make_signature(f"fake{n}@throwaway.example", State.COUNTED)
    make_signature("fake3@throwaway.example")
    make_signature("real@example.org", State.COUNTED)
    rule = {"domain": "Throwaway.example", "to": "held", "reason": "disposable"}
    preview = moderator.post(f"{LIST}new/", rule).content.decode()
    assert '<p class="desk-figure"><bdi>4</bdi></p>' in preview
    assert "throwaway.example" in preview
    assert "fake0@" not in preview
    assert not Sweep.objects.exists()
    started = press_start(moderator, preview)
    sweep = Sweep.objects.get()
    assert started["Location"] == f"{LIST}{sweep.pk}/change/"
    assert (sweep.expected, sweep.state, sweep.by) == (4, "waiting", "coordinator")
    assert sweeps.run() == 1
    assert states() == {f"fake{n}": "held" for n in range(4)} | {"real": "counted"}
    assert tallies.read_counter().total == 1
    page = moderator.get(f"{LIST}{sweep.pk}/change/").content.decode()
    assert "throwaway.example" in page
    moderator.post(f"{LIST}{sweep.pk}/undo/")
    assert sweeps.run() == 1
    assert states() == {"fake0": "counted", "fake1": "counted", "fake2": "counted",
                        "fake3": "pending", "real": "counted"}  # fmt: skip
    sweep.refresh_from_db()
    assert (sweep.moved, sweep.restored, sweep.task, sweep.state) == (4, 4, "undo", "done")
    assert tallies.recount() == []
    acts = list(Entry.objects.order_by("number").values_list("act", flat=True))
    assert acts == ["preview", "sweep", "sweep end", "sweep undo", "sweep end"]
    for number in (1, 2):
        assert Entry.objects.get(number=number).detail["domain"] == "throwaway.example"
    assert Entry.objects.get(number=3).detail["moved"] == 4
    assert audit.broken() == []


def test_a_sweep_without_a_condition_is_refused_and_what_was_typed_is_kept(moderator):
    make_signature(state=State.COUNTED)
    typed = {"to": "rejected", "reason": "automated", "note": "as I wrote"}
    for answer in (typed, typed | {"start": "x"}):
        page = moderator.post(f"{LIST}new/", answer).content.decode()
        assert "errorlist" in page
        assert "as I wrote" in page
    assert not Sweep.objects.exists()
    with pytest.raises(sweeps.NoCondition):
        sweeps.start(Sweep(reason="other"), make_coordinator(username="other"))
    with pytest.raises(IntegrityError), transaction.atomic():
        Sweep.objects.create(reason="other", expected=0)


@pytest.mark.parametrize(
    ("rule", "swept"),
    [
        ({"domain": "throwaway.example"}, {"domain"}),
        ({"country": "LB"}, {"country"}),
        ({"language": "fr"}, {"language"}),
        ({"since": datetime(2026, 3, 5, tzinfo=UTC), "until": datetime(2026, 3, 6, tzinfo=UTC)},
         {"begin", "middle"}),
        ({"until": datetime(2026, 3, 6, tzinfo=UTC), "country": "LB"}, set()),
    ],
)  # fmt: skip
def test_a_sweep_takes_what_every_one_of_its_conditions_names(rule, swept):
    at = datetime(2026, 3, 5, tzinfo=UTC)
    make_signature("domain@throwaway.example", State.COUNTED)
    make_signature("country@example.org", State.COUNTED, country="LB")
    make_signature("language@example.org", State.COUNTED, language="fr")
    make_signature("before@example.org", signed_at=at - timedelta(seconds=1))
    make_signature("begin@example.org", signed_at=at)
    make_signature("middle@example.org", signed_at=at + timedelta(hours=5))
    make_signature("end@example.org", signed_at=at + timedelta(days=1))
    make_sweep(**rule)
    sweeps.run()
    assert {name for name, state in states().items() if state == "held"} == swept


def test_the_domain_is_found_under_a_former_data_key_too(settings):
    key = settings.DATA_KEYS[0]
    make_signature("old@throwaway.example", State.COUNTED)
    settings.DATA_KEYS = [b"n" * 32, key]
    make_signature("new@throwaway.example", State.COUNTED)
    make_sweep(domain="throwaway.example")
    sweeps.run()
    assert set(states().values()) == {"held"}


def test_who_signs_after_the_start_is_not_swept():
    make_signature("before@example.org", country="LB")
    make_sweep(country="LB")
    make_signature("after@example.org", country="LB")
    sweeps.run()
    assert states() == {"before": "held", "after": "pending"}


def test_a_sweep_is_stopped_between_two_batches_and_goes_on_where_it_was(monkeypatch):
    monkeypatch.setattr(sweeps, "BATCH", 2)
    for n in range(7):
        make_signature(f"sample{n}@example.org", State.COUNTED, country="LB")
    sweep = make_sweep(country="LB")
    by = make_coordinator(username="stopper")
    original = sweeps._beat

    def stop_after_a_batch(running):
        sweeps.stop(sweep, by)
        return original(running)

    monkeypatch.setattr(sweeps, "_beat", stop_after_a_batch)
    assert sweeps.run() == 0
    assert list(states().values()).count("held") == 2
    sweep.refresh_from_db()
    assert (sweep.state, sweep.moved, sweep.worker) == ("stopped", 2, "")
    monkeypatch.setattr(sweeps, "_beat", original)
    assert sweeps.run() == 0
    sweeps.go_on(sweep, by)
    assert sweeps.run() == 1
    sweep.refresh_from_db()
    assert (sweep.state, sweep.moved) == ("done", 7)
    assert SweepMove.objects.count() == 7


@pytest.mark.parametrize("asked", ["stop", "go-on", "undo"])
def test_what_cannot_be_asked_of_a_sweep_now_is_said(moderator, asked):
    sweep = make_sweep(country="LB")
    state = {"stop": "done", "go-on": "running", "undo": "running"}[asked]
    Sweep.objects.update(state=state, worker="other:1:x" if state == "running" else "")
    page = moderator.post(f"{LIST}{sweep.pk}/{asked}/", follow=True).content.decode()
    assert 'class="warning"' in page
    assert Sweep.objects.get().state == state
    assert moderator.get(f"{LIST}{sweep.pk}/{asked}/").status_code == 405


def test_purging_a_signature_leaves_the_record_of_the_sweep():
    make_signature(country="LB")
    sweep = make_sweep(country="LB")
    sweeps.run()
    sweep.refresh_from_db()
    sweeps.undo(sweep, make_coordinator(username="undoer"))
    sweeps.run()
    Signature.objects.update(signed_at=timezone.now() - timedelta(days=20))
    privacy.purge()
    assert not Signature.objects.exists()
    assert Sweep.objects.get().moved == 1


@pytest.mark.postgres
@pytest.mark.usefixtures("committed")
def test_a_sweeper_that_is_killed_again_and_again_moves_each_signature_exactly_once():
    made = [make_signature(f"s{n}@example.org", State.COUNTED, country="LB") for n in range(600)]
    sweep = make_sweep(country="LB")
    reached = 0
    for _ in range(5):
        process = start_sweeper()
        reached = wait_for_more(sweep, reached)
        process.send_signal(signal.SIGKILL)
        process.wait()
    process = start_sweeper("--once")
    assert process.wait(60) == 0
    sweep.refresh_from_db()
    assert (sweep.state, sweep.moved) == ("done", 600)
    assert SweepMove.objects.count() == len(made)
    assert not Signature.objects.exclude(state=State.HELD).exists()
    assert tallies.read_counter().total == 0
    assert tallies.recount() == []


@pytest.mark.postgres
@pytest.mark.usefixtures("committed")
def test_a_sweep_and_its_undo_agree_with_people_who_confirm_and_withdraw_meanwhile():
    made = [make_signature(f"s{n}@example.org", country="LB") for n in range(120)]
    counted = [make_signature(f"c{n}@example.org", State.COUNTED, country="LB") for n in range(30)]
    sweep = make_sweep(country="LB")
    confirms = [links.token(links.CONFIRM, s.reference) for s in made]
    leaves = [links.token(links.WITHDRAW, s.reference) for s in counted]
    acts = [lambda t=t: signatures.confirm(t) for t in confirms]
    acts += [lambda t=t: signatures.withdraw(t) for t in leaves]
    at_once([sweeps.run, *acts])
    assert tallies.recount() == []
    assert SweepMove.objects.values("signature").distinct().count() == SweepMove.objects.count()
    sweep.refresh_from_db()
    sweeps.undo(sweep, make_coordinator(username="undoer"))
    sweeps.run()
    assert tallies.recount() == []
    assert Signature.objects.filter(state=State.COUNTED).count() == 120
    assert Signature.objects.filter(state=State.WITHDRAWN).count() == 30


def start_sweeper(*args) -> subprocess.Popen:
    url = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**connection.settings_dict)
    environment = os.environ | {"DATABASE_URL": url, "DEBUG": "1"}
    environment["DJANGO_SETTINGS_MODULE"] = "campaign_site.settings"
    return subprocess.Popen(
        [sys.executable, "manage.py", "sweeper", *args],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def wait_for_more(sweep: Sweep, than: int) -> int:
    """Until the sweeper has moved some more, so that the kill comes in the middle of its work."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        moved = SweepMove.objects.filter(sweep=sweep).count()
        if moved > than or moved == 600:
            return moved
        time.sleep(0.01)
    raise AssertionError("the sweeper does not move anything")


@pytest.mark.parametrize(
    ("typed", "signed"),
    [
        ("googlemail.com", "someone@gmail.com"),
        ("me.com", "someone@icloud.com"),
        ("Throwaway.Example", "someone@throwaway.example"),
        ("bücher.example", "someone@xn--bcher-kva.example"),
        ("@example.org", "someone@example.org"),
    ],
)
def test_a_domain_finds_who_signed_however_either_spelt_it(moderator, typed, signed):
    make_signature(signed, State.COUNTED)
    rule = {"domain": typed, "to": "held", "reason": "disposable"}
    preview = moderator.post(f"{LIST}new/", rule).content.decode()
    assert '<p class="desk-figure"><bdi>1</bdi></p>' in preview
    press_start(moderator, preview)
    sweeps.run()
    assert Signature.objects.get().state == State.HELD


@pytest.mark.parametrize("typed", ["not a domain", "a@b@c", "-x.y", "1.2.3.4"])
def test_what_is_no_domain_is_said_at_its_field(moderator, typed):
    rule = {"domain": typed, "to": "held", "reason": "disposable"}
    assert "errorlist" in moderator.post(f"{LIST}new/", rule).content.decode()


@pytest.mark.parametrize("moment", ["0001-01-01T00:00", "9999-12-31T23:59", "2026-02-30T00:00"])
def test_a_moment_that_cannot_be_is_said_at_its_field(moderator, moment):
    rule = {"since": moment, "to": "held", "reason": "disposable"}
    assert "errorlist" in moderator.post(f"{LIST}new/", rule).content.decode()


def test_what_is_swept_is_what_was_previewed_and_once(moderator):
    make_signature("before@example.org", country="LB")
    rule = {"country": "LB", "to": "held", "reason": "disposable"}
    preview = moderator.post(f"{LIST}new/", rule).content.decode()
    make_signature("after@example.org", country="LB")
    first, second = (press_start(moderator, preview) for _ in range(2))
    assert first["Location"] == second["Location"]
    assert Sweep.objects.count() == 1
    sweeps.run()
    assert states() == {"before": "held", "after": "pending"}


def test_a_start_without_a_preview_starts_nothing(moderator):
    rule = {"country": "LB", "to": "held", "reason": "disposable", "start": "2026-01-01T00:00:00"}
    assert moderator.post(f"{LIST}new/", rule)["Location"] == f"{LIST}new/"
    assert not Sweep.objects.exists()


def test_a_sweeper_that_lost_its_connection_goes_on_with_its_sweep_at_once():
    make_signature(country="LB")
    make_sweep(country="LB")
    Sweep.objects.update(state="running", worker=workers.my_name(), beat_at=timezone.now())
    assert sweeps.run() == 1
    assert states() == {"someone": "held"}


def test_a_sweep_of_a_dead_sweeper_is_taken_over_and_a_stopped_one_let_go():
    ended = subprocess.Popen(["true"])
    ended.wait()
    dead = f"{workers.my_name().rsplit(':', 2)[0]}:{ended.pid}:x"
    stopped, running = make_sweep(country="LB"), make_sweep(country="FR")
    before = timezone.now() - timedelta(seconds=1)
    Sweep.objects.update(worker=dead, beat_at=before)
    Sweep.objects.filter(pk=stopped.pk).update(state="stopped")
    Sweep.objects.filter(pk=running.pk).update(state="running")
    assert sweeps.run() == 1
    stopped.refresh_from_db()
    assert (stopped.state, stopped.worker) == ("stopped", "")


def test_what_a_coordinator_let_count_again_is_not_swept_twice_by_the_same_sweep():
    signature = make_signature(state=State.COUNTED, country="LB")
    sweep = make_sweep(country="LB")
    sweeps.run()
    lifecycle.move(Signature.objects.get(), State.COUNTED)
    # As after a kill before anything of its progress was written down.
    Sweep.objects.update(state="waiting", reached_at=None, reached_pk=0)
    assert sweeps.run() == 1
    assert Signature.objects.get(pk=signature.pk).state == State.COUNTED
    sweep.refresh_from_db()
    assert sweep.moved == 1


def test_signatures_of_the_same_moment_are_all_swept(monkeypatch):
    monkeypatch.setattr(sweeps, "BATCH", 2)
    at = timezone.now()
    for n in range(7):
        make_signature(f"s{n}@example.org", country="LB", signed_at=at)
    make_sweep(country="LB")
    sweeps.run()
    assert set(states().values()) == {"held"}


def test_who_confirms_at_the_moment_of_the_sweep_is_swept_as_counted():
    signature = make_signature(country="LB")
    sweep = make_sweep(country="LB")
    stale = Signature.objects.get()
    signatures.confirm(links.token(links.CONFIRM, signature.reference))
    assert sweeps._set_aside(sweep, stale)
    assert SweepMove.objects.get().was == "counted"
    assert tallies.recount() == []
