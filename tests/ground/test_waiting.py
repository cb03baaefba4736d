"""How long may still be waited."""

import pytest

from petition.ground import waiting

pytestmark = pytest.mark.once


def test_what_is_within_waits_no_longer_than_what_is_around_it():
    assert waiting.left() == waiting.WORKER_SECONDS
    with waiting.at_most(10):
        assert 9 < waiting.left() <= 10
        with waiting.at_most(60):
            assert waiting.left() <= 10
        with waiting.at_most(0):
            assert waiting.left() == 0
        assert waiting.left() > 9
    assert waiting.left() == waiting.WORKER_SECONDS
