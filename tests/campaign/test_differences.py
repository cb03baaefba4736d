"""What differs between two texts, as somebody reads it."""

import re
import time

import pytest

from petition.campaign import differences


@pytest.mark.parametrize(
    ("before", "after", "marked"),
    [
        ("one two three", "one 2 three", "one <del>two </del><ins>2 </ins>three"),
        ("same\n\nold", "same\n\nnew", "same\n\n<del>old</del><ins>new</ins>"),
        ("same", "same\n\nmore", "same<ins>\n\nmore</ins>"),
        ("same", "same", "same"),
        ("<b>", "<i>", "<del>&lt;b&gt;</del><ins>&lt;i&gt;</ins>"),
        ("", "all", "<ins>all</ins>"),
    ],
)
def test_what_went_and_what_came_is_marked(before, after, marked):
    assert differences.marked(before, after) == marked


def test_an_arabic_word_is_marked_as_a_whole():
    marked = differences.marked("كلّ توقيع مؤكَّد", "كلّ توقيعٍ مؤكَّد")
    assert marked == "كلّ <del>توقيع </del><ins>توقيعٍ </ins>مؤكَّد"


def test_both_texts_can_be_read_out_of_what_is_marked():
    before, after = "a b\n\n- c\n- d\n", "a\n\n- c e\n\n- d f"
    marked = str(differences.marked(before, after))
    assert re.sub("<ins>.*?</ins>|</?del>", "", marked, flags=re.S) == before
    assert re.sub("<del>.*?</del>|</?ins>", "", marked, flags=re.S) == after


def test_two_long_texts_that_share_little_are_compared_in_time():
    words = [chr(1575 + n) * (n % 5 + 1) for n in range(30)]
    before = " ".join(words[n * 7 % 30] for n in range(6000))
    after = " ".join(words[n * 11 % 30] for n in range(6000))
    began = time.monotonic()
    differences.marked(before, after)
    assert time.monotonic() - began < 5
