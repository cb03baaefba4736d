"""What is kept, for how long, and what is never to be found anywhere."""

import logging
import re
import subprocess
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from django.utils import timezone

from petition.campaign import texts
from petition.ground import addresses, encryption
from petition.letters import owing, sending
from petition.models import Entry, Letter, Signature, Text
from petition.signing import lifecycle, privacy, tallies
from tests.making import State, filled_form, make_signature

MARK = "zzmarkzz"


@pytest.mark.django_db
def test_a_signature_that_nobody_confirms_is_deleted_after_fourteen_days(monkeypatch):
    monkeypatch.setattr(privacy, "BATCH", 2)
    long_ago = timezone.now() - timedelta(days=14, seconds=1)
    for n in range(5):
        owing.owe(make_signature(f"old{n}@example.org", signed_at=long_ago), "confirm", "en")
    almost = timezone.now() - timedelta(days=14) + timedelta(minutes=1)
    make_signature("new@example.org", signed_at=almost)
    make_signature("counted@example.org", State.COUNTED, signed_at=long_ago)
    assert purge() == "Deleted 5 signatures and 0 letters.\n"
    assert {s.email for s in Signature.objects.all()} == {"new@example.org", "counted@example.org"}
    assert not Letter.objects.exists()
    assert purge() == "Deleted 0 signatures and 0 letters.\n"


def purge() -> str:
    out = StringIO()
    call_command("purge", stdout=out)
    return out.getvalue()


@pytest.mark.django_db
def test_letters_are_deleted_thirty_days_after_they_ended():
    signature = make_signature(state=State.COUNTED)
    for days in (29, 30, 31):
        ended = timezone.now() - timedelta(days=days)
        Letter.objects.create(signature=signature, kind="confirm", language="en", state="sent",
                              ended_at=ended)  # fmt: skip
    Letter.objects.create(signature=signature, kind="confirm", language="en")
    assert purge() == "Deleted 0 signatures and 2 letters.\n"


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_the_privacy_page_says_the_numbers_that_the_code_keeps_to(client, language):
    page = client.get(f"/{language}/privacy/").content.decode()
    assert str(Signature.PENDING_FOR.days) in page
    assert str(privacy.LETTERS_KEPT_FOR.days) in page
    assert str(int(owing.LETTERS_WINDOW.total_seconds() // 3600)) in page
    assert owing.LETTERS_AN_ADDRESS == 5
    five = {"ar": "بحدّ أقصى خمس رسائل", "fr": "cinq au plus", "en": "at most five"}
    assert five[language] in page


@pytest.mark.django_db
def test_moving_to_a_new_data_key_leaves_nothing_under_the_old(settings):
    make_signature(state=State.COUNTED)
    make_signature("gone@example.org", State.WITHDRAWN)
    settings.DATA_KEYS = [b"n" * 32, *settings.DATA_KEYS]
    assert rotate() == "Signatures moved to the first key: 1.\n"
    assert rotate() == "Signatures moved to the first key: 0.\n"
    settings.DATA_KEYS = settings.DATA_KEYS[:1]
    signature = Signature.objects.of_mailbox("someone@example.org").get()
    assert (signature.name, signature.email) == ("Sample Signer", "someone@example.org")


def rotate() -> str:
    out = StringIO()
    call_command("rotate_keys", stdout=out)
    return out.getvalue()


def dump() -> bytes:
    """The whole database as its own tool writes it."""
    if connection.vendor == "sqlite":
        connection.ensure_connection()
        return "\n".join(connection.connection.iterdump()).encode()
    url = "postgres://{USER}:{PASSWORD}@{HOST}:{PORT}/{NAME}".format(**connection.settings_dict)
    return subprocess.run(["pg_dump", url], check=True, capture_output=True).stdout


def test_a_dump_of_the_database_holds_no_name_and_no_address(client, smtp, committed):
    for n in range(100):
        email, name = f"{MARK}{n}@{MARK}.example", f"Sample {MARK.title()}"
        assert client.post("/fr/sign/", filled_form(email=email, name=name)).status_code == 303
    smtp.replies[f"{MARK}7@{MARK}.example"] = f"550 5.1.1 {MARK}7@{MARK}.example unknown"
    smtp.replies[f"{MARK}8@{MARK}.example"] = f"450 4.2.1 {MARK}8@{MARK}.example busy"
    sending.send_due()
    assert len(smtp.mails) == 98
    held = dump().lower()
    assert b"petition_signature" in held
    assert MARK.encode() not in held
    assert MARK.encode().hex().encode() not in held


@pytest.fixture
def logged():
    """Everything that any logger says, at any level, as it would be written."""
    out = StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(logging.Formatter("%(name)s %(message)s %(pathname)s"))
    handler.addFilter(lambda record: record.name != "mail.log")  # The other side's mail server.
    root = logging.getLogger()
    level = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield out.getvalue
    root.removeHandler(handler)
    root.setLevel(level)


@contextmanager
def letters_broken(error: Exception):
    """No letter can be written down: the database, or the site, raises this."""

    def execute(run, sql, params, many, context):
        if re.search(r'INSERT INTO "?petition_letter|petition_sign_', sql):
            raise error
        return run(sql, params, many, context)

    with connection.execute_wrapper(execute):
        yield


@pytest.mark.django_db
def test_no_log_line_and_no_error_page_holds_a_name_or_an_address(client, smtp, settings, logged):
    client.raise_request_exception = False
    logging.getLogger("django.db.backends").setLevel(logging.INFO)
    marked = filled_form(name=f"Sample {MARK}", email=f"{MARK}@example.org")
    assert client.post("/en/sign/", marked).status_code == 303
    assert client.post("/en/sign/", marked | {"country": ""}).status_code == 422
    assert client.post("/en/sign/sent/", {"email": marked["email"], "code": "x"}).status_code == 422
    smtp.replies[marked["email"]] = f"550 5.1.1 <{marked['email']}> unknown"
    sending.send_due()
    smtp.replies[marked["email"]] = f"450 4.1.1 <{marked['email']}> busy"
    client.post("/en/sign/", marked)
    sending.send_due()

    with letters_broken(DatabaseError(f"cannot store {marked['email']}")):
        half_way = client.post("/en/sign/", marked)
    assert half_way.status_code == 503
    assert "could not be stored" in half_way.content.decode()
    assert MARK in half_way.content.decode()  # What was typed is still in the form.

    with letters_broken(RuntimeError("broken")):
        failed = client.post("/en/sign/", marked)
    assert failed.status_code == 500
    assert MARK not in failed.content.decode()
    assert "Something went wrong on our side" in failed.content.decode()
    assert "broken" in logged()
    assert MARK not in logged()


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("Not Found: /ar/confirm/AAAA.secret/", "Not Found: /ar/confirm/…/"),
        ("Not Found: /fr/withdraw/AAAA.secret/", "Not Found: /fr/withdraw/…/"),
        ("Invalid request from ip=192.0.2.1: x", "Invalid request from ip=… x"),
    ],
)
def test_no_log_line_holds_a_mailed_token_or_a_network_address(said, written):
    handler = next(h for h in logging.getLogger().handlers if h.filters)
    record = logging.getLogger("django.request").makeRecord("x", 30, "f", 1, "%s", (said,), None)
    assert all(f.filter(record) for f in handler.filters)
    assert record.getMessage() == written


@contextmanager
def letters_refused():
    """The table itself takes no letter, after the signature was written."""
    if connection.vendor != "postgresql":
        with letters_broken(DatabaseError()):
            yield
        return
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE petition_letter ADD CONSTRAINT none CHECK (false) NOT VALID")
        try:
            yield
        finally:
            cursor.execute("ALTER TABLE petition_letter DROP CONSTRAINT none")


def test_a_signature_survives_only_with_its_letter(client, committed):
    with letters_refused():
        assert client.post("/en/sign/", filled_form()).status_code == 503
    assert not Signature.objects.exists()


@pytest.mark.django_db
def test_what_nobody_confirmed_is_deleted_in_time_also_where_it_was_set_aside():
    long_ago = timezone.now() - timedelta(days=15)
    for state in ("held", "rejected"):
        unconfirmed = make_signature(f"{state}@example.org", signed_at=long_ago)
        lifecycle.move(unconfirmed, state, reason="other")
        confirmed = make_signature(f"c-{state}@example.org", State.COUNTED, signed_at=long_ago)
        lifecycle.move(confirmed, state, reason="other")
    privacy.purge()
    kept = {signature.email for signature in Signature.objects.all()}
    assert kept == {"c-held@example.org", "c-rejected@example.org"}
    assert tallies.recount() == []


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_every_shipped_text_is_there(language):
    names = {path.stem for path in (texts.SHIPPED / language).glob("*.md")}
    assert names == {
        *Text.Slug.values,
        "milestone",
        "consent-1",
        "consent-2",
        "consent-3",
        "consent-4",
    }


@pytest.mark.django_db
@pytest.mark.parametrize("counted", ["old", "new", "both"])
def test_a_mailbox_that_processes_with_different_keys_took_for_two_is_one_again(settings, counted):
    old_keys, new_keys = settings.DATA_KEYS, [b"n" * 32, *settings.DATA_KEYS]
    states = {True: State.COUNTED, False: State.PENDING}
    make_signature(state=states[counted in ("old", "both")], name="Old Key")
    settings.DATA_KEYS = new_keys
    make_signature(state=states[counted in ("new", "both")], name="New Key")
    assert "Second signatures of one mailbox taken off: 1." in rotate()
    settings.DATA_KEYS = new_keys[:1]
    left = Signature.objects.of_mailbox("someone@example.org").get()
    assert left.state == State.COUNTED
    assert left.name == ("New Key" if counted == "new" else "Old Key")
    assert tallies.read_counter().total == 1
    assert tallies.recount() == []
    assert old_keys


@pytest.mark.django_db
def test_a_signature_that_no_key_reads_is_reported_and_stops_no_other(settings):
    make_signature("lost@example.org")
    settings.DATA_KEYS = [b"o" * 32]
    make_signature("kept@example.org")
    settings.DATA_KEYS = [b"n" * 32, b"o" * 32]
    with pytest.raises(CommandError, match="no key in DATA_KEYS reads: 1"):
        rotate()
    settings.DATA_KEYS = [b"n" * 32]
    assert Signature.objects.of_mailbox("kept@example.org").get().name == "Sample Signer"


# --- Mailboxes that only a tag told apart --------------------------------------------------------


def index_with_tag(signature) -> None:
    """As the release before tags were dropped at every domain indexed it."""
    former = encryption.index(addresses.with_tag(signature.email), "mailbox")
    Signature.objects.filter(pk=signature.pk).update(mailbox=former)


@pytest.mark.django_db
def test_a_signature_of_then_is_found_under_its_own_spelling_and_brought_over(client):
    signature = make_signature("victim+1@company.example", State.COUNTED)
    index_with_tag(signature)
    client.post("/en/sign/", filled_form(email="victim+1@company.example"))
    assert Signature.objects.count() == 1
    assert Signature.objects.of_mailbox("victim@company.example").get() == signature
    client.post("/en/sign/", filled_form(email="victim+2@company.example"))
    assert Signature.objects.count() == 1


@pytest.mark.django_db
def test_the_later_of_two_that_fall_together_is_held_for_people_to_see(caplog):
    first = make_signature("victim+1@company.example", State.COUNTED)
    second = make_signature("victim+2@other.example", State.COUNTED)
    third = make_signature("someone@example.org", State.COUNTED)
    index_with_tag(first)
    typed = second.sealed(email="victim+2@company.example")
    Signature.objects.filter(pk=second.pk).update(**typed)
    second.refresh_from_db()
    index_with_tag(second)
    for _ in range(2):  # It can be run again at any time.
        privacy.rotate_keys()
        states = dict(Signature.objects.values_list("pk", "state"))
        assert states == {first.pk: "counted", second.pk: "held", third.pk: "counted"}
        second.refresh_from_db()
        assert (second.reason, second.email) == ("alias", "victim+2@company.example")
        assert tallies.read_counter().total == 2
        assert tallies.recount() == []
    assert f"Signature {second} is held: it has the same mailbox as {first}." in caplog.text
    assert "company.example" not in caplog.text
    entry = Entry.objects.get(act="hold")
    assert (entry.actor, entry.detail["why"]) == ("(system)", "alias")


@pytest.mark.django_db
def test_a_mailbox_in_a_thousand_spellings_gets_five_letters(client):
    for n in range(40):
        address = f"victim+{n}@company.example"
        assert client.post("/en/sign/", filled_form(email=address)).status_code == 303
    assert Signature.objects.count() == 1
    assert Letter.objects.exclude(state="withheld").count() == 5
