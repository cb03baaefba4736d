"""The files of the log, as the standards say; and how the site checks its own log."""

import struct
from io import StringIO

import pytest
from django.core.management import call_command

from petition.log import notes, sequencer, verify
from petition.log.tiles import ENTRIES, entries
from petition.models import LogEvent, LogHead, LogTile, Signature
from tests.log.making import append, counted, published, withdraw

pytestmark = pytest.mark.django_db


def test_files_are_served_as_the_standards_say(client):
    counted(300)
    append()
    head = LogHead.objects.get()
    assert head.size == 302
    note = client.get("/log/checkpoint")
    assert note["Content-Type"] == "text/plain; charset=utf-8"
    assert "max-age=5" in note["Cache-Control"]
    assert note["Access-Control-Allow-Origin"] == "*"
    key = notes.verifier(client.get("/log/vkey").content.decode())
    assert notes.signers(note.content.decode(), [key]) == [key]
    assert notes.checkpoint(note.content.decode()).origin == "testserver/log"
    full = client.get("/log/tile/0/000")
    assert (len(full.content), full["Content-Type"]) == (8192, "application/octet-stream")
    assert "max-age=31536000" in full["Cache-Control"]
    assert "immutable" in full["Cache-Control"]
    partial = client.get("/log/tile/0/001.p/46")
    assert len(partial.content) == 46 * 32
    assert "max-age=86400" in partial["Cache-Control"]
    assert client.get("/log/tile/0/001.p/3").content == partial.content[:96]
    assert client.get("/log/tile/0/000.p/255").content == full.content[: 255 * 32]
    assert len(client.get("/log/tile/1/000.p/1").content) == 32
    bundle = client.get("/log/tile/entries/001.p/46").content
    assert len(entries(bundle)) == 46
    assert entries(client.get("/log/tile/entries/001.p/3").content) == entries(bundle)[:3]
    assert struct.unpack(">H", bundle[:2])[0] == len(entries(bundle)[0])


@pytest.mark.parametrize(
    "path",
    ["0/001", "0/001.p/47", "0/000.p/0", "0/000.p/256", "0/002", "0/x000/000", "1/000", "2/000",
     "64/000", "0/0", "0/0000", "entries/001", "entries/001.p/47", "0/000.p/", "00/000", "x/000",
     "0/x001/000.p/1", "0/000/", "entries", "0/x999/x999/x999/x999/x999/x999/999"],
)  # fmt: skip
def test_there_are_no_other_files(client, path):
    counted(3)
    LogTile.objects.all().delete()
    append()
    assert client.get(f"/log/tile/{path}").status_code == 404


# --- The site watches itself --------------------------------------------------------------------


def test_verify_log_finds_a_row_that_was_changed_by_hand():
    counted(4)
    append()
    out, err = StringIO(), StringIO()
    call_command("verify_log", stdout=out, stderr=err)
    assert "agree: 4 signatures" in out.getvalue()
    Signature.objects.filter(pk=Signature.objects.first().pk).update(state="held")
    with pytest.raises(SystemExit):
        call_command("verify_log", stdout=out, stderr=err)
    assert "the signatures (3, 0)" in err.getvalue()


@pytest.mark.parametrize("level", [ENTRIES, 0])
def test_verify_log_finds_a_tile_that_was_changed_by_hand(level):
    counted(4)
    append()
    tile = LogTile.objects.get(level=level)
    content = bytearray(tile.data)
    content[-1] ^= 1
    tile.data = bytes(content)
    tile.save()
    assert verify.problems()


def test_an_event_that_was_deleted_by_hand_shows():
    (signature,) = counted()
    append()
    withdraw(signature)
    LogEvent.objects.all().delete()
    assert verify.figures().log != published()


def test_a_key_is_made_and_its_verifier_told(settings):
    out = StringIO()
    call_command("log_key", stdout=out)
    assert len(out.getvalue().strip()) == 44
    out = StringIO()
    call_command("log_key", "--verifier", stdout=out)
    assert notes.verifier(out.getvalue()) == sequencer.verifier()
