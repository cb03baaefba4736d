"""What is sealed opens in its own row alone, whoever writes to the database."""

import pytest
from django.core import mail
from django.core.management import call_command
from django.db import connection
from django.test import Client

from petition.ground import encryption
from petition.letters import sending
from petition.log import receipts
from petition.models import Attempt, Authenticator, Letter, Signature
from petition.models.signatures import NAME
from petition.signing import privacy
from tests.making import filled_form, link, make_authenticator, make_coordinator, make_signature

pytestmark = pytest.mark.django_db


def copy(table: str, column: str, whence, to, key: str = "id") -> None:
    """As a thief of the database's password does it."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"UPDATE {table} SET {column} = (SELECT {column} FROM {table} WHERE {key} = %s) "  # noqa: S608
            f"WHERE {key} = %s",
            [whence, to],
        )


@pytest.mark.parametrize("column", ["name", "email"])
def test_copied_to_another_signature_it_does_not_open(column):
    one, other = make_signature("one@example.org"), make_signature("other@example.org")
    copy("petition_signature", column, one.pk, other.pk)
    assert getattr(Signature.objects.get(pk=one.pk), column)
    with pytest.raises(encryption.Unreadable):
        getattr(Signature.objects.get(pk=other.pk), column)


def test_what_is_typed_again_is_bound_to_its_own_version(client):
    """By the one statement of PostgreSQL as by the ORM."""
    for name in ("First Name", "Second Name", "Third Name"):
        client.post("/en/sign/", filled_form(name=name))
    second, third = Attempt.objects.order_by("pk")
    assert (second.name, third.name) == ("Second Name", "Third Name")
    copy("petition_attempt", "name", second.pk, third.pk)
    with pytest.raises(encryption.Unreadable):
        assert Attempt.objects.get(pk=third.pk).name
    sending.send_due()
    client.post(link("confirm", mail.outbox[1]))
    assert Signature.objects.get().name == "Second Name"  # Sealed anew, for its signature.


def test_a_letter_goes_to_no_address_that_was_put_there(client):
    client.post("/en/sign/", filled_form())
    thief = make_signature("thief@example.org")
    signed = Signature.objects.exclude(pk=thief.pk).get()
    copy("petition_signature", "email", thief.pk, signed.pk)
    assert sending.send_due() == 0
    assert mail.outbox == []
    assert Letter.objects.get().reply == "no key"


def test_a_second_factor_opens_for_its_own_account_alone():
    one = make_authenticator(make_coordinator(username="one"))
    other = make_authenticator(make_coordinator(username="other"))
    copy("petition_authenticator", "secret", one.pk, other.pk)
    with pytest.raises(encryption.Unreadable):
        assert Authenticator.objects.get(pk=other.pk).secret


def test_the_secret_bytes_of_the_log_are_bound_too():
    one = make_signature("one@example.org", Signature.State.COUNTED)
    call_command("historian", once=True)
    other = make_signature("other@example.org", Signature.State.COUNTED)
    call_command("historian", once=True)
    copy("petition_signature", "receipt", one.pk, other.pk)
    assert receipts.proof(Signature.objects.get(pk=one.pk))
    with pytest.raises(encryption.Unreadable):
        receipts.proof(Signature.objects.get(pk=other.pk))


def test_what_was_sealed_before_is_read_and_bound_by_rotate_keys(settings):
    settings.BIND_ROWS = False
    row = make_signature("before@example.org", name="Sample Before")
    device = make_authenticator(make_coordinator())
    stored = Signature.objects.get(pk=row.pk).__dict__["name"]
    assert stored[:1] == encryption.UNBOUND
    assert encryption.decrypt(stored, NAME) == "Sample Before"  # As the release before reads it.
    settings.BIND_ROWS = True
    assert Signature.objects.get(pk=row.pk).name == "Sample Before"
    call_command("rotate_keys", verbosity=0)
    bound = Signature.objects.get(pk=row.pk)
    assert bound.__dict__["name"][:1] == bound.__dict__["email"][:1] == encryption.BOUND
    assert (bound.name, bound.email) == ("Sample Before", "before@example.org")
    assert Authenticator.objects.get(pk=device.pk).__dict__["secret"][:1] == encryption.BOUND
    assert set(privacy.rotate_keys().values()) == {0}


def test_an_update_that_knows_no_row_is_refused():
    make_signature()
    with pytest.raises(TypeError, match="sealed for its row"):
        Signature.objects.update(name="Another Name")


def test_a_row_that_no_key_reads_stops_no_list(settings):
    make_signature("one@example.org")
    make_signature("other@example.org")
    settings.DATA_KEYS = [b"n" * 32]
    assert [row.country for row in Signature.objects.all()] == ["MA", "MA"]


def test_saving_a_row_that_nobody_opened_leaves_it_as_it_is():
    row = make_signature()
    before = Signature.objects.get(pk=row.pk).__dict__["name"]
    Signature.objects.get(pk=row.pk).save()
    assert Signature.objects.get(pk=row.pk).__dict__["name"] == before


@pytest.mark.postgres
def test_the_statement_seals_for_the_row_that_it_makes():
    Client().post("/en/sign/", filled_form())
    row = Signature.objects.get()
    assert row.__dict__["email"][:1] == encryption.BOUND
    assert row.email == "someone@example.org"
