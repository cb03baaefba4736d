"""A stranger signs again before the owner of a mailbox confirms: what the owner saw counts."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from petition.letters import sending
from petition.models import Attempt, Letter, Signature
from petition.signing import privacy, tallies
from tests.making import code, filled_form, link

pytestmark = pytest.mark.django_db

OWN = {"name": "Sample Owner", "country": "MA", "track": "fate"}
FALSE = {"name": "False Name", "country": "LB", "track": "protection", "updates": "on",
         "delivery": "on"}  # fmt: skip


def letter(client, language="en", **fields):
    """Signs, and returns the letter that came of it."""
    assert client.post(f"/{language}/sign/", filled_form(**fields)).status_code == 303
    sending.send_due()
    return mail.outbox[-1]


def confirm(client, letter, by: str, **choices):
    """To the end, as the owner does: the page before the button, then the button."""
    page = link("confirm", letter)
    if by == "code":
        typed = {"email": "someone@example.org", "code": code(letter)}
        response = client.post("/en/sign/sent/", typed)
        assert response.status_code == 303
        page = response["Location"]
    shown = client.get(page).content.decode()
    assert client.post(page, choices).status_code == 303
    return shown


def told() -> tuple:
    signature = Signature.objects.get()
    return (signature.state, signature.name, signature.country, signature.track_id,
            signature.updates, signature.delivery)  # fmt: skip


@pytest.mark.parametrize("by", ["link", "code"])
@pytest.mark.parametrize("field", FALSE)
def test_what_a_stranger_types_later_changes_nothing_of_the_first(client, by, field):
    own = letter(client, **OWN)
    letter(client, **(OWN | {field: FALSE[field]}))
    shown = confirm(client, own, by)
    assert "Sample Owner" in shown
    assert "False Name" not in shown
    assert told() == ("counted", "Sample Owner", "MA", "fate", False, False)
    assert tallies.recount() == []


@pytest.mark.parametrize("by", ["link", "code"])
def test_what_a_stranger_typed_before_changes_nothing_of_what_the_owner_typed(client, by):
    letter(client, **FALSE)
    shown = confirm(client, letter(client, **OWN), by)
    assert "Sample Owner" in shown
    assert "False Name" not in shown
    assert told() == ("counted", "Sample Owner", "MA", "fate", False, False)
    assert tallies.recount() == []


@pytest.mark.parametrize("by", ["link", "code"])
def test_the_page_before_the_button_names_everything_that_counts(client, by):
    letter(client, **OWN)
    shown = confirm(client, letter(client, **FALSE), by)
    for said in (
        "False Name",
        "Lebanon",
        "Health and legal protection",
        'name="updates"',
        'name="delivery"',
    ):
        assert said in shown
    assert told() == ("counted", "False Name", "LB", "protection", True, True)
    assert tallies.recount() == []


@pytest.mark.parametrize(
    ("choices", "agreed"),
    [({"choices": "1"}, (False, False)), ({"choices": "1", "updates": "on"}, (True, False)),
     ({"choices": "1", "delivery": "on"}, (False, True)), ({}, (True, True)),
     ({"choices": "1", "updates": "on", "delivery": "on"}, (True, True))],
)  # fmt: skip
@pytest.mark.parametrize("is_later", [False, True])
def test_news_and_hand_over_can_be_taken_back_there(client, choices, agreed, is_later):
    if is_later:
        letter(client, **OWN)
    confirm(client, letter(client, **FALSE), "link", **choices)
    assert told()[4:] == agreed


def test_nobody_agrees_there_to_what_was_not_agreed_to(client):
    own = letter(client, **OWN)
    confirm(client, own, "link", choices="1", updates="on", delivery="on")
    assert told()[4:] == (False, False)


def test_whichever_letter_comes_later_says_the_same_and_changes_nothing(client):
    letters = [letter(client, **OWN), letter(client, **FALSE), letter(client, **OWN)]
    confirm(client, letters[0], "link")
    for each in letters:
        for by in ("link", "code"):
            assert "Sample Owner" in confirm(client, each, by, choices="1")
    assert told() == ("counted", "Sample Owner", "MA", "fate", False, False)
    assert tallies.read_counter().total == 1


def test_what_was_not_confirmed_is_forgotten_with_the_first_confirmation(client):
    own = letter(client, **OWN)
    letter(client, **FALSE)
    assert Attempt.objects.get().name == "False Name"
    confirm(client, own, "link")
    attempt = Attempt.objects.get()
    assert (attempt.name, attempt.country, attempt.track_id) == ("", "", None)
    assert (attempt.updates, attempt.delivery) == (False, False)


def test_withdrawing_takes_every_version_along(client):
    own = letter(client, **OWN)
    letter(client, **FALSE)
    assert client.post(link("withdraw", own)).status_code == 303
    assert not Attempt.objects.exists()
    assert not Letter.objects.exists()


def test_each_version_expires_by_its_own_time(client):
    early = letter(client, **OWN)
    Signature.objects.update(signed_at=timezone.now() - Signature.PENDING_FOR)
    late = letter(client, **FALSE)
    privacy.purge()
    assert client.get(link("confirm", early)).status_code == 404
    confirm(client, late, "link")
    assert told()[:2] == ("counted", "False Name")


def test_a_purge_takes_versions_whose_time_is_over(client):
    letter(client, **OWN)
    letter(client, **FALSE)
    long_ago = timezone.now() - Signature.PENDING_FOR - timedelta(seconds=1)
    Signature.objects.update(signed_at=long_ago)
    Attempt.objects.update(signed_at=long_ago)
    assert privacy.purge()["signatures"] == 1
    assert not Attempt.objects.exists()
    assert not Signature.objects.exists()


def test_beyond_the_cap_no_version_is_kept(client):
    for n in range(8):
        client.post(
            "/en/sign/", filled_form(**(FALSE | {"name": f"Name {n} x"[:20].replace(str(n), "")}))
        )
    assert Letter.objects.filter(state="due").count() == 5
    assert Attempt.objects.count() == 4


def test_a_version_of_a_held_signature_is_kept_for_the_coordinators(client):
    letter(client, **OWN)
    late = letter(client, **FALSE)
    Signature.objects.update(state="held", reason="other")
    confirm(client, late, "link")
    signature = Signature.objects.get()
    assert (signature.state, signature.name) == ("held", "False Name")
    assert signature.confirmed_at
