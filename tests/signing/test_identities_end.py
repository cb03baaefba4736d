"""From a day that the operator sets, names and addresses are gone and every figure stays."""

from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import call_command
from django.utils import timezone

from petition.ground import links
from petition.letters import sending
from petition.log import verify
from petition.models import Entry, Letter, Signature
from petition.signing import lifecycle, privacy, tallies
from tests.log.making import append, counted
from tests.making import State, filled_form, make_signature

pytestmark = pytest.mark.django_db


@pytest.fixture
def ended(settings):
    settings.IDENTITIES_END = timezone.now().date()


def nameless() -> int:
    return Signature.objects.filter(**Signature.NAMELESS).exclude(mailbox=None).count()


def test_nothing_ends_without_a_day_or_before_it(settings):
    counted(2)
    append()
    assert privacy.purge()["identities"] == 0
    settings.IDENTITIES_END = timezone.now().date() + timedelta(days=1)
    assert privacy.purge()["identities"] == 0
    assert nameless() == 0


def test_names_go_and_every_figure_stays(ended, client):
    confirmed = counted(3, country="MA", track_id="fate", updates=True, delivery=True)
    lifecycle.move(confirmed[0], State.HELD, reason="other")
    make_signature("pending@example.org")
    append()
    before = tallies.every()
    assert privacy.purge()["identities"] == 3
    assert privacy.purge()["identities"] == 0
    assert nameless() == 3
    assert tallies.every() == before
    assert tallies.recount() == []
    assert not verify.problems()
    assert Signature.objects.get(state=State.PENDING).email == "pending@example.org"
    entry = Entry.objects.latest("number")
    assert (entry.act, entry.actor, entry.subject) == ("erase", "(system)", "identities")
    assert entry.detail["note"].startswith("3 names and addresses")


def test_what_the_log_has_not_counted_yet_waits_for_it(ended):
    counted(2)
    assert privacy.purge()["identities"] == 0
    append()
    assert privacy.purge()["identities"] == 2
    assert not verify.problems()


def test_the_same_mailbox_is_still_counted_once(ended, client):
    counted()
    append()
    privacy.purge()
    address = "sample0-0@example.org"
    assert client.post("/en/sign/", filled_form(email=address)).status_code == 303
    assert Signature.objects.count() == 1
    assert sending.send_due() == 0  # There is no address any more.
    assert not Letter.objects.filter(state="due").exists()
    assert tallies.read_counter().total == 1


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_its_owner_can_still_withdraw_and_is_told_why_there_is_no_proof(ended, client, language):
    (signature,) = counted()
    append()
    privacy.purge()
    page = f"/{language}/withdraw/{links.token(links.WITHDRAW, signature.reference)}/"
    said = client.get(f"{page}?receipt=1").content.decode()
    words = {"ar": "ولم يعد هناك إثبات", "fr": "il n’y a plus de preuve", "en": "no proof any more"}
    assert words[language] in said
    assert client.get(f"{page}?receipt=file").status_code == 200
    copy = client.get(f"{page}?copy=file").json()["signature"]
    assert (copy["name"], copy["email"]) == ("", "")
    assert client.post(page).status_code == 303
    assert tallies.read_counter().total == 0
    assert tallies.recount() == []


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_the_privacy_page_says_the_day(settings, client, language):
    path = f"/{language}/privacy/"
    settings.IDENTITIES_END = timezone.datetime(2027, 12, 31).date()
    assert "2027" in client.get(path).content.decode().partition("<footer")[0]


def test_the_desk_shows_such_a_signature_and_its_lists(ended, admin_client):
    (signature,) = counted()
    append()
    privacy.purge()
    for path in ("", f"{signature.pk}/change/"):
        assert admin_client.get(f"/admin/petition/signature/{path}").status_code == 200
    assert admin_client.get("/admin/petition/entry/").status_code == 200


def test_a_new_data_key_leaves_their_indexes_and_says_so(ended, settings):
    counted(2)
    append()
    privacy.purge()
    settings.DATA_KEYS = [bytes(range(32)), *settings.DATA_KEYS]
    out = StringIO()
    call_command("rotate_keys", stdout=out)
    assert "whose address has ended: 2" in out.getvalue()
    assert "leave it in DATA_KEYS" in out.getvalue()
