"""What coordinators see, and what they cannot do."""

import pytest

from petition.campaign import texts
from petition.letters import owing
from petition.models import ConsentText, Entry, Signature, Track
from tests.making import State, make_signature

pytestmark = pytest.mark.django_db


def test_signatures_can_be_read_without_whose_they_are(admin_client):
    signature = make_signature("zzmarkzz@example.org", State.COUNTED, name="Zzmarkzz Sample")
    listed = admin_client.get("/admin/petition/signature/").content.decode()
    one = admin_client.get(f"/admin/petition/signature/{signature.pk}/change/").content.decode()
    for page in (listed, one):
        assert str(signature.reference) in page
        assert "zzmarkzz" not in page.lower()
        assert signature.mailbox.hex() not in page


@pytest.mark.parametrize("act", ["change", "delete"])
def test_nobody_types_edits_or_deletes_a_signature_by_hand(admin_client, act):
    signature = make_signature(state=State.COUNTED)
    assert admin_client.get("/admin/petition/signature/add/").status_code == 403
    response = admin_client.post(
        f"/admin/petition/signature/{signature.pk}/{act}/", {"state": "rejected", "post": "yes"}
    )
    assert response.status_code == 403
    assert Signature.objects.get().state == State.COUNTED


def test_a_consent_text_that_people_agreed_to_cannot_be_changed(admin_client):
    text = ConsentText.objects.get(language="fr", version=1)
    change = f"/admin/petition/consenttext/{text.pk}/change/"
    assert text.body in admin_client.get(change).content.decode().replace("&#x27;", "'")
    assert admin_client.post(change, {"body": "x"}).status_code == 403


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
@pytest.mark.parametrize(
    "page", ["", "signature/", "letter/", "track/", "track/fate/change/", "text/", "consenttext/"]
)
def test_every_screen_opens_in_every_language(admin_client, language, page):
    owing.owe(make_signature(), "confirm", "ar")
    path = f"/admin/petition/{page}"
    response = admin_client.get(path, headers={"Accept-Language": language})
    assert response.status_code == 200
    assert f'lang="{language}"' in response.content.decode()
    assert "unsafe" not in response["Content-Security-Policy"]


def test_the_tracks_stay_three(admin_client):
    assert admin_client.get("/admin/petition/track/add/").status_code == 403
    assert admin_client.post("/admin/petition/track/fate/delete/").status_code == 403
    assert Track.objects.count() == 3


def test_who_changes_the_order_of_the_tracks_is_in_the_audit(admin_client):
    change = "/admin/petition/track/fate/change/"
    assert admin_client.post(change, {"position": 9}).status_code == 302
    assert admin_client.post(change, {"position": 9}).status_code == 302  # Nothing was changed.
    entry = Entry.objects.get()
    assert (entry.act, entry.subject, entry.actor) == ("text", "track fate", "admin")
    assert [t.slug for t in texts.tracks("en")] == ["legislation", "protection", "fate"]
