"""Two people who count, sheets to count, and reasons in English."""

import pytest
from django.utils.translation import override

from petition.paper import sheets
from tests.making import make_coordinator


@pytest.fixture
def in_english():
    """Reasons are said in the active language, whichever test ran before."""
    with override("en"):
        yield


@pytest.fixture
def first():
    return make_coordinator("paper", username="first")


@pytest.fixture
def second():
    return make_coordinator("paper", username="second")


@pytest.fixture
def numbers(first):
    return [sheet.pk for sheet in sheets.make("ar", 10, first)]
