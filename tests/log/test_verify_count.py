"""A stranger checks the log and a receipt with the program: every lie is named."""

import json
from datetime import timedelta

import pytest
from django.conf import settings as site
from django.utils import timezone

from petition import audit
from petition.ground import addresses, links
from petition.log import notes, sequencer
from petition.log.tiles import Tiles
from petition.models import LogHead, LogTile
from tests.log.making import append, counted, lines, program, withdraw

pytestmark = pytest.mark.django_db

# --- Receipts -----------------------------------------------------------------------------------


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


def test_it_passes_over_what_a_checkpoint_says_of_the_audit(copy, capsys, monkeypatch):
    yesterday = timezone.now() - timedelta(days=1)
    with monkeypatch.context() as earlier:
        earlier.setattr(timezone, "now", lambda: yesterday)
        audit.append(None, "hold", "signature of yesterday")
    counted(3)
    append()
    assert "\naudit 20" in LogHead.objects.get().checkpoint
    assert ask(capsys, copy())[0] == 0


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
    new = str(sequencer.verifier())  # As the site has told its readers.
    assert ask(capsys, copy(), "--state", state, "--vkey", new)[0] == 0
    assert ask(capsys, copy(), "--state", state)[0] == 0


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_the_program_says_it_in_plain_sentences(copy, capsys, language):
    counted(3)
    append()
    assert program().main([copy(), "--language", language]) == 0
    said = capsys.readouterr().out
    assert {"ar": "يحتسب السجلّ 3", "fr": "Le journal compte 3", "en": "The log counts 3"}[
        language
    ] in said
