"""What tests of letters share."""

import pytest

from tests.letters.readers import FAST


@pytest.fixture
def fast_news(settings):
    """No letter of news waits for the pace."""
    settings.NEWS_RATE = FAST
