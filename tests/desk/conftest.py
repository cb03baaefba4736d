"""What tests of the desk share."""

import pytest

from tests.making import make_coordinator


@pytest.fixture
def second_factor(settings):
    """As in production: the password alone opens nothing."""
    settings.TWO_FACTOR = True


@pytest.fixture
def coordinator():
    return make_coordinator("moderator", username="sample-coordinator")
