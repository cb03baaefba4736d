"""What a process keeps for seconds, and for how long an old value stands in for a new one."""

import pytest
from django.core.cache import caches
from django.db import OperationalError

from petition.ground.memory import AN_HOUR, RETRY_SECONDS, remember

pytestmark = pytest.mark.once


class Source:
    """Counts how often it was asked; does not answer while it is down."""

    def __init__(self):
        self.asked, self.is_down = 0, False

    def __call__(self) -> str:
        self.asked += 1
        if self.is_down:
            raise OperationalError
        return f"answer {self.asked}"


def forget(key: str) -> None:
    """As if its seconds were over."""
    caches["process"].delete(key)


def test_it_is_asked_for_once_in_its_time():
    source = Source()
    assert [remember("x", source, 10) for _ in range(3)] == ["answer 1"] * 3
    forget("x")
    assert remember("x", source, 10) == "answer 2"


def test_the_last_good_answer_stands_in_and_the_source_is_soon_asked_again():
    source = Source()
    remember("x", source, 10, AN_HOUR)
    forget("x")
    source.is_down = True
    assert [remember("x", source, 10, AN_HOUR) for _ in range(3)] == ["answer 1"] * 3
    assert source.asked == 2
    assert RETRY_SECONDS < 10
    forget("x")
    source.is_down = False
    assert remember("x", source, 10, AN_HOUR) == "answer 3"


def test_what_may_not_be_shown_longer_than_its_time_is_never_old():
    source = Source()
    remember("case", source, 10)
    forget("case")
    source.is_down = True
    with pytest.raises(OperationalError):
        remember("case", source, 10)


def test_without_any_answer_yet_the_error_is_the_callers():
    source = Source()
    source.is_down = True
    with pytest.raises(OperationalError):
        remember("x", source, 10, AN_HOUR)


def test_an_answer_that_is_false_or_empty_is_an_answer():
    source = Source()
    assert remember("x", lambda: False, 10) is False
    assert remember("x", source, 10) is False
    assert source.asked == 0
