"""Files as people and spreadsheet programs write them are read as they are meant."""

from datetime import date
from io import BytesIO

import pytest
from django.test import Client
from openpyxl import load_workbook

from petition.models import SheetCount
from petition.paper import imports
from tests.paper.test_imports import HEAD, IMPORT, csv, post, problems, row, xlsx

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("in_english")]

ARABIC = ["رقم الورقة", "البلد", "المكان", "التاريخ", "جمعها", "الأسطر الصالحة", "الأسطر المشطوبة"]
FRENCH = ["Numéro de la feuille", "Pays", "Lieu", "Date", "Collectée par", "Lignes valides",
          "Lignes barrées"]  # fmt: skip


def read_as(content: bytes, user) -> tuple:
    """Country, day and valid lines of the one row, as the check understood it."""
    answer = imports.check(content, user)
    assert answer.problems == []
    count = answer.understood[0]
    return count.country, count.date, count.valid


@pytest.mark.parametrize("head", [ARABIC, FRENCH, [t.upper() for t in FRENCH], HEAD])
@pytest.mark.parametrize("make", [csv, xlsx])
def test_titles_are_read_in_each_language(first, numbers, head, make):
    content = make([row(numbers[0])], head)
    assert read_as(content, first) == ("MA", date(2026, 3, 31), 17)


@pytest.mark.parametrize(
    ("country", "code"),
    [("المغرب", "MA"), ("Maroc", "MA"), ("Morocco", "MA"), ("ma", "MA"), ("\u200fلبنان", "LB"),
     ("Égypte", "EG"), ("EGYPTE", "EG"), ("فلسطين", "PS"), ("Tunisie", "TN"), ("Kosovo", "XK")],
)  # fmt: skip
def test_a_country_is_read_by_its_name(first, numbers, country, code):
    assert read_as(csv([row(numbers[0], country=country)]), first)[0] == code


@pytest.mark.parametrize(
    "day",
    ["31.03.2026", "31/03/2026", "31-03-2026", "٢٠٢٦-٠٣-٣١", "٣١/٠٣/٢٠٢٦", "2026/03/31",
     "31 mars 2026", "31 مارس 2026", "\u200f31.03.2026"],
)  # fmt: skip
def test_a_day_is_read_however_it_is_written(first, numbers, day):
    assert read_as(csv([row(numbers[0], date=day)], delimiter=";"), first)[1] == date(2026, 3, 31)


@pytest.mark.parametrize("valid", ["١٧", "\u200e17", "17.0", "１７", " 17 "])
def test_a_number_is_read_in_any_digits(first, numbers, valid):
    assert read_as(csv([row(numbers[0], valid=valid)]), first)[2] == 17


@pytest.mark.parametrize(
    ("head", "codec", "delimiter", "before"),
    [(HEAD, "utf-8", ";", "sep=;\n"), (HEAD, "utf-8", ";", "sep=;\r\n"),
     (ARABIC, "utf-8-sig", ";", "sep=;\r\n"), (ARABIC, "utf-16", "\t", ""),
     (FRENCH, "utf-16", "\t", ""), (ARABIC, "utf-16-be", "\t", "\ufeff"),
     (ARABIC, "cp1256", ";", ""), (ARABIC, "cp1256", ",", "sep=,\n"), (FRENCH, "cp1252", ";", ""),
     (FRENCH, "cp1256", ";", "")],
)  # fmt: skip
def test_a_file_is_read_as_spreadsheet_programs_save_it(
    first, numbers, head, codec, delimiter, before
):
    place = "الرباط" if head == ARABIC else "Évry"
    if codec == "cp1256" and head == FRENCH:
        place = "Liège"  # This page has no É.
    text = before + csv([row(numbers[0], place=place)], head, delimiter).decode()
    answer = imports.check(text.encode(codec), first)
    assert (answer.problems, answer.understood[0].place) == ([], place)


def test_a_line_number_counts_the_line_that_names_the_separator(first, numbers):
    content = b"sep=;\n" + csv([row(numbers[0]), row(numbers[1], valid="many")], delimiter=";")
    assert problems(content, first)[0][:2] == (4, "valid")


def test_the_check_shows_how_rows_were_read(first, numbers):
    said = post(first, csv([row(numbers[0], country="Maroc", date="٣١.٠٣.٢٠٢٦")]), act="check")
    assert "How the first rows were read" in said
    assert "Morocco" in said
    assert "31 March 2026" in said
    assert not SheetCount.objects.exists()


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
@pytest.mark.parametrize("form", ["csv", "xlsx"])
def test_an_empty_file_of_each_language_can_be_filled_in(first, numbers, language, form):
    client = Client()
    client.force_login(first)
    response = client.get(f"{IMPORT}template-{language}.{form}")
    assert response.status_code == 200
    assert f"sheets-{language}.{form}" in response["Content-Disposition"]
    content = b"".join(response.streaming_content)
    if form == "csv":
        filled = content + csv([], row(numbers[0]), ";")
    else:
        book, out = load_workbook(BytesIO(content)), BytesIO()
        book.active.append(row(numbers[0]))
        book.save(out)
        filled = out.getvalue()
    assert read_as(filled, first) == ("MA", date(2026, 3, 31), 17)


@pytest.mark.parametrize("name", ["template-xx.csv", "template-ar.exe"])
def test_there_is_no_other_template(first, name):
    client = Client()
    client.force_login(first)
    assert client.get(IMPORT + name).status_code == 404
