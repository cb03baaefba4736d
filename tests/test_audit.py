"""What coordinators did stays as it was written down."""

import re
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from petition import audit
from petition.log import notes
from petition.models import AuditHead, Entry, LogHead
from tests.log.making import append, counted
from tests.signing.test_races import at_once

pytestmark = pytest.mark.django_db


def verify(*args) -> str:
    out = StringIO()
    call_command("verify_audit", *args, stdout=out)
    return out.getvalue()


def three_entries() -> User:
    by = User(username="coordinator")
    for n in range(3):
        audit.append(by, Entry.Act.HOLD, f"signature {n}", reason="automated", note="")
    return by


def forge(**fields):
    """What somebody with the database's own password could do."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = replica")
        names = ", ".join(f"{name} = %s" for name in fields)
        cursor.execute(
            f"UPDATE petition_entry SET {names} WHERE number = 2",  # noqa: S608
            list(fields.values()),
        )


def test_a_whole_chain_is_said_to_be_whole_and_names_its_head():
    three_entries()
    last = Entry.objects.get(number=3)
    assert f"3:{last.hash}" in verify()
    assert last.previous == Entry.objects.get(number=2).hash
    assert (last.actor, last.detail) == ("coordinator", {"reason": "automated"})
    assert "The chain is whole" in verify("--head", f"3:{last.hash}")


@pytest.mark.parametrize(
    "change",
    [{"actor": "other"}, {"act": "count"}, {"subject": "x"}, {"detail": "{}"},
     {"at": "2026-01-01 00:00:00+00:00"}, {"hash": "0" * 64}, {"previous": "0" * 64}],
)  # fmt: skip
def test_an_entry_that_was_altered_is_named(change):
    three_entries()
    forge(**change)
    with pytest.raises(CommandError, match=r"altered at .*: 2"):
        verify()


def test_an_entry_that_was_taken_out_is_noticed():
    three_entries()
    forge(number=9)
    with pytest.raises(CommandError, match="altered"):
        verify()


@pytest.mark.parametrize("forged", [False, True])
def test_an_entry_that_was_deleted_or_put_in_is_noticed(forged):
    """Also where whoever did it wrote a right hash for what they put in."""
    three_entries()
    second = Entry.objects.get(number=2)
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("DELETE FROM petition_entry WHERE number = 2")
    if forged:
        second.subject = "something else"
        second.hash = audit._hash(second)
        second.save(force_insert=True)
    with pytest.raises(CommandError, match="altered"):
        verify()


def test_a_chain_that_was_cut_off_or_rewritten_does_not_hold_the_head_kept_elsewhere():
    three_entries()
    head = re.search(r"\d+:[0-9a-f]{64}", verify()).group()
    for gone in (f"4{head[1:]}", head[:-1] + ("0" if head[-1] != "0" else "1"), "nonsense", "²:x"):
        with pytest.raises(CommandError, match="rewritten or cut off"):
            verify("--head", gone)


# --- In the public log --------------------------------------------------------------------------


def marked(monkeypatch) -> str:
    """The mark that the log's checkpoint shows the day after three entries were made."""
    three_entries()
    tomorrow = timezone.now() + timedelta(days=1)
    with monkeypatch.context() as later:
        later.setattr(timezone, "now", lambda: tomorrow)
        audit.append(None, Entry.Act.HOLD, "signature of the day after")
        counted()
        append()
    (line,) = notes.checkpoint(LogHead.objects.get().checkpoint).extensions
    word, day, mark = line.split(" ")
    assert (word, day) == ("audit", f"{tomorrow:%Y-%m-%d}")
    return mark


def test_a_checkpoint_says_how_far_the_audit_had_come_when_its_day_began(monkeypatch):
    mark = marked(monkeypatch)
    assert re.fullmatch("[0-9a-f]{32}", mark)
    last = Entry.objects.get(number=3)
    assert mark not in (last.hash, last.hash[:32])
    assert "The mark is that of entry 3." in verify("--mark", mark)


def test_on_the_first_day_and_without_entries_a_checkpoint_has_three_lines():
    counted()
    three_entries()
    append()
    assert notes.checkpoint(LogHead.objects.get().checkpoint).extensions == ()


def test_an_audit_that_was_rewritten_with_every_key_does_not_hold_the_mark(monkeypatch):
    mark = marked(monkeypatch)
    written_anew()
    audit.append(None, Entry.Act.HOLD)  # Seals it: whoever runs the site has the keys.
    assert "The chain is whole" in verify()
    with pytest.raises(CommandError, match="rewritten or cut off"):
        verify("--mark", mark)
    for nonsense in ("", "x", "0" * 32):
        with pytest.raises(audit.NoSuchHead):
            audit.check_mark(nonsense)


def test_a_mark_is_known_after_the_data_key_was_changed(monkeypatch, settings):
    mark = marked(monkeypatch)
    settings.DATA_KEYS = [b"another-key-for-this-test-alone!", *settings.DATA_KEYS]
    assert "entry 3" in verify("--mark", mark)


def written_anew() -> None:
    """The whole chain, each hash right, by somebody who has the database and no key."""
    by, entries = User(username="somebody else"), Entry.objects.order_by("number")
    kept = [(entry.act, entry.subject) for entry in entries]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("DELETE FROM petition_entry")
    former = AuditHead.objects.get()
    for act, subject in kept:
        audit.append(by, act, subject)
    AuditHead.objects.update(number=former.number, seal=former.seal)


def cut_off() -> None:
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("DELETE FROM petition_entry WHERE number = 3")


def added_to() -> None:
    former = AuditHead.objects.get()
    audit.append(User(username="somebody else"), Entry.Act.COUNT)
    AuditHead.objects.update(number=former.number, seal=former.seal)


@pytest.mark.parametrize(
    ("forgery", "said"),
    [
        (written_anew, "entry 3 is not the one that was sealed"),
        (cut_off, "cut off before entry 3"),
        (added_to, "entries from 4 on are not sealed"),
        (lambda: AuditHead.objects.all().delete(), "never sealed"),
    ],
)
def test_a_chain_that_was_written_anew_without_the_keys_is_found_out(forgery, said):
    three_entries()
    assert "The chain is whole" in verify()
    forgery()
    assert audit.broken() == []
    with pytest.raises(CommandError, match=said):
        verify()


def test_the_seal_moves_to_a_new_data_key_and_a_wrong_one_does_not(settings):
    three_entries()
    new, old = b"n" * 32, settings.DATA_KEYS
    settings.DATA_KEYS = [new, *old]
    call_command("rotate_keys", stdout=StringIO())
    settings.DATA_KEYS = [new]
    assert "The chain is whole" in verify()
    added_to()
    with pytest.raises(CommandError, match="keeps its old seal"):
        call_command("rotate_keys", stdout=StringIO())


@pytest.mark.postgres
@pytest.mark.parametrize(
    "statement",
    ["UPDATE petition_entry SET actor = 'x'", "DELETE FROM petition_entry",
     "TRUNCATE petition_entry"],
)  # fmt: skip
def test_postgresql_itself_refuses_to_change_the_audit(statement):
    three_entries()
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE petition_entry ENABLE TRIGGER audit_is_not_emptied")
        with pytest.raises(DatabaseError, match="append-only"), transaction.atomic():
            cursor.execute(statement)
    assert Entry.objects.count() == 3


@pytest.mark.postgres
@pytest.mark.usefixtures("committed")
def test_many_who_append_at_once_make_one_chain():
    at_once([lambda: audit.append(None, Entry.Act.COUNT)] * 40)
    assert Entry.objects.count() == 40
    assert audit.broken() == []


@pytest.mark.postgres
@pytest.mark.usefixtures("committed")
def test_a_new_seal_covers_what_is_appended_at_the_same_instant():
    acts = [lambda: audit.append(None, Entry.Act.COUNT)] * 40 + [audit.reseal] * 20
    at_once(sorted(acts, key=id))
    audit.check_seal()
    assert AuditHead.objects.get().number == 40


def test_the_audit_can_be_read_in_the_admin_and_not_changed(admin_client):
    three_entries()
    assert "توقيع 2" in admin_client.get("/admin/petition/entry/").content.decode()
    narrowed = admin_client.get("/admin/petition/entry/?subject=signature+1").content.decode()
    assert "توقيع 1" in narrowed
    assert "توقيع 2" not in narrowed
    assert admin_client.get("/admin/petition/entry/2/change/").status_code == 200
    assert admin_client.get("/admin/petition/entry/add/").status_code == 403
    for act in ("change", "delete"):
        response = admin_client.post(f"/admin/petition/entry/2/{act}/", {"actor": "x"})
        assert response.status_code == 403
    assert audit.broken() == []
