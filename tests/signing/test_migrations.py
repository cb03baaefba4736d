"""A site that stands: its signatures come through the change of their columns, and the release of
before goes on beside the new one."""

import secrets
import uuid

import pytest
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from petition.models import ConsentText, Signature
from tests.campaign.test_migrations import migrate
from tests.making import make_signature

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("committed")]

BEFORE = [("petition", "0021_privacy_says_what_is_public")]


@pytest.fixture
def before():
    """The registry of the release that kept blind indexes as text."""
    yield migrate(BEFORE)
    migrate(None)


def sign_before(apps, **fields):
    """A row as that release writes it."""
    known = {
        "name": "Sample Signer", "email": "someone@example.org", "mailbox": secrets.token_hex(16),
        "domain": secrets.token_hex(16), "country": "MA", "language": "ar",
        "consent_id": ConsentText.objects.first().pk,
    }  # fmt: skip
    return apps.get_model("petition", "Signature").objects.create(**known | fields)


def columns(pk) -> tuple:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT mailbox, mailbox_index, domain, domain_index FROM petition_signature"
            " WHERE id = %s", [pk],
        )  # fmt: skip
        return tuple(bytes(v) if isinstance(v, memoryview) else v for v in cursor.fetchone())


def test_every_mailbox_is_found_again_and_who_withdrew_stays_erased(before):
    there = sign_before(before)
    erased = sign_before(
        before, name=None, email=None, mailbox=None, domain="", country="", state="withdrawn"
    )
    migrate(None)
    row = Signature.objects.get(pk=there.pk)
    assert (row.mailbox.hex(), row.domain.hex()) == (there.mailbox, there.domain)
    row = Signature.objects.get(pk=erased.pk)
    assert (row.mailbox, row.domain, row.state) == (None, None, "withdrawn")


def test_the_way_back_finds_every_mailbox_too(before):
    there = sign_before(before)
    migrate(None)
    fresh = make_signature("another@example.org")
    apps = migrate(BEFORE)
    rows = apps.get_model("petition", "Signature").objects
    assert rows.get(pk=there.pk).mailbox == there.mailbox
    assert rows.get(pk=fresh.pk).mailbox == fresh.mailbox.hex()


@pytest.mark.postgres
def test_the_release_of_before_signs_beside_the_new_one_and_counts_nobody_twice(before):
    sign_before(before)  # Only a site that has signatures keeps the former columns.
    migrate(None)
    late = sign_before(before)
    assert columns(late.pk) == (
        late.mailbox, bytes.fromhex(late.mailbox), late.domain, bytes.fromhex(late.domain)
    )  # fmt: skip
    fresh = make_signature("another@example.org")
    assert columns(fresh.pk)[0] == fresh.mailbox.hex()
    for again in (
        lambda: sign_before(before, mailbox=fresh.mailbox.hex()),
        lambda: make_signature("else@example.org", mailbox=bytes.fromhex(late.mailbox)),
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            again()
    signing = {"reference": uuid.uuid4(), "signed_at": timezone.now(), "consent_id": 1}
    known = Signature(mailbox=fresh.mailbox, name="Sample", country="MA", language="ar", **signing)
    Signature.objects.bulk_create([known], ignore_conflicts=True)
    assert Signature.objects.count() == 3


@pytest.mark.postgres
def test_who_withdraws_under_either_release_is_erased_for_both(before):
    one, two = sign_before(before), sign_before(before)
    migrate(None)
    Signature.objects.filter(pk=one.pk).update(state="withdrawn", **Signature.ERASED)
    erased = Signature.ERASED | {"domain": "", "state": "withdrawn"}
    del erased["receipt"]  # Of a later release.
    before.get_model("petition", "Signature").objects.filter(pk=two.pk).update(**erased)
    assert columns(one.pk) == columns(two.pk) == (None, None, "", None)
