"""Sample data that is loaded: fictional, labelled, and taken away as a whole."""

import pytest
from django.contrib.auth.models import User
from django.core.cache import caches
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test.utils import override_settings

from petition.campaign import newsroom
from petition.cases import rules
from petition.figures import history, ledger
from petition.letters import mailings
from petition.management import samples
from petition.models import (
    Case,
    CaseText,
    Export,
    Letter,
    News,
    Rendition,
    Sheet,
    Signature,
    Sweep,
)
from petition.signing import signatures, tallies
from tests.making import State, make_coordinator, make_signature

# Once: nothing here is one database's own way, and five thousand signatures take their time.
pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.fixture
def _development(settings):
    settings.DEBUG = True


@pytest.fixture(scope="module")
def _loaded_once(django_db_setup, django_db_blocker):
    """The sample data for all tests that look at it: each goes back to here."""
    with django_db_blocker.unblock(), transaction.atomic(), override_settings(DEBUG=True):
        call_command("load_sample_data", verbosity=0)
        yield
        transaction.set_rollback(True)


@pytest.fixture
def _loaded(_loaded_once, _development):
    pass


@pytest.mark.usefixtures("_loaded")
def test_it_has_something_for_every_page_and_screen():
    assert set(Case.objects.values_list("situation", flat=True)) == set(Case.Situation.values)
    assert Case.objects.count() == 12
    assert rules.public_cases().exists()
    assert rules.waiting().exists()
    assert rules.lapsing().exists()
    assert Case.objects.filter(take_down__isnull=False).exists()
    assert set(Sheet.objects.values_list("state", flat=True)) == set(Sheet.State.values)
    assert Signature.objects.count() == 5000
    countries = set(Signature.objects.values_list("country", flat=True))
    days = {s.signed_at.date() for s in Signature.objects.only("signed_at")}
    assert len(countries) == 40
    assert len(days) >= 55
    assert Sweep.objects.get().moved > 0
    assert {story.state for story in News.objects.all()} == {"draft", "scheduled", "public"}
    assert tallies.recount() == []


@pytest.mark.usefixtures("_loaded")
def test_every_person_in_it_says_that_they_do_not_exist():
    for name in CaseText.objects.values_list("name", flat=True):
        assert name.startswith(("مثال", "Exemple", "Example"))
    for signature in Signature.objects.all()[:50]:
        assert signature.email.endswith("@sample.invalid")
    assert not User.objects.filter(is_active=True).exists()


@pytest.mark.usefixtures("_loaded")
def test_nobody_is_written_to():
    assert not Letter.objects.filter(state=Letter.State.DUE).exists()


@pytest.mark.usefixtures("_loaded")
def test_it_is_not_loaded_twice():
    with pytest.raises(CommandError, match="already"):
        call_command("load_sample_data")
    assert Case.objects.count() == 12


@pytest.mark.usefixtures("_loaded")
def test_all_of_it_goes_also_what_was_withdrawn_or_purged_since_and_nothing_real(noon):
    counted, pending = (
        samples.signatures().filter(state=state).first() for state in (State.COUNTED, State.PENDING)
    )
    signatures.withdraw(signatures.links.token("withdraw", counted.reference))
    Signature.objects.filter(pk=pending.pk).update(signed_at="2026-01-01T00:00Z")
    call_command("purge", verbosity=0)
    real = make_signature(state=State.COUNTED)
    assert history.now().counter.total > 1000
    call_command("load_sample_data", "--remove", verbosity=0)
    assert Signature.objects.get() == real
    assert (history.now().counter.came, history.days()[-1].flow.came) == (1, 1)
    assert ledger.corrections() == []
    for model in (Case, News, Rendition, Sheet, Sweep, Export, User):
        assert not model.objects.exists(), model
    assert tallies.recount() == []
    assert tallies.read_counter().total == 1
    states = tallies.Tally.objects.filter(dimension="state", value="expired")
    assert sum(tally.count for tally in states) == 0


PUBLIC = ["", "sign/", "signed/", "tracks/fate/", "cases/", "news/", "about/"]
SAYS = {"ar": "بيانات تجريبية", "fr": "Données d’exemple", "en": "Sample data"}


@pytest.mark.usefixtures("_loaded")
@pytest.mark.parametrize("language", SAYS)
def test_every_page_says_that_it_shows_samples_and_none_does_without_them(client, language):
    for path in PUBLIC:
        assert SAYS[language] in client.get(f"/{language}/{path}").content.decode(), path
    slug = rules.public_cases().first().slug
    assert SAYS[language] in client.get(f"/{language}/cases/{slug}/").content.decode()
    call_command("load_sample_data", "--remove", verbosity=0)
    caches["process"].clear()
    for path in PUBLIC:
        assert SAYS[language] not in client.get(f"/{language}/{path}").content.decode(), path


@pytest.mark.usefixtures("_loaded")
def test_the_desk_and_what_programs_read_say_it_too(client):
    client.force_login(make_coordinator("moderator"))
    assert SAYS["en"] in client.get("/admin/", headers={"Accept-Language": "en"}).content.decode()
    assert client.get("/api/v1/counter.json").json()["sample"] is True


@pytest.mark.usefixtures("_loaded")
def test_a_sample_story_that_somebody_has_sent_goes_too(settings):
    settings.NEWS_RATE = 1000
    newsroom.send(News.objects.get(slug="sample-1"), make_coordinator("editor", username="tester"))
    mailings.queue()
    assert Letter.objects.filter(kind="news").exists()
    call_command("load_sample_data", "--remove", verbosity=0)
    assert not News.objects.exists()
    assert tallies.recount() == []
