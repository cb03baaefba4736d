"""The log says what is counted, whatever happens, and tells nobody who signed."""

import importlib.util
import json
import struct
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO
from threading import Thread

import pytest
from django.conf import settings as site
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as budget
from hypothesis import strategies as st

from petition.ground import addresses, ed25519, encryption, links
from petition.log import events, merkle, notes, sequencer, verify, witnesses
from petition.log.tiles import ENTRIES, Tiles, entries
from petition.models import LogEvent, LogHead, LogOpening, LogTile, Sheet, Signature
from petition.paper import sheets
from petition.signing import lifecycle, signatures, tallies
from tests.budget import FUZZ, examples
from tests.making import State, make_coordinator, make_signature

pytestmark = pytest.mark.django_db

SCRIPT = site.BASE_DIR / "static" / "verify_count.py"
MANY = sequencer.BATCH


def published():
    counter = tallies.read_counter()
    return counter.online, counter.paper


def append() -> int:
    return sequencer.append(published, tallies.RULES)


def lines() -> list[str]:
    head, read = LogHead.objects.first(), Tiles().read
    found = []
    for number in range(-(-(head.size if head else 0) // merkle.WIDTH)):
        found += [entry.decode() for entry in entries(read(ENTRIES, number))]
    return found


def kinds() -> list[str]:
    return [line.split(" ")[1] for line in lines()]


def counted(number=1, **fields) -> list[Signature]:
    """Signatures that are counted as the site counts them."""
    made = []
    for n in range(number):
        signature = make_signature(f"sample{n}-{Signature.objects.count()}@example.org", **fields)
        signatures.confirm(links.token(links.CONFIRM, signature.reference))
        signature.refresh_from_db()
        made.append(signature)
    return made


def withdraw(signature):
    signatures.withdraw(links.token(links.WITHDRAW, signature.reference))


# --- What is in it ------------------------------------------------------------------------------


def test_each_change_of_the_count_is_an_entry():
    first, second = counted(2)
    append()
    assert kinds() == ["rules", "counted", "counted", "total"]
    first.refresh_from_db()
    lifecycle.move(first, State.HELD, reason="other")
    withdraw(second)
    append()
    lifecycle.move(Signature.objects.get(pk=first.pk), State.COUNTED)
    append()
    said = [" ".join(line.split(" ")[1:-1]) for line in lines()[4:]]
    assert sorted(said[:2]) == ["left set_aside 1", "left withdrawn 1"]
    assert said[2:] == ["restored 1"]
    call_command("verify_log", stdout=StringIO())


def test_a_sheet_counts_with_its_lines_and_leaves_with_them():
    first, second = (make_coordinator("paper", username=name) for name in ("first", "second"))
    numbers = [sheet.number for sheet in sheets.make("ar", 2, first)]
    count = {"country": "MA", "place": "", "date": timezone.now().date(), "collector": "",
             "struck": 1}  # fmt: skip
    for number in numbers:
        for person in (first, second):
            sheets.enter(number, person, valid=12, **count)
    append()
    sheets.void(numbers[0], first, "Taken out for a test.")
    append()
    assert [line.rpartition(" ")[0] for line in lines() if "sheet" in line] == [
        "v1 sheet 12", "v1 sheet 12", "v1 left sheet_taken_out 12"
    ]  # fmt: skip
    head = LogHead.objects.get()
    assert (head.online, head.paper) == (0, 12) == published()


def test_what_leaves_before_the_log_has_it_enters_first():
    for signature in counted(2):
        withdraw(signature)
    append()
    assert sorted(kinds()[1:-1]) == ["counted", "counted", "left", "left"]
    assert LogHead.objects.get().online == 0


def test_pending_and_rejected_signatures_are_no_entries():
    make_signature("pending@example.org")
    lifecycle.move(make_signature("rejected@example.org"), State.REJECTED, reason="other")
    append()
    assert kinds() == ["rules", "total"]


def test_a_site_that_counted_before_begins_with_what_is_counted():
    for n in range(5):
        make_signature(f"before{n}@example.org", State.COUNTED)
    tallies.mend()
    append()
    assert kinds() == ["rules", *["counted"] * 5, "total"]
    assert append() == 0


def test_a_recount_that_finds_a_row_missing_writes_its_entry():
    counted(3)
    append()
    Signature.objects.first().delete()
    call_command("recount", "--fix", stdout=StringIO())
    append()
    assert lines()[-1].startswith("v1 left recount 1 ")
    call_command("verify_log", stdout=StringIO())


def test_a_total_is_published_each_hour_and_no_more_often():
    append()
    counted()
    append()
    assert kinds().count("total") == 1
    LogHead.objects.update(total_at=timezone.now() - timedelta(hours=1))
    append()
    assert kinds()[-1] == "total"
    assert lines()[-1].startswith("v1 total 1 0 ")


def test_no_total_is_published_that_does_not_add_up(caplog):
    counted(2)
    Signature.objects.filter(pk=Signature.objects.first().pk).delete()
    append()
    assert "total" not in kinds()
    assert "The log adds up to (1, 0), published is (2, 0)." in caplog.text


def test_without_a_key_there_is_no_log(settings, client):
    settings.LOG_KEY = None
    counted()
    assert append() == 0
    assert client.get("/log/checkpoint").status_code == client.get("/log/vkey").status_code == 404
    assert "does not keep a log" in client.get("/en/counter/check/").content.decode()
    settings.LOG_KEY = bytes(32)
    assert append() == 3


@pytest.mark.usefixtures("committed")
@pytest.mark.postgres
@pytest.mark.django_db(transaction=True)
def test_several_sequencers_and_signers_at_once_lose_nothing_and_double_nothing():
    made = [make_signature(f"a{n}@example.org") for n in range(40)]
    done = []

    def confirm():
        for signature in made:
            signatures.confirm(links.token(links.CONFIRM, signature.reference))
        done.append(1)

    def sequence():
        while not done:
            append()

    threads = [Thread(target=aside, args=[act]) for act in (confirm, sequence, sequence)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    while append():
        pass
    assert kinds().count("counted") == 40 == LogHead.objects.get().online
    assert verify.problems() == []


def aside(act):
    try:
        act()
    finally:
        connection.close()  # This thread's own.


# --- Any history --------------------------------------------------------------------------------

acts = st.lists(
    st.one_of(
        st.tuples(st.sampled_from(["sign", "confirm", "withdraw", "append", "kill"]),
                  st.integers(0, 3)),
        st.tuples(st.sampled_from(["held", "rejected", "counted"]), st.integers(0, 3)),
    ),
    max_size=25,
)  # fmt: skip


class Killed(Exception):
    pass


@pytest.mark.property
@budget(
    max_examples=examples(40),
    deadline=None,
    derandomize=not FUZZ,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(acts)
def test_any_history_adds_up_at_every_checkpoint(history):
    try:
        with transaction.atomic():
            _live(history)
            raise Killed
    except Killed:
        pass


def _live(history):
    seen = []
    for act, n in history:
        found = Signature.objects.filter(country=["MA", "LB", "FR", "EG"][n]).exclude(
            state="withdrawn"
        )
        signature = found.first()
        if act == "sign" and not signature:
            make_signature(f"h{Signature.objects.count()}@example.org",
                           country=["MA", "LB", "FR", "EG"][n])  # fmt: skip
        elif act == "append":
            append()
        elif act == "kill":
            try:
                with transaction.atomic():
                    append()
                    raise Killed
            except Killed:
                pass
        elif signature and act == "confirm" and signature.state == "pending":
            signatures.confirm(links.token(links.CONFIRM, signature.reference))
        elif signature and act == "withdraw":
            withdraw(signature)
        elif (
            signature
            and act in lifecycle.MOVES[signature.state]
            and (act != "counted" or signature.confirmed_at)
        ):
            lifecycle.move(signature, act, reason="other" if act != "counted" else "")
        figures = verify.figures()
        assert figures.log == figures.rows == published()
        head = LogHead.objects.first()
        if head and head.size and (not seen or seen[-1][0] != head.size):
            top = notes.checkpoint(head.checkpoint).root
            for size, former in seen:
                proof = merkle.consistency(Tiles().read, size, head.size)
                assert merkle.is_consistent(size, head.size, former, top, proof)
            seen.append((head.size, top))
    assert verify.problems() == []


# --- Nobody is given away -----------------------------------------------------------------------


def test_the_log_and_the_database_tell_no_mailbox_and_nobody_who_withdrew():
    first, second = counted(2)
    append()
    everything = "\n".join(lines()).encode() + b"".join(
        bytes(tile.data) for tile in LogTile.objects.all()
    )
    for signature in (first, second):
        signature.refresh_from_db()
        for mark in (signature.email.encode(), str(signature.reference).encode(),
                     bytes(signature.receipt), bytes(signature.mailbox)):  # fmt: skip
            assert mark not in everything
    withdraw(first)
    append()
    gone = Signature.objects.get(pk=first.pk)
    assert gone.receipt is None
    left = lines()[-1].split(" ")
    assert left[:4] == ["v1", "left", "withdrawn", "1"]
    assert left[4] not in "".join(lines()[:-1])


def test_guesses_find_nobody_without_the_secret_bytes():
    (signature,) = counted()
    append()
    known = {line.split(" ")[-1] for line in lines()}
    for n in range(200):
        guess = signature.email if n == 0 else f"guess{n}@example.org"
        assert events.of_signer(bytes(32), guess) not in known


def test_an_opening_is_read_with_the_data_keys_alone(settings):
    (signature,) = counted()
    append()
    withdraw(signature)
    append()
    opening = LogOpening.objects.get()
    blind, subject = encryption.decrypt(bytes(opening.sealed), events.OPENING).split(" ")
    assert subject == str(signature.reference)
    line = lines()[opening.index]
    hashed = events.sha256(events.OF_THE_SITE + bytes.fromhex(blind) + subject.encode())
    assert line.endswith(hashed.hexdigest())
    settings.DATA_KEYS = [bytes(32)]
    with pytest.raises(encryption.Unreadable):
        encryption.decrypt(bytes(opening.sealed), events.OPENING)


# --- The files ----------------------------------------------------------------------------------


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


# --- Receipts -----------------------------------------------------------------------------------


def program():
    spec = importlib.util.spec_from_file_location("verify_count", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_owner_gets_a_proof_that_holds_for_their_mailbox_alone(client, tmp_path, capsys):
    (signature,) = counted()
    page = f"/en/withdraw/{links.token(links.WITHDRAW, signature.reference)}/"
    assert "Is my signature counted?" in client.get(page).content.decode()
    assert "within minutes" in client.get(f"{page}?receipt=1").content.decode()
    append()
    said = client.get(f"{page}?receipt=1").content.decode()
    assert "The public log counts it as entry <bdi>1</bdi>." in said
    assert "Do not keep the proof if somebody could search your phone" in said
    response = client.get(f"{page}?receipt=file")
    assert "receipt.tlog-proof" in response["Content-Disposition"]
    assert "no-store" in response["Cache-Control"]
    receipt = tmp_path / "receipt.tlog-proof"
    receipt.write_bytes(response.content)
    verifier = program()
    key = str(sequencer.verifier())
    for mailbox, right in ((signature.email, 0), (signature.email.upper(), 0),
                           ("other@example.org", 1)):  # fmt: skip
        arguments = [str(tmp_path), "--vkey", key, "--receipt", str(receipt), "--mailbox", mailbox]
        assert verifier.main([*arguments, "--language", "en"]) == right
    assert "The receipt is right: entry 1" in capsys.readouterr().out
    withdraw(signature)
    assert client.get(f"{page}?receipt=file").status_code == 303


@pytest.mark.parametrize(
    "mailbox",
    ["A.b+x@googlemail.com", "a-b.c@pm.me", "Some.One+tag@Example.ORG", "x@ya.ru", "+@example.org",
     "a@me.com", "o'brien@example.org", "x@fastmail.fm"],
)  # fmt: skip
def test_the_program_tells_mailboxes_apart_as_the_site_does(mailbox):
    assert program().canonical(mailbox) == addresses.canonical(mailbox)


# --- The program finds every lie ----------------------------------------------------------------


@pytest.fixture
def copy(client, tmp_path):
    """Writes the log as a stranger copies it, from the site's own answers."""

    def make() -> str:
        size = LogHead.objects.get().size
        paths = ["checkpoint", "vkey"]
        for level in range(3):
            hashes = size >> 8 * level
            for number in range(-(-hashes // 256)):
                width = min(256, hashes - number * 256)
                end = f"{number:03}" + (f".p/{width}" if width < 256 else "")
                paths.append(f"tile/{level}/{end}")
                if level == 0:
                    paths.append(f"tile/entries/{end}")
        for path in paths:
            response = client.get(f"/log/{path}")
            assert response.status_code == 200, path
            target = tmp_path / "copy" / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(response.content)
        return str(tmp_path / "copy")

    return make


def ask(capsys, *arguments) -> tuple[int, list]:
    code = program().main([*arguments, "--json"])
    return code, json.loads(capsys.readouterr().out)["said"]


def wrong(said) -> str:
    return said[-1]["kind"] if said[-1]["what"] == "wrong" else ""


def again(tiles=None):
    """Signs whatever the database has now, as a dishonest operator would."""
    head = LogHead.objects.get()
    every = [line.encode() for line in (tiles if tiles is not None else lines())]
    LogTile.objects.all().delete()
    built = Tiles()
    top = built.append(0, every)
    built.save(timezone.now())
    text = notes.Checkpoint(sequencer.origin(), len(every), top).text
    head.size = len(every)
    head.checkpoint = notes.sign(text, sequencer.origin(), site.LOG_KEY)
    head.save()


def forget_pages():
    from django.core.cache import caches

    caches["process"].clear()


def test_an_honest_log_is_right_the_first_time_and_as_it_grows(copy, capsys, tmp_path):
    state = str(tmp_path / "state")
    counted(270)
    append()
    code, said = ask(capsys, copy(), "--state", state)
    assert (code, [each["what"] for each in said][:3]) == (0, ["signed", "entries", "first"])
    for signature in counted(20)[:5]:
        withdraw(signature)
    append()
    forget_pages()
    code, said = ask(capsys, copy(), "--state", state)
    assert code == 0
    assert {"what": "grew", "old": 272} in said
    assert {"what": "count", "total": 285, "online": 285, "paper": 0} in said
    (told,) = [each for each in said if each["what"] == "entries"]
    assert told["n"] == LogHead.objects.get().size - 272


LIES = {
    "edited": lambda every: [*every[:5], every[5].replace("v1 counted ", "v1 counted f")[:-1],
                             *every[6:]],
    "deleted": lambda every: every[:5] + every[6:],
    "swapped": lambda every: [*every[:5], every[6], every[5], *every[7:]],
    "inserted": lambda every: [*every[:5], "v1 counted " + "a" * 64, *every[5:]],
    "rolled back": lambda every: every[:-10],
}  # fmt: skip


@pytest.mark.parametrize("lie", LIES)
def test_whoever_saw_the_log_before_names_a_history_that_was_changed(copy, capsys, tmp_path, lie):
    state = str(tmp_path / "state")
    counted(30)
    append()
    assert ask(capsys, copy(), "--state", state)[0] == 0
    kept = [line for line in lines() if " total " not in line]
    again(LIES[lie](kept + kept[-1:] if lie == "deleted" else kept))
    forget_pages()
    code, said = ask(capsys, copy(), "--state", state)
    assert code == 1
    assert wrong(said) in ("rewritten", "shrunk")


def test_a_total_that_does_not_add_up_is_named(copy, capsys):
    counted(3)
    append()
    again([line.replace("v1 total 3 ", "v1 total 4 ") for line in lines()])
    code, said = ask(capsys, copy())
    assert (code, wrong(said), said[-1]["where"]) == (1, "total", 4)


@pytest.mark.parametrize("where", ["tile/entries/000.p/32", "tile/0/000.p/32", "checkpoint"])
def test_a_single_byte_that_was_changed_on_the_way_is_named(copy, capsys, tmp_path, where):
    counted(30)
    append()
    directory = copy()
    path = tmp_path / "copy" / where
    content = bytearray(path.read_bytes())
    content[40] ^= 1
    path.write_bytes(content)
    code, said = ask(capsys, directory)
    assert code == 1
    assert wrong(said) in ("tile", "unsigned", "entry")


def test_another_key_than_before_is_named(copy, capsys, tmp_path, settings):
    state = str(tmp_path / "state")
    counted(3)
    append()
    assert ask(capsys, copy(), "--state", state)[0] == 0
    settings.LOG_KEY = bytes(range(32))
    again()
    forget_pages()
    code, said = ask(capsys, copy(), "--state", state)
    assert (code, wrong(said)) == (1, "unsigned")


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_the_program_says_it_in_plain_sentences(copy, capsys, language):
    counted(3)
    append()
    assert program().main([copy(), "--language", language]) == 0
    said = capsys.readouterr().out
    assert {"ar": "يحتسب السجلّ 3", "fr": "Le journal compte 3", "en": "The log counts 3"}[
        language
    ] in said


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


# --- Witnesses ----------------------------------------------------------------------------------


class Witness(BaseHTTPRequestHandler):
    """A witness of its own, as C2SP tlog-witness has it."""

    seed, log, seen, answers = bytes([7]) * 32, None, (0, b""), "right"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        asked, _, note = body.partition("\n\n")
        old, *proof = asked.split("\n")
        told = notes.checkpoint(note)
        size, root = Witness.seen
        import base64

        proven = [base64.b64decode(line) for line in proof]
        if Witness.answers == "refuse" or notes.signers(note, [Witness.log]) == []:
            return self._say(403, "no")
        if int(old.removeprefix("old ")) != size:
            return self._say(409, f"{size}\n")
        if size and not merkle.is_consistent(size, told.size, root, told.root, proven):
            return self._say(422, "no")
        Witness.seen = (told.size, told.root)
        text = notes.split(note)[0]
        key = notes.Verifier("witness.example", notes.COSIGNATURE,
                             ed25519.public_key(Witness.seed))  # fmt: skip
        signed = ed25519.sign(Witness.seed, notes.cosigned(text, 1_700_000_000))
        return self._say(200, notes.signature_line(key, struct.pack(">Q", 1_700_000_000) + signed))

    def _say(self, status, text):
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def witness(settings):
    server = HTTPServer(("127.0.0.1", 0), Witness)
    Thread(target=server.serve_forever, daemon=True).start()
    key = notes.Verifier("witness.example", notes.COSIGNATURE, ed25519.public_key(Witness.seed))
    Witness.log, Witness.seen, Witness.answers = sequencer.verifier(), (0, b""), "right"
    settings.LOG_WITNESSES = [(f"http://127.0.0.1:{server.server_port}", str(key))]
    yield key
    server.shutdown()
    server.server_close()


def test_a_witness_cosigns_each_new_head_and_one_that_refuses_delays_nothing(witness, client):
    for _ in range(3):
        counted(2)
        append()
        assert witnesses.ask() == 1
        note = LogHead.objects.get().checkpoint
        assert notes.signers(note, [witness]) == [witness]
        assert witnesses.ask() == 0
    assert "witness.example" in client.get("/en/counter/check/").content.decode()
    Witness.seen = (2, Witness.seen[1])  # It restored an older state: it says where it stands.
    Witness.answers = "refuse"
    counted()
    assert append() == 1
    assert witnesses.ask() == 0


def test_a_witness_that_is_down_delays_nothing(settings):
    key = notes.Verifier("w", notes.COSIGNATURE, bytes(32))
    settings.LOG_WITNESSES = [("http://127.0.0.1:9", str(key))]
    counted()
    append()
    assert witnesses.ask() == 0


def test_a_sheet_without_a_valid_line_is_no_entry():
    Sheet.objects.create(number=Sheet.NUMBERS[0], batch=1, language="ar", state="counted",
                         country="MA", valid=0, struck=1, counted_at=timezone.now(),
                         date=timezone.now().date())  # fmt: skip
    append()
    assert "sheet" not in kinds()
    assert append() == 0
