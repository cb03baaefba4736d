"""Sample data that is not loaded: never mixed with what is real, nor left half there."""

import pytest
from django.core.management import CommandError, call_command

from petition.figures import history
from petition.management import samples
from petition.models import Case, Hour, Signature
from petition.signing import tallies
from tests.making import make_signature

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.fixture
def _development(settings):
    settings.DEBUG = True


def test_it_refuses_in_production_mode(settings):
    settings.DEBUG = False
    with pytest.raises(CommandError, match="DEBUG"):
        call_command("load_sample_data")
    assert not Signature.objects.exists()
    assert not Case.objects.exists()


@pytest.mark.usefixtures("_development")
def test_it_refuses_where_somebody_has_signed():
    make_signature()
    with pytest.raises(CommandError, match="never mixed"):
        call_command("load_sample_data")
    assert not Case.objects.exists()


def test_removing_what_was_never_there_leaves_the_history_alone():
    history.now()
    known = set(Hour.objects.values_list("pk", flat=True))
    call_command("load_sample_data", "--remove", verbosity=0)
    assert set(Hour.objects.values_list("pk", flat=True)) == known


@pytest.mark.usefixtures("_development")
def test_what_a_kill_left_half_loaded_goes_too():
    samples._load_case(1, samples.USUAL | {"situation": "arrested"})
    call_command("load_sample_data", "--remove", verbosity=0)
    assert not Case.objects.exists()
    expired = tallies.Tally.objects.filter(dimension="state", value="expired")
    assert sum(tally.count for tally in expired) == 0
