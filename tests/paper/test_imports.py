"""Counts of many sheets from a file: every wrong row is named, and all are taken or none."""

import time
import zipfile
from datetime import date, datetime, timedelta
from io import BytesIO

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from openpyxl import Workbook

from petition.models import Entry, Sheet, SheetCount
from petition.paper import files, imports, sheets
from petition.signing import tallies
from tests.making import make_coordinator
from tests.paper.entering import COUNT, TYPED, State

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]

IMPORT = "/admin/petition/sheet/import/"
HEAD = list(files.COLUMNS)


def row(number, **changes) -> list:
    return list(({"number": number} | COUNT | changes).values())


def csv(rows, head=HEAD, delimiter=",") -> bytes:
    lines = [delimiter.join(str(cell) for cell in cells) for cells in [head, *rows]]
    return "\n".join(lines).encode()


def xlsx(rows, head=HEAD) -> bytes:
    book, out = Workbook(), BytesIO()
    for cells in [head, *rows]:
        book.active.append(cells)
    book.save(out)
    return out.getvalue()


def post(user, content: bytes, act="import", name="sheets.csv") -> str:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(user)
    response = client.post(IMPORT, {"file": SimpleUploadedFile(name, content), act: "1"})
    assert response.status_code == 200
    return response.content.decode().replace("&#x27;", "'").replace("&quot;", '"')


def problems(content: bytes, user) -> list[tuple[int, str, str]]:
    return [(p.line, p.column, p.reason) for p in imports.check(content, user).problems]


def test_two_files_that_say_the_same_count_each_sheet_once(first, second, numbers):
    said = post(first, csv([row(n) for n in numbers]))
    assert "The file is imported" in said
    assert tallies.read_counter().total == 0
    said = post(second, xlsx([row(n, date=date(2026, 3, 31)) for n in numbers]), name="s.xlsx")
    assert "The file is imported" in said
    assert set(Sheet.objects.values_list("state", flat=True)) == {State.COUNTED}
    assert tallies.read_counter().paper == 170
    assert tallies.recount() == []
    assert SheetCount.objects.filter(imported=True).count() == 20
    entries = Entry.objects.filter(act="import").order_by("number")
    assert [(e.actor, e.detail["rows"], e.detail["counted"]) for e in entries] == [
        ("first", 10, 0),
        ("second", 10, 10),
    ]


def test_what_is_known_is_skipped_when_a_file_comes_again(first, second, numbers):
    sheets.enter(numbers[0], first, **TYPED)
    sheets.enter(numbers[0], second, **TYPED)
    sheets.enter(numbers[1], first, **TYPED | {"valid": 3})
    file = csv([row(n) for n in numbers])
    assert imports.check(file, first).taken == sheets.Taken(first=8, second=0, known=2)
    assert imports.load(file, first).taken.known == 2
    again = imports.load(file, first).taken
    assert (again.known, again.first, again.second) == (10, 0, 0)
    assert tallies.read_counter().paper == 17
    assert SheetCount.objects.count() == 11
    assert tallies.recount() == []


def test_a_file_that_says_something_else_makes_conflicts(first, second, numbers):
    imports.load(csv([row(n) for n in numbers]), first)
    said = post(second, csv([row(n, valid=5 if n == numbers[3] else 17) for n in numbers]))
    assert "wait for a third coordinator" in said
    assert str(numbers[3]) in said
    assert list(Sheet.objects.in_conflict().values_list("pk", flat=True)) == [numbers[3]]
    assert tallies.read_counter().paper == 17 * 9
    assert imports.load(csv([row(numbers[3])]), make_coordinator(username="x")).taken.known == 1


def test_a_check_writes_nothing_and_does_not_tell_who_agrees(first, second, numbers):
    imports.load(csv([row(n) for n in numbers]), first)
    entries = Entry.objects.count()
    same = post(second, csv([row(n) for n in numbers]), act="check")
    other = post(second, csv([row(n, valid=3) for n in numbers]), act="check")
    assert "It is not imported yet" in same
    shown = [page.partition('id="import-answer"')[2].partition("How the first rows")[0]
             for page in (same, other)]  # fmt: skip
    assert shown[0] == shown[1] != ""
    assert "conflict" not in shown[0]
    assert SheetCount.objects.count() == 10
    assert Entry.objects.count() == entries
    assert set(Sheet.objects.values_list("state", flat=True)) == {State.ONCE}


def test_an_xlsx_of_5000_rows_names_each_of_its_37_wrong_ones_and_imports_nothing(first):
    made = [sheet.pk for _ in range(25) for sheet in sheets.make("ar", 200, first)]
    sheets.void(made[3000], make_coordinator(username="administrator"), "Lost.")
    rows = [row(float(n), date=datetime(2026, 3, 31)) for n in made]
    tomorrow = (timezone.now() + timedelta(days=2)).date()  # Nowhere in the world yet.
    kinds = [
        ("country", "XX", "two letters"),
        ("country", "", "cannot be blank"),
        ("date", tomorrow, "in the future"),
        ("date", date(2026, 2, 9), "before the campaign"),
        ("date", "03/31/2026", "year-month-day"),
        ("valid", 19, "together are more"),
        ("valid", 21, "less than or equal to 20"),
        ("valid", 2.5, "whole number"),
        ("struck", "=1+1", "formula"),
        ("place", "p" * 61, "at most 60"),
        ("collector", "a@b.c", "without @"),
        ("number", "", "whole number"),
    ]
    wrong = {}
    for n in range(36):
        line = 100 + n * 130
        column, value, reason = kinds[n % len(kinds)]
        rows[line - 2][HEAD.index(column)] = value
        wrong[line] = reason
    wrong[3002] = "was cancelled"
    before = (SheetCount.objects.count(), Entry.objects.count())
    began = time.monotonic()
    content = xlsx(rows)
    said = post(first, content, name="many.xlsx")
    assert "Nothing was imported" in said
    assert "Rows with errors: <bdi>37</bdi>" in said
    found = {line: reason for line, _column, reason in problems(content, first)}
    assert found.keys() == wrong.keys()
    for line, reason in wrong.items():
        assert reason in found[line], line
        assert f"<tr><td>{line}</td>" in said
    assert (SheetCount.objects.count(), Entry.objects.count()) == before
    assert tallies.read_counter().total == 0
    assert time.monotonic() - began < 60


def test_5000_right_rows_are_imported_in_one_act(first, second):
    made = [sheet.pk for _ in range(25) for sheet in sheets.make("ar", 200, first)]
    for person in (first, second):
        answer = imports.load(xlsx([row(n) for n in made]), person)
        assert answer.problems == []
    assert tallies.read_counter().paper == 5000 * 17
    assert tallies.recount() == []
    assert Entry.objects.filter(act="import").count() == 2


def test_a_sheet_twice_in_a_file_is_an_error_of_its_second_line(first, numbers):
    content = csv([row(numbers[0]), row(numbers[1]), row(numbers[0], valid=3)])
    assert problems(content, first) == [(4, "number", "This sheet stands on line 2 already.")]
    assert imports.load(content, first).taken is None
    assert SheetCount.objects.count() == 0


def test_every_error_of_a_row_is_named(first, numbers):
    content = csv([row(numbers[0], country="Atlantis", date="soon", valid="many")])
    assert [column for _, column, _ in problems(content, first)] == ["country", "date", "valid"]


def test_numbers_that_no_sheet_has_are_named(first, numbers):
    content = csv([row(numbers[0] + 1), row(Sheet.number_of(50_000)), row(999_999_999_999)])
    reasons = [reason for _, _, reason in problems(content, first)]
    assert [reason.split()[0:3] for reason in map(str, reasons)] == [
        ["No", "sheet", "has"],
        ["No", "sheet", "with"],
        ["No", "sheet", "has"],
    ]


def test_what_spreadsheets_do_to_numbers_and_rows_is_read(first, numbers):
    empty = [None] * 7
    rows = [row(float(numbers[0]), valid=17.0, struck=2.0, date=datetime(2026, 3, 31, 0, 0)), empty,
            row(str(numbers[1]), country=" ma ", place=None, collector=None), empty,
            row(numbers[2], collector=7.0), *[empty] * 30, ["  "] * 7]  # fmt: skip
    head = ["Number", " Country ", *HEAD[2:], None, None]
    answer = imports.load(xlsx(rows, head), first)
    assert (answer.rows, answer.problems) == (3, [])
    counts = {c.sheet_id: c for c in SheetCount.objects.all()}
    assert (counts[numbers[0]].valid, counts[numbers[0]].date) == (17, date(2026, 3, 31))
    assert (counts[numbers[1]].country, counts[numbers[1]].place) == ("MA", "")
    assert counts[numbers[2]].collector == "7"


def test_lines_are_those_of_the_file_whatever_is_empty_between(first, numbers):
    content = csv([row(numbers[0]), [""], [""] * 7, row(numbers[1], country="XX")])
    assert [line for line, _, _ in problems(content, first)] == [5]
    book = xlsx([row(numbers[0]), [None] * 7, row(numbers[1], country="XX")])
    assert [line for line, _, _ in problems(book, first)] == [4]


@pytest.mark.parametrize("delimiter", [";", "\t"])
def test_a_csv_as_spreadsheets_of_any_country_write_it_is_read(first, numbers, delimiter):
    content = b"\xef\xbb\xbf" + csv([row(numbers[0], place="الرباط")], delimiter=delimiter)
    assert imports.load(content.replace(b"\n", b"\r\n"), first).problems == []
    assert SheetCount.objects.get().place == "الرباط"


def test_columns_may_stand_in_any_order(first, numbers):
    content = csv([list(reversed(row(numbers[0])))], head=list(reversed(HEAD)))
    assert imports.load(content, first).problems == []
    assert SheetCount.objects.get().valid == 17


def test_formulas_are_not_read(first, numbers):
    rows = [row(numbers[0], valid="=10+7"), row(numbers[1], place='=HYPERLINK("http://x")')]
    rows += [row("=A2"), row(numbers[2], place="+1"), row(numbers[3], collector="@x")]
    for content in (xlsx(rows), csv([r for r in rows if '"' not in str(r)])):
        assert all("formula" in r or "do not begin" in r for _, _, r in problems(content, first))
    assert len(problems(xlsx(rows), first)) == 5
    post(first, xlsx(rows), name="x.xlsx")
    assert SheetCount.objects.count() == 0


def _zip(parts: dict[str, bytes]) -> bytes:
    out = BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"PK\x03\x04 no zip at all", "cannot be read as XLSX"),
        (_zip({"xl/workbook.xml": b"<x/>"}), "cannot be read as XLSX"),
        (_zip({"a.xml": bytes(11 * 1024 * 1024)}), "larger than 10 MB"),
        (b"\xd0\xcf\x11\xe0 an old xls", "neither XLSX nor CSV"),
        ("number;cité".encode("latin-1"), "does not name these columns"),
        (b"number,country\n1,MA\n", "does not name these columns: place, date"),
        (csv([[*row(1), "Sample Signer"]], [*HEAD, "name"]), "do not belong there: name"),
        (csv([[*row(1), "Sample Signer"]]), "Line 2 has more cells"),
        (csv([row(1)], [*HEAD, "valid"]), "do not belong there"),
        (csv([]), "no row below"),
        (b"x" * (2 * 1024 * 1024 + 1), "larger than 2 MB"),
        (csv([row(1)] * 10_001), "more than 10,000 rows"),
        (csv([row(1, place="x" * 140_000)]), "cannot be read as CSV"),
    ],
)  # fmt: skip
def test_a_file_that_cannot_be_read_is_refused_in_words(first, content, why):
    for act in ("check", "import"):
        assert why in post(first, content, act)
    assert SheetCount.objects.count() == 0
    assert not Entry.objects.filter(act="import").exists()


def test_no_file_is_refused_in_words(first):
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(first)
    assert "This field is required" in client.post(IMPORT, {"import": "1"}).content.decode()


def test_a_sheet_that_changes_while_a_file_is_read_lets_nothing_be_half_imported(
    first, numbers, monkeypatch
):
    monkeypatch.setattr(sheets, "refusals", lambda numbers, by: {})
    sheets.void(numbers[9], make_coordinator(username="administrator"), "Lost.")
    said = post(first, csv([row(n) for n in numbers]))
    assert "a sheet has changed meanwhile" in said
    assert SheetCount.objects.count() == 0
    assert set(Sheet.objects.values_list("state", flat=True)) == {State.BLANK, State.VOID}


def _book(**tables) -> bytes:
    book = Workbook()
    book.remove(book.active)
    for name, (rows, state) in tables.items():
        table = book.create_sheet(name)
        table.sheet_state = state
        for row in rows:
            table.append(row)
    out = BytesIO()
    book.save(out)
    return out.getvalue()


@pytest.mark.django_db
def test_a_hidden_copy_is_not_taken_for_what_people_see():
    stale, seen = [HEAD, [1] * 7], [HEAD, [2] * 7]
    content = _book(old=(stale, "hidden"), new=(seen, "visible"))
    assert str(files.read(content).dict[0]["valid"]) == "2"
    with pytest.raises(files.Unreadable, match="one visible sheet"):
        files.read(_book(one=(stale, "visible"), two=(seen, "visible")))


@pytest.mark.django_db
@pytest.mark.parametrize("odd", ["far", "wide"])
def test_a_file_that_claims_to_be_endless_is_left_early(odd):
    book = Workbook()
    book.active.append(HEAD)
    if odd == "far":
        book.active.cell(row=1_000_000, column=1, value=7)
    else:
        book.active.cell(row=2, column=files.MOST_COLUMNS + 1, value="a name")
    out = BytesIO()
    book.save(out)
    with pytest.raises(files.Unreadable, match="too many"):
        files.read(out.getvalue())
