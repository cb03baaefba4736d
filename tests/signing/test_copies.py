"""What is kept about somebody, given to its owner and to nobody else."""

import json

import pytest
from django.core import mail

from petition.letters import sending
from petition.models import Signature
from petition.signing import copies
from tests.making import filled_form, link

pytestmark = pytest.mark.django_db


def signed(client, **fields) -> str:
    """Signs; the address of the page that withdraws."""
    client.post("/en/sign/", filled_form(name="Sample Owner", **fields))
    sending.send_due()
    return link("withdraw", mail.outbox[-1])


def test_the_link_of_the_letter_gives_all_that_is_kept(client):
    page = signed(client, country="LB", track="fate", updates="on")
    client.post(link("confirm", mail.outbox[-1]))
    assert "?copy=file" in client.get(page).content.decode()
    answer = client.get(page, {"copy": "file"})
    assert answer["Content-Disposition"] == 'attachment; filename="copy.json"'
    assert "no-store" in answer["Cache-Control"]
    told = answer.json()
    own = told["signature"]
    assert (own["name"], own["email"]) == ("Sample Owner", "someone@example.org")
    assert (own["country"], own["track"], own["wants_news"]) == ("LB", "fate", True)
    assert own["state"] == "counted"
    assert own["consent"]["text"]
    assert [letter["kind"] for letter in told["emails"]] == ["confirm"]


def test_versions_that_were_typed_again_are_in_it_until_they_are_erased(client):
    page = signed(client)
    signed(client, country="FR")
    assert [v["country"] for v in client.get(page, {"copy": "1"}).json()["typed_again"]] == ["FR"]
    client.post(link("confirm", mail.outbox[0]))
    assert client.get(page, {"copy": "1"}).json()["typed_again"] == []


def test_no_column_of_a_signature_is_left_out_unawares(client):
    """Whoever adds one says where it stands in the copy."""
    told = {
        "name", "email", "country", "track", "updates", "delivery", "consent", "language", "state",
        "reason", "signed_at", "confirmed_at", "moved_at", "passed_challenge",
    }  # fmt: skip
    only_named = {"id", "reference", "mailbox", "domain", "in_log", "receipt"}
    assert {field.name for field in Signature._meta.local_fields} == told | only_named
    signed(client)
    assert json.dumps(copies.copy_of(Signature.objects.get()))


@pytest.mark.parametrize("token", ["x", "A" * 43])
def test_nobody_else_gets_one(client, token):
    signed(client)
    answer = client.get(f"/en/withdraw/{token}/", {"copy": "file"})
    assert answer.status_code == 404
    assert b"Sample Owner" not in answer.content


def test_after_withdrawing_there_is_nothing_to_copy(client):
    page = signed(client)
    client.post(page)
    answer = client.get(page, {"copy": "file"})
    assert (answer.status_code, answer["Location"]) == (303, "/en/withdrawn/")
