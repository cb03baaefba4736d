"""Figures and signatures that leave the desk: recorded, safe to open, and stopped when asked."""

import csv
import io
import json
import re
import secrets
import threading
import time
from datetime import timedelta
from http.client import HTTPConnection
from urllib.parse import urlencode, urlsplit

import openpyxl
import pytest
import pyzipper
from django.contrib.sessions.models import Session
from django.utils import timezone

from petition.desk import exports
from petition.models import ConsentText, Entry, Export, Signature
from petition.signing import tallies
from tests.making import State, make_coordinator, make_signature

pytestmark = pytest.mark.django_db

TALLIES = "/admin/petition/export/tallies/"
DELIVERY = "/admin/petition/export/delivery/"


@pytest.fixture
def delivery(client):
    client.force_login(make_coordinator("delivery"))
    return client


def make_deliverable(email: str, **fields) -> Signature:
    consent = ConsentText.objects.get(version=2, language="ar")
    return make_signature(email, State.COUNTED, delivery=True, consent=consent, **fields)


def passphrase_and_seal(page) -> tuple[str, str]:
    html = page.content.decode()
    shown = re.search(r'desk-passphrase"><code dir="ltr">([^<]+)<', html)[1]
    return shown, re.search(r'name="sealed" value="([^"]+)"', html)[1]


def download(client, **answers):
    secret, seal = passphrase_and_seal(client.get(DELIVERY))
    asked = {"reason": "Handed to the ICRC", "noted": "on", "sealed": seal} | answers
    return secret, client.post(DELIVERY, asked)


def opened(content: bytes, secret: str) -> list[list[str]]:
    with pyzipper.AESZipFile(io.BytesIO(content)) as archive:
        (name,) = archive.namelist()
        archive.setpassword(secret.encode())
        text = archive.read(name).decode("utf-8-sig")
    return list(csv.reader(io.StringIO(text)))


@pytest.mark.parametrize("dimension", exports.DIMENSIONS)
@pytest.mark.parametrize("file_format", exports.FORMATS)
def test_every_coordinator_exports_the_tallies_in_every_format(client, dimension, file_format):
    client.force_login(make_coordinator("press"))
    make_signature("one@example.org", State.COUNTED, country="LB", track_id="fate")
    make_signature("two@example.org", State.COUNTED, country="MA")
    response = client.post(
        TALLIES,
        {"dimension": dimension, "file_format": file_format},
        headers={"Accept-Language": "ar"},
    )
    assert f'filename="{dimension}-' in response["Content-Disposition"]
    rows = read(response.content, file_format)
    assert sum(row["signatures"] for row in rows) == 2
    assert {row["channel"] for row in rows} == {"online"}
    if dimension == "country":
        assert {row["country"]: row["name"] for row in rows} == {"LB": "لبنان", "MA": "المغرب"}
    entry = Entry.objects.get()
    export = Export.objects.get()
    assert (entry.actor, entry.act) == ("coordinator", "export")
    assert entry.subject == f"export {export.pk}"
    assert entry.detail["rows"] == len(rows)
    assert export.rows == len(rows)


def read(content: bytes, file_format: str) -> list[dict]:
    if file_format == "json":
        return json.loads(content)
    if file_format == "xlsx":
        header, *rows = openpyxl.load_workbook(io.BytesIO(content)).active.values
        return [dict(zip(header, row, strict=True)) for row in rows]
    assert content.startswith(b"\xef\xbb\xbf")
    rows = csv.DictReader(io.StringIO(content.decode("utf-8-sig")))
    return [row | {"signatures": int(row["signatures"])} for row in rows]


def test_the_tallies_by_channel_are_the_counter(client):
    client.force_login(make_coordinator("press"))
    make_signature(state=State.COUNTED)
    response = client.post(TALLIES, {"dimension": "channel", "file_format": "json"})
    (row,) = json.loads(response.content)
    assert (row["channel"], row["signatures"]) == ("online", tallies.read_counter().online)


def test_only_those_who_agreed_are_delivered_and_no_address_of_anybody(delivery):
    make_deliverable("agreed@example.org", name="Agreed Sample", country="LB")
    make_signature("silent@example.org", State.COUNTED, name="Silent Sample")
    held = make_deliverable("held@example.org", name="Held Sample")
    Signature.objects.filter(pk=held.pk).update(state=State.HELD)
    secret, response = download(delivery)
    content = b"".join(response.streaming_content)
    header, *rows = opened(content, secret)
    assert header == ["number", "name", "country", "confirmed"]
    assert [row[:3] for row in rows] == [["1", "Agreed Sample", "LB"]]
    assert b"Agreed" not in content
    assert b"example.org" not in content
    export = Export.objects.get()
    assert (export.state, export.rows, export.expected) == ("finished", 1, 1)
    assert export.reason == "Handed to the ICRC"
    first, last = Entry.objects.order_by("number")
    assert (first.act, first.detail["note"]) == ("export", "Handed to the ICRC")
    assert (last.act, last.detail["rows"]) == ("export end", 1)


def test_the_file_opens_with_its_own_passphrase_only(delivery):
    make_deliverable("agreed@example.org")
    _, response = download(delivery)
    content = b"".join(response.streaming_content)
    with pytest.raises(RuntimeError):
        opened(content, "AAAA-AAAA-AAAA-AAAA-AAAA")
    with pyzipper.AESZipFile(io.BytesIO(content)) as archive:
        (info,) = archive.infolist()
    assert info.flag_bits & 0x1
    assert info.wz_aes_strength == 3  # AES with 256 bits.


@pytest.mark.parametrize("start", ["=1+1", "+1", "-1", "@SUM", "\t=1", "\r=1"])
def test_a_name_that_a_spreadsheet_would_run_is_text(delivery, start):
    make_deliverable("agreed@example.org", name=f"{start} Sample")
    secret, response = download(delivery)
    _, row = opened(b"".join(response.streaming_content), secret)
    assert row[1] == f"'{start} Sample"


@pytest.mark.parametrize(
    "wrong", [{"reason": ""}, {"reason": "x"}, {"noted": ""}, {"sealed": "WEAK"}, {"sealed": ""}]
)
def test_without_a_reason_or_with_a_passphrase_of_ones_own_nothing_leaves(delivery, wrong):
    make_deliverable("agreed@example.org")
    _, response = download(delivery, **wrong)
    assert not response.streaming
    assert "errorlist" in response.content.decode()
    assert not Export.objects.exists()
    assert not Entry.objects.exists()


def test_a_form_that_comes_back_shows_the_same_passphrase(delivery):
    secret, seal = passphrase_and_seal(delivery.get(DELIVERY))
    again = delivery.post(DELIVERY, {"reason": "", "noted": "on", "sealed": seal})
    # Sealed anew, perhaps in another second.
    assert passphrase_and_seal(again)[0] == secret
    assert passphrase_and_seal(delivery.get(DELIVERY))[0] != secret
    assert re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){4}[0-9A-HJKMNP-TV-Z]{4}", secret)


def test_a_client_that_hangs_up_stops_the_export_and_nothing_is_left(delivery, monkeypatch):
    monkeypatch.setattr(exports, "BATCH", 2)
    for n in range(9):
        make_deliverable(f"sample{n}@example.org")
    export = exports.begin_delivery(make_coordinator(username="other"), "For a test")
    parts = exports.stream(export, "secret")
    next(parts)
    parts.close()  # What the server does with an answer that nobody takes any more.
    export = Export.objects.get()
    assert export.state == "stopped"
    assert export.rows < 9
    assert Entry.objects.latest("number").detail["outcome"] == "stopped"


# The test's server closes what a thread has open before the export notes that it broke off.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.postgres
@pytest.mark.usefixtures("committed")
def test_a_connection_that_breaks_in_the_middle_of_a_download_ends_the_export(live_server, client):
    consent = ConsentText.objects.get(version=2, language="ar")
    Signature.objects.bulk_create(
        Signature(
            name=secrets.token_hex(1500), mailbox=b"sample %d" % n, state=State.COUNTED,
            country="MA", language="ar", delivery=True, consent=consent,
            confirmed_at=timezone.now(),
        )
        for n in range(6_000)  # More than the buffers between the two take.
    )  # fmt: skip
    client.force_login(make_coordinator("delivery"))
    _, seal = passphrase_and_seal(client.get(DELIVERY))
    cookies = "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())
    token = client.cookies["csrftoken"].value
    body = urlencode(
        {"reason": "For a test", "noted": "on", "sealed": seal, "csrfmiddlewaretoken": token}
    )
    connection = HTTPConnection(urlsplit(live_server.url).netloc)
    headers = {"Cookie": cookies, "Content-Type": "application/x-www-form-urlencoded"}
    connection.request("POST", DELIVERY, body, headers)
    answer = connection.getresponse()
    assert answer.status == 200
    answer.read(1000)
    answer.close()
    connection.close()
    until = time.monotonic() + 30
    while Export.objects.get().state == "running" and time.monotonic() < until:
        time.sleep(0.05)
    for thread in threading.enumerate():
        if "process_request_thread" in thread.name:
            thread.join(30)
    export = Export.objects.get()
    assert export.state == "stopped"
    assert 0 < export.rows < 6_000


def test_a_coordinator_stops_an_export_and_its_download_breaks_off(delivery, monkeypatch):
    monkeypatch.setattr(exports, "BATCH", 1)
    for n in range(3):
        make_deliverable(f"sample{n}@example.org")
    export = exports.begin_delivery(make_coordinator(username="other"), "For a test")
    parts = exports.stream(export, "secret")
    next(parts)
    delivery.post(f"/admin/petition/export/{export.pk}/stop/")
    with pytest.raises(exports.Stopped):
        list(parts)
    assert Entry.objects.filter(act="export end", detail__asked="stop").exists()
    assert Export.objects.get().state == "stopped"
    progress = delivery.get(f"/admin/petition/export/{export.pk}/progress.json").json()
    assert (progress["of"], progress["over"]) == (3, True)


def test_an_export_whose_process_was_killed_is_ended_by_the_next_look(delivery):
    export = exports.begin_delivery(make_coordinator(username="other"), "For a test")
    Export.objects.update(beat_at=export.started_at - 2 * exports.LEASE)
    assert delivery.get("/admin/petition/export/").status_code == 200
    assert Export.objects.get().state == "stopped"
    assert Entry.objects.latest("number").act == "export end"


def test_who_withdraws_while_an_export_runs_is_not_in_the_rest_of_it(delivery, monkeypatch):
    monkeypatch.setattr(exports, "BATCH", 1)
    make_deliverable("first@example.org", name="First Sample")
    gone = make_deliverable("second@example.org", name="Second Sample")
    lines = exports._lines(exports.begin_delivery(make_coordinator(username="other"), "For a test"))
    assert b"First" in next(lines)
    Signature.objects.filter(pk=gone.pk).update(delivery=False)
    assert b"Second" not in b"".join(lines)


def test_neither_the_passphrase_nor_a_name_is_kept_or_logged(delivery, caplog):
    make_deliverable("agreed@example.org", name="Zzmark Sample")
    secret, response = download(delivery)
    list(response.streaming_content)
    kept = [*Export.objects.values(), *Entry.objects.values(), *Session.objects.values()]
    for place in (str(kept), caplog.text):
        assert secret not in place
        assert "Zzmark" not in place


def test_a_passphrase_is_of_one_coordinator_and_one_hour(delivery, monkeypatch):
    _, seal = passphrase_and_seal(delivery.get(DELIVERY))
    asked = {"reason": "For a test", "noted": "on", "sealed": seal}
    delivery.force_login(make_coordinator("delivery", username="other"))
    assert "errorlist" in delivery.post(DELIVERY, asked).content.decode()
    _, seal = passphrase_and_seal(delivery.get(DELIVERY))
    monkeypatch.setattr("petition.admin.exports.PASSPHRASE_SECONDS", -1)
    assert "errorlist" in delivery.post(DELIVERY, asked | {"sealed": seal}).content.decode()
    assert not Export.objects.exists()


def test_what_nobody_began_to_read_is_not_recorded(delivery):
    make_deliverable("agreed@example.org")
    exports.deliver(make_coordinator(username="other"), "For a test", "secret").close()
    assert not Export.objects.exists()
    assert not Entry.objects.exists()


def test_a_row_that_no_key_reads_is_left_out_and_said(delivery, settings):
    keys = settings.DATA_KEYS
    settings.DATA_KEYS = [b"x" * 32]
    make_deliverable("lost@example.org")
    settings.DATA_KEYS = keys
    make_deliverable("kept@example.org", name="Kept Sample")
    secret, response = download(delivery)
    _, row = opened(b"".join(response.streaming_content), secret)
    assert row[:2] == ["1", "Kept Sample"]
    export = Export.objects.get()
    assert (export.state, export.rows, export.unreadable) == ("finished", 1, 1)
    assert Entry.objects.latest("number").detail["unreadable"] == 1


def test_rows_are_numbered_and_counted_beyond_one_batch(delivery, monkeypatch):
    monkeypatch.setattr(exports, "BATCH", 2)
    for n in range(5):
        make_deliverable(f"sample{n}@example.org")
    secret, response = download(delivery)
    _, *rows = opened(b"".join(response.streaming_content), secret)
    assert [row[0] for row in rows] == ["1", "2", "3", "4", "5"]
    assert Export.objects.get().rows == 5


def test_an_export_ends_once_whoever_says_so(delivery):
    by = make_coordinator(username="other")
    export = exports.begin_delivery(by, "For a test")
    list(exports.stream(export, "secret"))
    exports.stop(export, by)
    Export.objects.update(beat_at=export.started_at - 2 * exports.LEASE)
    exports.close_abandoned()
    assert Export.objects.get().state == "finished"
    assert [entry.act for entry in Entry.objects.order_by("number")] == ["export", "export end"]


def test_who_may_not_see_exports_ends_none_by_asking(client):
    export = exports.begin_delivery(make_coordinator(username="other"), "For a test")
    Export.objects.update(beat_at=export.started_at - 2 * exports.LEASE)
    client.force_login(make_coordinator("moderator"))
    assert client.get("/admin/petition/export/").status_code == 403
    assert Export.objects.get().state == "running"


def test_the_progress_of_a_new_export_is_not_that_of_the_one_before(delivery):
    make_deliverable("agreed@example.org")
    _, response = download(delivery)
    list(response.streaming_content)
    Export.objects.update(started_at=timezone.now() - timedelta(minutes=5))
    page = delivery.get(DELIVERY).content.decode()
    address = re.search(r'data-progress="([^"]+)"', page)[1]
    assert delivery.get(address).json()["over"] is False
    assert delivery.get(address + "x").status_code == 200


def test_two_who_find_the_same_export_abandoned_write_it_down_once():
    export = exports.begin_delivery(make_coordinator(username="other"), "For a test")
    exports._end(export, "stopped")
    exports._end(export, "stopped")
    assert Entry.objects.filter(act="export end").count() == 1
