"""The log says what is counted, whatever happens, and tells nobody who signed."""

from datetime import timedelta
from io import StringIO
from threading import Thread
from uuid import UUID

import pytest
from django.core.management import call_command
from django.db import connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given
from hypothesis import settings as budget
from hypothesis import strategies as st

from petition.ground import addresses, encryption, links
from petition.log import events, merkle, notes, verify
from petition.log.tiles import Tiles
from petition.models import LogEvent, LogHead, LogOpening, LogTile, Sheet, Signature
from petition.models.signatures import RECEIPT
from petition.paper import sheets
from petition.signing import lifecycle, signatures, tallies
from tests.budget import FUZZ, examples
from tests.log.making import append, counted, kinds, lines, published, withdraw
from tests.making import State, make_coordinator, make_signature

pytestmark = pytest.mark.django_db


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


@pytest.mark.parametrize("difference", [-2, 3])
def test_a_recount_of_paper_mends_the_sum_of_paper(difference):
    sheet = Sheet.objects.create(number=Sheet.NUMBERS[0], batch=1, language="ar", state="counted",
                                 country="MA", valid=12, struck=1, counted_at=timezone.now(),
                                 date=timezone.now().date())  # fmt: skip
    tallies.mend()
    append()
    Sheet.objects.filter(pk=sheet.pk).update(valid=12 + difference)
    call_command("recount", "--fix", stdout=StringIO())
    LogHead.objects.update(total_at=timezone.now() - timedelta(hours=1))
    append()
    assert lines()[-1].startswith(f"v1 total 0 {12 + difference} ")
    assert verify.problems() == []


def test_openings_move_to_a_new_data_key(settings):
    (signature,) = counted()
    append()
    withdraw(signature)
    append()
    lifecycle.move(counted()[0], State.HELD, reason="other")  # Waits for its round.
    settings.DATA_KEYS = [b"n" * 32, *settings.DATA_KEYS]
    call_command("rotate_keys", stdout=StringIO())
    settings.DATA_KEYS = [b"n" * 32]
    sealed = [o.sealed for o in LogOpening.objects.all()]
    sealed += LogEvent.objects.exclude(opening=None).values_list("opening", flat=True)
    assert len(sealed) == 2
    for opening in sealed:
        assert encryption.decrypt(bytes(opening), events.OPENING)


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


GUESSES = 5_000


def stolen() -> set[bytes]:
    """Every piece of 32 bytes that somebody could try who has the whole database and no keys."""
    kept = []
    for model in (Signature, LogEvent, LogOpening, LogHead):
        for row in model.objects.all().values():
            kept += [bytes(v) for v in row.values() if isinstance(v, bytes | memoryview)]
            kept += [v.bytes * 2 for v in row.values() if isinstance(v, UUID)]
    return {each[at : at + 32] for each in kept for at in range(max(1, len(each) - 31))}


def secret_of(signature: Signature) -> bytes:
    """What the owner's receipt holds."""
    row = signature.reference.bytes
    return encryption.opened(bytes(signature.receipt), RECEIPT, row)


def test_five_thousand_guesses_find_nobody_in_a_stolen_database():
    signers = counted(12)
    append()
    known = {line.split(" ")[-1] for line in lines()}
    victim, *others = Signature.objects.counted().order_by("pk")
    mailbox = addresses.canonical(victim.email)
    assert events.of_signer(secret_of(victim), mailbox) in known  # With the receipt: found.
    guesses = {mailbox, *(f"guess{n}@example.org" for n in range(GUESSES - 1))}
    tried = {bytes(32), *stolen(), *map(secret_of, others)}
    assert len(tried) > 100 * len(signers)
    for secret in tried:
        assert events.of_signer(secret, mailbox) not in known
    for secret in (bytes(32), *map(secret_of, others)):
        assert not {events.of_signer(secret, guess) for guess in guesses} & known


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


def test_a_sheet_without_a_valid_line_is_no_entry():
    Sheet.objects.create(number=Sheet.NUMBERS[0], batch=1, language="ar", state="counted",
                         country="MA", valid=0, struck=1, counted_at=timezone.now(),
                         date=timezone.now().date())  # fmt: skip
    append()
    assert "sheet" not in kinds()
    assert append() == 0
