"""Numbers, days and single lines as people type them."""

from datetime import date

import pytest
from django.http import QueryDict
from hypothesis import given
from hypothesis import strategies as st

from petition.ground import typed

INVISIBLE = (
    "\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff\u00ad"
)


@pytest.mark.parametrize("character", sorted(typed.INVISIBLE))
def test_what_shows_nothing_is_left_out_wherever_it_stands(character):
    assert typed.visible(f"{character}a{character}b{character}") == "ab"
    assert typed.plain(f"{character} ١{character}٢ {character}") == "12"


@pytest.mark.parametrize(
    ("text", "number"),
    [("18", 18), ("\u200e18", 18), ("١٨", 18), ("۱۸", 18), ("１８", 18), (" 18 ", 18),
     ("1 000", 1000), ("1\u202f000", 1000), ("1\u00a0000", 1000), ("1\u2009000", 1000),
     ("١٬٠٠٠", 1000), ("1'000", 1000), ("12 345 678", 12345678), ("0", 0), ("007", 7),
     ("1 00", None), ("18.5", None), ("-1", None), ("", None), ("eighteen", None), ("1,5", None),
     ("1e3", None), ("²", 2), ("9" * 30, None)],
)  # fmt: skip
def test_a_number_is_read_in_the_digits_of_any_script(text, number):
    assert typed.whole_number(text) == number


@pytest.mark.parametrize(
    "text",
    ["2026-03-31", "2026/03/31", "2026.3.31", "31/03/2026", "31.03.2026", "31-3-2026", "31.3.2026",
     "٢٠٢٦-٠٣-٣١", "٣١/٠٣/٢٠٢٦", "۳۱/۰۳/۲۰۲۶", "\u200f31/03/2026\u200e", " 31.03.2026 ",
     "31 March 2026", "31 mars 2026", "31 Mar 2026", "31 مارس 2026", "٣١ مارس ٢٠٢٦",
     "31 آذار 2026", "31 MARS 2026", "31  mars  2026"],
)  # fmt: skip
def test_a_day_is_read_however_it_is_written(text):
    assert typed.day(text) == date(2026, 3, 31)


@pytest.mark.parametrize(
    ("text", "meant"),
    [("1er avril 2026", date(2026, 4, 1)), ("14 شباط 2026", date(2026, 2, 14)),
     ("9 غشت 2026", date(2026, 8, 9)), ("02/01/2026", date(2026, 1, 2)),
     ("31/13/2026", None), ("31.02.2026", None), ("2026-31-03", None), ("03/31/2026", None),
     ("yesterday", None), ("", None), ("31/03/26", None), ("2026", None)],
)  # fmt: skip
def test_a_day_that_is_none_is_not_guessed(text, meant):
    assert typed.day(text) == meant


@given(st.text())
def test_no_text_breaks_the_readers(text):
    for read in (typed.visible, typed.plain, typed.whole_number, typed.day):
        read(text)
    assert typed.plain(typed.plain(text)) == typed.plain(text)


def test_passwords_and_longer_texts_stay_as_they_are():
    data = QueryDict(mutable=True)
    data.update({"password": "a\u200fb", "new_password1": "a\u200fb", "body": "a\u200f\nb"})
    data.setlist("title", ["\u200fa", "b\ufeff"])
    mended = typed.mended(data)
    assert mended["password"] == mended["new_password1"] == "a\u200fb"
    assert mended["body"] == "a\u200f\nb"
    assert mended.getlist("title") == ["a", "b"]
