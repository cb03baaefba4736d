"""The public figures, hour by hour."""

from datetime import UTC, datetime, timedelta
from importlib import import_module

import psycopg
import pytest
from django.apps import apps
from django.core.cache import caches
from django.core.management import call_command
from django.db import connection
from django.utils import timezone

from petition.figures import history, ledger
from petition.models import Hour, Signature, Sweep, SweepMove
from petition.paper import sheets
from petition.signing import lifecycle, sweeps, tallies
from tests.making import State, make_coordinator, make_signature
from tests.signing.test_races import at_once

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("noon")]

NOON = datetime(2026, 3, 10, 12, tzinfo=UTC)
MIDNIGHT = datetime(2026, 3, 11, tzinfo=UTC)
HOUR = timedelta(hours=1)


def count(how_many: int, named: str = "signer", **fields) -> list[Signature]:
    return [
        make_signature(f"{named}{n}@example.org", State.COUNTED, **fields) for n in range(how_many)
    ]


def withdraw(signature: Signature) -> None:
    assert lifecycle.move(signature, State.WITHDRAWN, **Signature.ERASED)


def figures() -> history.Figures:
    caches["process"].clear()
    return history.now()


def test_an_hour_is_drawn_up_once():
    assert history.draw_up(NOON)
    assert history.draw_up(NOON + timedelta(minutes=59)) is None
    assert history.draw_up(NOON + HOUR)


def test_an_hour_says_what_came_and_what_left_and_why():
    history.draw_up(NOON)
    signers = count(6)
    withdraw(signers[0])
    lifecycle.move(signers[1], State.HELD)
    lifecycle.move(signers[2], State.REJECTED)
    history.draw_up(NOON + HOUR)
    (hour,) = history.hours(NOON + HOUR, NOON + HOUR)
    assert (hour.total, hour.flow.net) == (3, 3)
    assert (hour.flow.came, hour.flow.withdrawn, hour.flow.set_aside) == (6, 1, 2)


def test_what_was_never_counted_does_not_leave_the_count():
    make_signature("one@example.org", State.HELD)
    make_signature("two@example.org", State.WITHDRAWN)
    assert tallies.read_counter().left == 0


def test_a_sheet_that_is_taken_out_leaves_with_all_its_lines():
    first, second, third = (make_coordinator(username=name) for name in ("p1", "p2", "p3"))
    (sheet,) = sheets.make("ar", 1, first)
    line = {"country": "MA", "place": "", "collector": "", "date": timezone.now().date()}
    for person in (first, second):
        sheets.enter(sheet.number, person, valid=12, struck=0, **line)
    assert figures().today.came == 12
    sheets.void(sheet.number, third, "Sample reason")
    found = figures()
    assert (found.counter.total, found.today.taken_out, found.today.net) == (0, 12, 0)
    assert tallies.recount() == []


def test_today_begins_with_the_first_figures_of_the_day(monkeypatch):
    signers = count(3)
    moment = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: moment)
    midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
    history.draw_up(moment)
    moment = midnight
    history.draw_up()
    count(2, "later")
    withdraw(signers[0])
    today = figures().today
    assert (today.since, today.came, today.withdrawn) == (midnight, 2, 1)
    assert figures().last_24_hours.came >= 2


def test_the_last_24_hours_begin_with_the_hour_that_is_the_nearest(monkeypatch):
    moment = NOON + timedelta(minutes=20)
    monkeypatch.setattr(timezone, "now", lambda: moment)
    for hours in range(30):
        history.draw_up(NOON - timedelta(hours=29 - hours))
        count(1, f"hour{hours}-")
    flow = figures().last_24_hours
    assert (flow.since, flow.came) == (NOON - timedelta(hours=24), 25)


def test_a_figure_that_is_still_remembered_makes_nothing_negative(monkeypatch):
    monkeypatch.setattr(timezone, "now", lambda: MIDNIGHT)
    assert tallies.counter().total == 0
    count(2)
    history.draw_up(MIDNIGHT)
    today = history.now().today
    assert (today.came, today.net) == (0, 0)


def test_one_signature_is_not_seen_in_the_figures_by_country():
    """Were it shown, that hour's only signer would be known to be from there."""
    for country, how_many in (("MA", 39), ("FR", 19), ("ES", 9), ("BE", 9)):
        count(how_many, country, country=country)
    first = history.draw_up(NOON).tables["country"]["shown"]
    assert first == {"MA": 30, "FR": 10}
    count(1, "the-fortieth", country="MA")
    assert history.draw_up(NOON + HOUR).tables["country"]["shown"] == first
    count(9, "others", country="TN")
    count(1, "the-forty-first", country="MA")
    assert history.draw_up(NOON + 2 * HOUR).tables["country"]["shown"]["MA"] == 40


def test_days_that_are_over_never_change_afterwards():
    signers = count(3)
    history.draw_up(NOON)
    history.draw_up(MIDNIGHT)
    before = history.day(NOON.date())
    withdraw(signers[0])
    history.draw_up(MIDNIGHT + HOUR)
    assert history.day(NOON.date()) == before
    assert before.day.is_over
    assert before.day.total == before.hours[-1].total == 3
    assert [hour.at for hour in before.hours] == [NOON, MIDNIGHT]
    assert sum(hour.flow.net for hour in before.hours) == before.day.flow.net


def test_the_days_before_the_first_drawing_come_from_the_counters_by_day():
    for days, how_many in ((9, 2), (4, 3)):
        at = timezone.now() - timedelta(days=days)
        for n in range(how_many):
            signature = make_signature(f"s{days}{n}@example.org")
            lifecycle.move(signature, State.COUNTED, confirmed_at=at)
    count(1)
    days = history.days()
    assert [day.flow.net for day in days] == [2, 0, 0, 0, 0, 3, 0, 0, 0, 1]
    assert [day.total for day in days][-1] == 6
    assert days[0].day == (timezone.now() - timedelta(days=9)).date()


def test_a_day_without_a_drawing_goes_to_the_next_that_there_is():
    """The process that draws was down: what came is not lost, and each day still adds up."""
    history.draw_up(NOON)
    count(2)
    history.draw_up(MIDNIGHT + timedelta(days=2, hours=9))
    days = history.days(NOON.date(), NOON.date() + timedelta(days=2))
    assert [(day.flow.net, day.total) for day in days] == [(2, 2), (0, 2), (0, 2)]


def test_a_day_that_has_not_begun_or_lies_before_the_first_has_no_figures():
    today = timezone.now().date()
    assert history.day(today)
    assert history.day(today + timedelta(days=1)) is None
    assert history.day(today - timedelta(days=400)) is None


def test_the_first_drawing_at_midnight_knows_the_day_before():
    assert history.draw_up(MIDNIGHT).opens_day
    assert Hour.objects.count() == 2


def test_what_was_received_is_all_that_has_become_of_it():
    count(1, "counted")
    for n in range(23):
        make_signature(f"pending{n}@example.org")
    for n in range(11):
        make_signature(f"held{n}@example.org", State.HELD)
    states = figures().drawn.states
    assert (states.counted, states.rejected) == (1, 0)
    assert states.pending in (20, 30)
    assert states.held in (10, 20)
    assert states.received == states.counted + states.pending + states.held


def test_states_are_drawn_up_once_a_day():
    """Else whoever signs with somebody's address would see whether it is a new one."""
    history.draw_up(NOON)
    for n in range(20):
        make_signature(f"pending{n}@example.org")
    history.draw_up(NOON + HOUR)
    assert Hour.objects.filter(states__isnull=False).count() == 1
    assert history.draw_up(MIDNIGHT).states["pending"] == 20


def test_a_state_is_the_ten_below_or_above_by_chance():
    """Were it always the one below, nine signatures of one's own would show the tenth."""
    for n in range(25):
        make_signature(f"pending{n}@example.org")
    shown = {history.draw_up(NOON + timedelta(days=n)).states["pending"] for n in range(40)}
    assert shown == {20, 30}  # Of 40 at even odds; by mistake once in 10^12.


def test_tables_add_up_to_the_total_of_their_moment_and_show_nothing_under_ten():
    count(40, "ma", country="MA", track_id="fate")
    count(3, "fr", country="FR", language="fr")
    drawn = figures().drawn
    for table in (drawn.country, drawn.language, drawn.track):
        assert sum(table.shown.values()) + table.rest == drawn.total == 43
        assert all(n >= 10 and n % 10 == 0 for n in table.shown.values())
    assert "FR" not in drawn.country.shown
    count(40, "more", country="FR")
    assert figures().drawn == drawn  # Not before the hour is over.


def test_one_category_of_each_table_stays_in_the_rest():
    count(30, "fr", language="fr", track_id="fate")
    count(30, "en", language="en")
    drawn = figures().drawn
    assert (drawn.language.shown, drawn.language.rest) == ({"fr": 30}, 30)
    assert (drawn.track.shown, drawn.track.rest) == ({"fate": 30}, 30)


def test_sweeps_and_their_undoing_are_in_the_ledger_by_what_they_did_to_the_count():
    by = make_coordinator(username="sweeper")
    count(3, country="BE")
    make_signature("never-confirmed@example.org", country="BE")
    sweep = Sweep(country="BE", reason="automated", made_at=timezone.now())
    sweeps.start(sweep, by)
    sweeps.run()
    (line,) = ledger.corrections()
    assert (line.kind, line.reason, line.count) == ("set_aside", "automated", -3)
    assert line.made_at > sweep.made_at  # When the count began to fall, not when it was previewed.
    assert (line.rules, line.is_over) == (tallies.RULES, True)
    sweep.refresh_from_db()
    sweeps.undo(sweep, by)
    undone, done = ledger.corrections()
    assert (undone.kind, undone.count, undone.is_over) == ("restored", 0, False)
    assert done.is_over
    sweeps.run()
    undone, done = ledger.corrections()
    assert (undone.count, undone.is_over, done) == (3, True, line)
    flow = figures().today
    assert (flow.came, flow.set_aside, flow.net) == (6, 3, 3)


def test_sweeps_of_before_the_ledger_are_in_it_too():
    by = make_coordinator(username="sweeper")
    count(3, country="BE")
    sweep = Sweep(country="BE", reason="automated", made_at=timezone.now())
    sweeps.start(sweep, by)
    sweeps.run()
    sweeps.undo(Sweep.objects.get(), by)
    sweeps.run()
    before = ledger.corrections()
    Sweep.objects.update(lowered=0, raised=0, undo_at=None)
    SweepMove.objects.update(raised=False)
    import_module("petition.migrations.0018_history").fill_the_ledger(apps, None)
    assert [(line.kind, line.count) for line in ledger.corrections()] == [
        (line.kind, line.count) for line in before
    ]


def test_a_counter_that_is_mended_is_in_the_ledger():
    count(2)
    history.now()
    tallies.add({tallies.TOTAL: 5})
    call_command("recount", fix=True, verbosity=0)
    (line,) = ledger.corrections()
    assert (line.kind, line.count) == ("recount", -5)
    found = figures()
    assert (found.counter.total, found.counter.set_aside) == (2, 5)
    assert tallies.recount() == []


def test_what_is_mended_of_each_channel_has_its_line():
    count(5)
    tallies.add({tallies.TOTAL: 5, ("paper", "total", ""): -5})
    call_command("recount", fix=True, verbosity=0)
    assert sorted(line.count for line in ledger.corrections()) == [-5, 5]
    found = figures().counter
    assert (found.total, found.came - found.left) == (5, 5)


def test_a_counter_that_said_too_little_is_mended_in_the_ledger_too():
    count(2)
    tallies.add({tallies.TOTAL: -1})
    call_command("recount", fix=True, verbosity=0)
    (line,) = ledger.corrections()
    assert (line.kind, line.count) == ("recount", 1)
    assert figures().counter.left == 0


def test_the_ledger_knows_what_a_killed_sweeper_did_not_write_down():
    by = make_coordinator(username="sweeper")
    count(3, country="BE")
    sweeps.start(Sweep(country="BE", reason="automated", made_at=timezone.now()), by)
    sweeps.run()
    lost = {"state": Sweep.State.WAITING, "lowered": 0, "raised": 0}
    Sweep.objects.update(**lost | {"state": Sweep.State.STOPPED, "worker": "gone:1:x"})
    (line,) = ledger.corrections()
    assert (line.count, line.is_over) == (-3, False)
    Sweep.objects.update(**lost | {"worker": ""})
    sweeps.run()
    assert [line.count for line in ledger.corrections()] == [-3]
    sweeps.undo(Sweep.objects.get(), by)
    sweeps.run()
    Sweep.objects.update(**lost)
    sweeps.run()
    assert [line.count for line in ledger.corrections()] == [3, -3]


def test_an_undo_without_its_moment_is_in_the_ledger_all_the_same():
    """As the former release leaves one that runs while the new one migrates."""
    sweeps.start(Sweep(country="BE", reason="other"), make_coordinator(username="sweeper"))
    Sweep.objects.update(task=Sweep.Task.UNDO, undo_at=None, begun_at=None)
    assert [line.kind for line in ledger.corrections()] == ["set_aside", "restored"]


def test_what_is_drawn_up_and_what_is_remembered_agree_also_at_the_turn_of_an_hour(monkeypatch):
    moment = MIDNIGHT - timedelta(seconds=1)
    monkeypatch.setattr(timezone, "now", lambda: moment)
    history.now()
    count(5)
    moment = MIDNIGHT
    assert history.now().drawn.total == history.now().counter.total == 5
    assert history.days()[-1].total == 5


def test_the_historian_draws_up_this_hour(capsys):
    call_command("historian", once=True)
    assert "Drawn up" in capsys.readouterr().out
    assert Hour.objects.filter(opens_day=False).exists()


@pytest.mark.postgres
def test_who_hangs_while_drawing_keeps_readers_waiting_for_a_moment_only(committed, monkeypatch):
    monkeypatch.setattr(history, "LOCK_SECONDS", 1)
    history.draw_up(NOON)
    before = connection.settings_dict
    with psycopg.connect(
        host=before["HOST"], port=before["PORT"], user=before["USER"],
        password=before["PASSWORD"], dbname=before["NAME"],
    ) as other:  # fmt: skip
        other.execute("SELECT pg_advisory_xact_lock(%s)", [history.LOCK])
        assert history.draw_up(MIDNIGHT) is None
        assert history.now().counter.total == 0
        assert history.days()[-1].is_over is False
    caches["process"].clear()
    assert history.draw_up(MIDNIGHT)


@pytest.mark.postgres
def test_a_clock_that_is_far_ahead_draws_nothing(committed):
    assert history.draw_up(timezone.now() + timedelta(days=40)) is None
    assert history.draw_up()


@pytest.mark.postgres
def test_several_processes_draw_up_an_hour_once(committed):
    count(12)
    drawn = at_once([lambda: history.draw_up(NOON)] * 6)
    assert len([hour for hour in drawn if hour]) == 1
    assert Hour.objects.filter(hour=NOON).count() == 1
