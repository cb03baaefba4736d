"""Paper sheets: entered by two who do not see each other's counts, settled, taken out."""

import re
from datetime import date, timedelta

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import IntegrityError, transaction
from django.utils import timezone

from petition import audit
from petition.models import Entry, Sheet, SheetCount, Tally
from petition.models.paper import a_day_of_the_campaign, plain_words
from petition.paper import sheets
from petition.signing import tallies
from tests.making import State as SignatureState
from tests.making import make_coordinator, make_signature
from tests.paper.entering import COUNT, LIST, State, client_of, enter, what_is_read

pytestmark = pytest.mark.django_db

# Numbers that stand nowhere on a page by chance.
RARE = {"country": "BT", "place": "Zzplacezz", "date": "2026-02-23", "collector": "Zzwhozz",
        "valid": 13, "struck": 7}  # fmt: skip


@pytest.fixture
def first():
    return client_of("paper", username="first")


@pytest.fixture
def second():
    return client_of("paper", username="second")


@pytest.fixture
def third():
    return client_of("paper", username="third")


@pytest.fixture
def administrator():
    return client_of("administrator", username="administrator")


@pytest.fixture
def sheet():
    return sheets.make("fr", 1, make_coordinator("paper", username="printer"))[0]


def _paper_figures() -> dict:
    rows = Tally.objects.filter(channel="paper").values_list("dimension", "value", "count")
    return {(dimension, value): count for dimension, value, count in rows if count}


def test_a_sheet_counts_once_two_coordinators_have_entered_the_same(first, second, sheet):
    assert "entered once" in enter(first, sheet)
    assert tallies.read_counter().total == 0
    assert "is counted: both coordinators" in enter(second, sheet, place="", collector="")
    sheet.refresh_from_db()
    assert (sheet.state, sheet.valid, sheet.struck, sheet.place) == (State.COUNTED, 17, 2, "Rabat")
    counter = tallies.read_counter()
    assert (counter.paper, counter.online, counter.total) == (17, 0, 17)
    assert _paper_figures() == {
        ("total", ""): 17,
        ("country", "MA"): 17,
        ("day", timezone.now().date().isoformat()): 17,
        ("language", "fr"): 17,
        ("track", ""): 17,
    }
    assert tallies.recount() == []


def test_the_same_person_is_refused_the_second_count(first, sheet):
    enter(first, sheet)
    said = enter(first, sheet)
    assert "You have entered this sheet already" in said
    assert 'value="Rabat"' in said
    sheet.refresh_from_db()
    assert sheet.state == State.ONCE
    assert SheetCount.objects.count() == 1
    assert tallies.read_counter().total == 0


def test_a_counted_sheet_is_refused_and_stays_as_it_is(first, second, third, sheet):
    enter(first, sheet)
    enter(second, sheet)
    for client in (first, second, third):
        assert "counted already" in enter(client, sheet, valid=1)
    assert tallies.read_counter().total == 17
    assert SheetCount.objects.count() == 2


@pytest.mark.parametrize("change", [{"valid": 16}, {"struck": 1}, {"country": "LB"}])
def test_two_different_counts_are_a_conflict_and_do_not_count(first, second, sheet, change):
    enter(first, sheet)
    said = enter(second, sheet, **change)
    assert "the other coordinator has entered something else" in said
    sheet.refresh_from_db()
    assert (sheet.state, sheet.valid) == (State.CONFLICT, None)
    assert tallies.read_counter().total == 0
    assert tallies.recount() == []
    assert "two counts differ" in what_is_read(second.get(f"{LIST}?state=conflict"))


def test_a_third_person_sees_both_counts_and_settles_by_counting(first, second, third, sheet):
    enter(first, sheet, **RARE)
    enter(second, sheet, valid=11)
    page = what_is_read(third.get(f"{LIST}{sheet.pk}/settle/"))
    for shown in ("Zzplacezz", "<td>13</td>", "<td>11</td>", "first", "second"):
        assert shown in page
    body = COUNT | {"valid": 12, "note": "Line 4 is a child’s drawing."}
    said = what_is_read(third.post(f"{LIST}{sheet.pk}/settle/", body, follow=True))
    assert "is counted as you have counted it" in said
    sheet.refresh_from_db()
    assert (sheet.state, sheet.valid, sheet.country) == (State.COUNTED, 12, "MA")
    assert tallies.read_counter().paper == 12
    assert tallies.recount() == []
    entry = Entry.objects.get(act="settle")
    assert (entry.actor, entry.subject) == ("third", f"sheet {sheet.pk}")
    assert entry.detail["note"] == "Line 4 is a child’s drawing."


def test_whoever_counted_neither_settles_nor_sees_the_other_count(first, second, third, sheet):
    enter(first, sheet, **RARE)
    enter(second, sheet, valid=11)
    for client in (first, second):
        page = client.get(f"{LIST}{sheet.pk}/settle/", follow=True)
        assert "You have counted this sheet yourself" in what_is_read(page)
        posted = client.post(f"{LIST}{sheet.pk}/settle/", COUNT, follow=True)
        assert "You have counted this sheet yourself" in what_is_read(posted)
        assert "/settle/" not in what_is_read(client.get(f"{LIST}{sheet.pk}/change/"))
    assert "Zzplacezz" not in what_is_read(second.get(f"{LIST}{sheet.pk}/settle/", follow=True))
    assert "/settle/" in what_is_read(third.get(f"{LIST}{sheet.pk}/change/"))
    assert "Zzplacezz" not in what_is_read(third.get(f"{LIST}{sheet.pk}/change/"))
    sheet.refresh_from_db()
    assert sheet.state == State.CONFLICT


def test_where_two_agree_or_only_one_entered_nothing_can_be_settled(first, third, sheet):
    said = what_is_read(third.post(f"{LIST}{sheet.pk}/settle/", COUNT, follow=True))
    assert "nothing to settle" in said
    enter(first, sheet, **RARE)
    page = third.get(f"{LIST}{sheet.pk}/settle/", follow=True)
    assert "nothing to settle" in what_is_read(page)
    assert "Zzplacezz" not in what_is_read(page)
    sheet.refresh_from_db()
    assert sheet.state == State.ONCE


def test_the_second_coordinator_sees_the_firsts_numbers_nowhere(first, second, sheet):
    enter(first, sheet, **RARE)
    second.user.groups.add(*User.objects.get(username="first").groups.all())
    administrator = client_of("paper", "administrator", username="all")
    csv = f"number,country,place,date,collector,valid,struck\n{sheet.pk},MA,,2026-03-31,,1,1\n"
    pages = []
    for client in (second, administrator):
        for path in (
            LIST, f"{LIST}?state=once", f"{LIST}{sheet.pk}/change/", f"{LIST}{sheet.pk}/history/",
            f"{LIST}{sheet.pk}/settle/", f"{LIST}enter/?number={sheet.pk}", f"{LIST}print/",
            "/admin/",
        ):  # fmt: skip
            pages.append(client.get(path, follow=True).content.decode())
        pages.append(_check(client, csv))
    pages.append(administrator.get("/admin/petition/entry/").content.decode())
    pages.append(enter(second, sheet, valid=30))
    pages.append(enter(second, sheet, valid=1))
    for page in pages:
        main = re.sub(r"<(select|option)[^>]*>[^<]*(</option>)?", "", page)
        assert "Zzplacezz" not in main
        assert "Zzwhozz" not in main
        assert "Bhutan" not in main
        assert "2026-02-23" not in main
        assert "Feb. 23, 2026" not in main
        assert not re.search(r">\s*(13|7)\s*<|(valid|struck)[^<]{0,12}\b(13|7)\b", main)
    entries = [str(e.detail) for e in Entry.objects.filter(act="enter")]
    assert all("13" not in detail and "valid" not in detail for detail in entries)


def _check(client, csv: str) -> str:
    file = SimpleUploadedFile("sheets.csv", csv.encode())
    return client.post(f"{LIST}import/", {"file": file, "check": "1"}).content.decode()


def test_one_wrong_digit_never_lands_on_another_sheet(first):
    made = sheets.make("ar", 200, make_coordinator(username="printer"))
    numbers = {sheet.pk for sheet in made}
    assert min(numbers) == 100008
    for number in list(numbers)[:20]:
        digits = str(number)
        wrong = [
            int(digits[:place] + digit + digits[place + 1 :])
            for place in range(len(digits))
            for digit in "0123456789"
            if digit != digits[place]
        ]
        assert not numbers & set(wrong)
    said = what_is_read(first.post(f"{LIST}enter/", COUNT | {"number": 100009}))
    assert "No sheet has this number" in said
    assert 'value="100009"' in said
    unknown = Sheet.number_of(99_999)
    assert "was made here" in what_is_read(first.post(f"{LIST}enter/", COUNT | {"number": unknown}))
    assert SheetCount.objects.count() == 0


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"valid": 19, "struck": 2}, "valid and crossed-out ones together are more"),
        ({"valid": 21}, "less than or equal to 20"),
        ({"valid": -1}, "greater than or equal to 0"),
        ({"date": "2026-02-09"}, "before the campaign began"),
        ({"date": "2999-01-01"}, "in the future"),
        ({"country": "XX"}, "not one of the available choices"),
        ({"collector": "someone@example.org"}, "without @"),
        ({"place": "=1+1"}, "do not begin with ="),
        ({"number": "10^30"}, "Enter a whole number"),
        ({"number": 10**30}, "less than or equal to"),
    ],
)
def test_what_cannot_be_on_a_sheet_is_refused_and_the_rest_is_kept(first, sheet, changes, why):
    said = enter(first, sheet, **changes)
    assert why in said
    assert 'value="Rabat"' in said or "place" in changes
    sheet.refresh_from_db()
    assert sheet.state == State.BLANK
    assert SheetCount.objects.count() == 0


def test_a_sheet_that_is_taken_out_is_taken_off_the_count(first, second, administrator, sheet):
    enter(first, sheet)
    enter(second, sheet)
    page = f"{LIST}{sheet.pk}/void/"
    assert "required" in what_is_read(administrator.post(page, {"note": " "}))
    assert tallies.read_counter().total == 17
    said = what_is_read(administrator.post(page, {"note": "All in one hand."}, follow=True))
    assert "is cancelled" in said
    assert "All in one hand." in said
    sheet.refresh_from_db()
    assert (sheet.state, sheet.valid, sheet.country) == (State.VOID, None, "")
    assert _paper_figures() == {("left", "void"): 17}
    assert tallies.recount() == []
    assert "cancelled" in what_is_read(administrator.post(page, {"note": "Once more."}))
    assert tallies.read_counter().total == 0
    assert "was cancelled" in enter(first, sheet)
    entry = Entry.objects.get(act="void")
    assert entry.detail == {"was": "counted", "country": "MA", "valid": 17, "struck": 2,
                            "note": "All in one hand."}  # fmt: skip


def test_taking_out_a_sheet_that_is_entered_once_tells_nobody_its_numbers(
    first, administrator, sheet
):
    enter(first, sheet, **RARE)
    said = what_is_read(
        administrator.post(f"{LIST}{sheet.pk}/void/", {"note": "Torn."}, follow=True)
    )
    assert "Zzplacezz" not in said
    assert Entry.objects.get(act="void").detail == {"was": "once", "note": "Torn."}
    assert tallies.recount() == []


@pytest.mark.parametrize("dimension", ["total", "country", "day", "language", "track"])
def test_recount_notices_each_kind_of_paper_counter_and_mends_it(first, second, sheet, dimension):
    make_signature(state=SignatureState.COUNTED)
    enter(first, sheet)
    enter(second, sheet)
    Tally.objects.filter(channel="paper", dimension=dimension).update(count=5)
    assert {(d.channel, d.dimension, d.counter, d.signatures) for d in tallies.recount()} == {
        ("paper", dimension, 5, 17)
    }
    tallies.mend()
    assert tallies.recount() == []
    assert tallies.read_counter().total == 18


def test_the_counter_for_programs_adds_paper_to_the_total(client, first, second, sheet):
    make_signature(state=SignatureState.COUNTED)
    enter(first, sheet)
    enter(second, sheet)
    figures = client.get("/api/v1/counter.json").json()
    assert (figures["total"], figures["online"], figures["paper"]) == (18, 1, 17)


def test_every_act_leaves_its_entry_and_the_chain_holds(first, second, third, sheet):
    enter(first, sheet)
    enter(second, sheet, valid=1)
    third.post(f"{LIST}{sheet.pk}/settle/", COUNT)
    assert [(e.act, e.actor) for e in Entry.objects.order_by("number")] == [
        ("print", "printer"),
        ("enter", "first"),
        ("enter", "second"),
        ("settle", "third"),
    ]
    assert audit.broken() == []


def test_the_database_refuses_numbers_that_no_sheet_has(sheet):
    counted = {"state": State.COUNTED, "country": "MA", "date": date(2026, 3, 1), "valid": 20,
               "counted_at": timezone.now()}  # fmt: skip
    for wrong in (
        {"valid": 3},  # Not counted, and a number.
        {**counted, "struck": None},
        {**counted, "struck": 1},
        {**counted, "struck": 0, "country": ""},
        {"state": "other"},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Sheet.objects.filter(pk=sheet.pk).update(**wrong)
    Sheet.objects.filter(pk=sheet.pk).update(**counted, struck=0)


def test_the_act_itself_refuses_whoever_may_not_settle():
    """Also where two thirds pressed at once: the screen's own look comes too early for that."""
    first, second, third = (make_coordinator("paper", username=f"p{n}") for n in range(3))
    count = {"country": "MA", "date": date(2026, 3, 1), "struck": 0}
    settled, taken_out = sheets.make("ar", 2, first)
    for sheet in (settled, taken_out):
        sheets.enter(sheet.number, first, valid=4, **count)
        sheets.enter(sheet.number, second, valid=5, **count)
    with pytest.raises(sheets.CountedItYourself):
        sheets.settle(settled.number, first, valid=4, **count)
    sheets.settle(settled.number, third, valid=5, **count)
    sheets.void(taken_out.number, third, "lost")
    fourth = make_coordinator("paper", username="fourth")
    for sheet in (settled, taken_out):
        with pytest.raises(sheets.NotInConflict):
            sheets.settle(sheet.number, fourth, valid=5, **count)
    assert tallies.read_counter().paper == 5
    assert tallies.recount() == []


@pytest.mark.parametrize(
    "place", ["الرباط\u200f", "\u200eRabat", "Aït\u00a0Melloul", "مى\u200cشود"]
)
def test_what_keyboards_put_into_honest_words_is_no_mistake(place):
    plain_words(place)


def test_tomorrow_in_utc_is_today_somewhere():
    tomorrow = timezone.now().date() + timedelta(days=1)
    a_day_of_the_campaign(tomorrow)
    with pytest.raises(ValidationError):
        a_day_of_the_campaign(tomorrow + timedelta(days=1))
