"""What tests of cases share."""

import pytest

from petition.cases import pictures
from tests.making import make_person


@pytest.fixture
def encoded_quickly(request, monkeypatch):
    """What most tests look at is the same however hard an encoder tries to make it small."""
    if not request.node.get_closest_marker("as_sent"):
        monkeypatch.setitem(pictures.ENCODERS["avif"], "speed", 10)
        monkeypatch.setitem(pictures.ENCODERS["webp"], "method", 0)


@pytest.fixture
def author():
    return make_person("author")
