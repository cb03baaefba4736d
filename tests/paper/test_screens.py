"""Sheets are printed and printed again, and each screen of theirs opens for who may see it."""

import re

import pytest
from django.test import Client

from petition.figures import sharing
from petition.models import Entry, Sheet, Text
from petition.paper import sheets
from tests.making import make_coordinator
from tests.paper.entering import COUNT, LIST, State, client_of, enter, what_is_read

pytestmark = pytest.mark.django_db


@pytest.fixture
def first():
    return client_of("paper", username="first")


@pytest.fixture
def second():
    return client_of("paper", username="second")


@pytest.fixture
def sheet():
    return sheets.make("fr", 1, make_coordinator("paper", username="printer"))[0]


def test_the_qr_code_opens_the_entry_of_its_sheet(first, sheet, monkeypatch):
    opened = []
    qr_code = sharing.qr_code
    monkeypatch.setattr(
        sharing, "qr_code", lambda address: opened.append(address) or qr_code(address)
    )
    assert first.post(f"{LIST}print/again/", {"batch": sheet.batch}).status_code == 200
    assert opened == [f"http://testserver{LIST}enter/?number={sheet.pk}"]
    page = what_is_read(first.get(opened[0].removeprefix("http://testserver")))
    assert f'value="{sheet.pk}"' in page
    assert "unsafe" not in first.get(f"{LIST}enter/")["Content-Security-Policy"]


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_a_batch_is_a_pdf_of_one_a4_page_a_sheet(first, language):
    response = first.post(f"{LIST}print/", {"language": language, "how_many": 3})
    assert response["Content-Type"] == "application/pdf"
    assert "attachment" in response["Content-Disposition"]
    assert response.content.startswith(b"%PDF-")
    assert b"/Count 3" in response.content
    assert b"[0 0 595.27" in response.content
    assert Sheet.objects.filter(language=language, state=State.BLANK).count() == 3
    entry = Entry.objects.get(act="print")
    assert (entry.subject, entry.detail["sheets"]) == ("batch 1", 3)


def test_a_long_appeal_still_leaves_one_page_a_sheet(first):
    Text.objects.filter(slug="appeal").update(title="Long " * 24, summary="Very long. " * 600)
    response = first.post(f"{LIST}print/", {"language": "fr", "how_many": 2})
    assert b"/Count 2" in response.content


def test_a_batch_is_printed_again_without_the_sheets_that_are_entered(first):
    made = sheets.make("ar", 3, first.user)
    enter(first, made[1])
    response = first.post(f"{LIST}print/again/", {"batch": made[0].batch})
    assert b"/Count 2" in response.content
    assert Sheet.objects.count() == 3
    assert Entry.objects.filter(act="print", subject="batch 1").count() == 2
    said = what_is_read(first.post(f"{LIST}print/again/", {"batch": 77}))
    assert "No sheet of this batch" in said


@pytest.mark.parametrize("how_many", [0, 201])
def test_a_batch_has_one_to_two_hundred_sheets(first, how_many):
    first.post(f"{LIST}print/", {"language": "fr", "how_many": how_many})
    assert Sheet.objects.count() == 0


def test_batches_and_numbers_go_on_where_the_last_ended(first):
    numbers = [s.pk for n in (2, 3) for s in sheets.make("en", n, first.user)]
    assert [number // 10 for number in numbers] == [10000, 10001, 10002, 10003, 10004]
    assert set(Sheet.objects.values_list("batch", flat=True)) == {1, 2}


@pytest.mark.parametrize(
    ("path", "role"),
    [
        ("print/", "administrator"),
        ("print/again/", "administrator"),
        ("enter/", "administrator"),
        ("import/", "administrator"),
        ("{}/settle/", "administrator"),
        ("{}/void/", "paper"),
        ("", "press"),
        ("{}/change/", "moderator"),
    ],
)
def test_each_screen_asks_for_its_permission(sheet, path, role):
    client = client_of(role, username="other")
    path = LIST + path.format(sheet.pk)
    assert client.get(path).status_code == 403
    assert client.post(path, COUNT | {"number": sheet.pk, "note": "x" * 9}).status_code == 403
    assert client.get(path, headers={"Accept-Language": "ar"}).status_code == 403
    assert Client().get(path).status_code == 302
    sheet.refresh_from_db()
    assert sheet.state == State.BLANK


@pytest.mark.parametrize("act", ["change", "delete"])
def test_nobody_types_edits_or_deletes_a_sheet_by_hand(admin_client, sheet, act):
    assert admin_client.get(f"{LIST}add/").status_code == 403
    body = {"state": "counted", "post": "yes"}
    assert admin_client.post(f"{LIST}{sheet.pk}/{act}/", body).status_code == 403
    sheet.refresh_from_db()
    assert sheet.state == State.BLANK


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
@pytest.mark.parametrize("page", ["", "print/", "enter/", "import/", "{}/change/", "{}/settle/",
                                  "{}/void/"])  # fmt: skip
def test_every_screen_opens_in_every_language(admin_client, first, second, sheet, language, page):
    enter(first, sheet)
    enter(second, sheet, valid=1)
    path = LIST + page.format(sheet.pk)
    response = admin_client.get(path, headers={"Accept-Language": language})
    assert response.status_code == 200
    html = response.content.decode()
    assert f'lang="{language}"' in html
    assert "unsafe" not in response["Content-Security-Policy"]
    assert not re.search(r"<script(?![^>]*src=)|\sstyle=|\son[a-z]+=", html.partition("<main")[2])
    for name in re.findall(r'<(?:input|select)[^>]* id="([^"]+)"', html.partition("<main")[2]):
        assert f'for="{name}"' in html


def test_the_list_shows_numbers_of_counted_sheets_and_narrows(first, second):
    made = sheets.make("ar", 2, first.user) + sheets.make("fr", 1, first.user)
    enter(first, made[0])
    enter(second, made[0])
    listed = what_is_read(first.get(f"{LIST}?state=counted"))
    assert str(made[0].pk) in listed
    assert '<td class="field-valid">17</td>' in listed
    assert str(made[1].pk) not in listed
    assert str(made[2].pk) in what_is_read(first.get(f"{LIST}?batch=2"))
    assert str(made[2].pk) not in what_is_read(first.get(f"{LIST}?language=ar"))
