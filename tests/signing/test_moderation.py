"""What moderators do to signatures, as they do it on the desk."""

import re

import pytest
from django.db import IntegrityError, transaction
from django.test import Client

from petition import audit
from petition.ground import links, masks
from petition.letters import owing
from petition.models import Entry, Letter, Signature
from petition.signing import lifecycle, moderation, signatures, tallies
from tests.making import State, filled_form, make_coordinator, make_signature

pytestmark = pytest.mark.django_db

LIST = "/admin/petition/signature/"
EMAIL = "zzmark@zzdomain.example"


@pytest.fixture
def moderator(client):
    client.force_login(make_coordinator("moderator"))
    return client


@pytest.fixture
def administrator(client):
    client.force_login(make_coordinator("administrator"))
    return client


def act(client, name, *signatures, **answers):
    """Choose signatures in the list, then answer what the act asks."""
    chosen = {"action": name, "_selected_action": [s.pk for s in signatures], "index": 0}
    asked = client.post(LIST, chosen)
    if asked.status_code != 200:
        return asked
    shown = re.findall(r'name="shown" value="([^"]+)"', asked.content.decode())
    return client.post(LIST, chosen | {"apply": "1", "shown": shown} | answers, follow=True)


def state_of(signature) -> tuple[str, str]:
    return Signature.objects.values_list("state", "reason").get(pk=signature.pk)


def test_a_signature_is_held_and_then_counts_again(moderator):
    signature = make_signature(state=State.COUNTED)
    page = act(moderator, "hold", signature, reason="automated", note="many within a minute")
    assert state_of(signature) == ("held", "automated")
    assert tallies.read_counter().total == 0
    assert "many within a minute" in page.content.decode()
    act(moderator, "count", signature)
    assert state_of(signature) == ("counted", "")
    assert tallies.read_counter().total == 1
    assert tallies.recount() == []
    assert [entry.act for entry in Entry.objects.order_by("number")] == ["hold", "count"]


def test_many_are_rejected_at_once_each_with_its_own_entry(moderator):
    chosen = [make_signature(f"sample{n}@example.org", State.COUNTED) for n in range(3)]
    act(moderator, "reject", *chosen, reason="disposable")
    assert {state_of(s) for s in chosen} == {("rejected", "disposable")}
    assert tallies.read_counter().total == 0
    subjects = set(Entry.objects.values_list("subject", flat=True))
    assert subjects == {f"signature {s.reference}" for s in chosen}


@pytest.mark.parametrize("name", ["hold", "reject"])
def test_without_a_reason_nothing_is_done_and_what_was_typed_is_still_there(moderator, name):
    signature = make_signature(state=State.COUNTED)
    page = act(moderator, name, signature, note="as I wrote").content.decode()
    assert "as I wrote" in page
    assert "errorlist" in page
    assert str(signature.pk) in page
    assert state_of(signature) == ("counted", "")
    assert not Entry.objects.exists()


def test_nobody_but_its_owner_confirms_a_signature(moderator):
    pending, held = make_signature("one@example.org"), make_signature("two@example.org")
    lifecycle.move(held, State.HELD, reason="other")
    page = act(moderator, "count", pending, held).content.decode()
    assert state_of(pending) == ("pending", "")
    assert state_of(held) == ("pending", "")
    assert "messagelist" in page
    assert tallies.read_counter().total == 0
    assert Entry.objects.get().subject == f"signature {held.reference}"


def test_a_letter_is_sent_again_up_to_what_one_address_may_get(moderator):
    signature = make_signature()
    for _ in range(owing.LETTERS_AN_ADDRESS + 2):
        act(moderator, "resend", signature)
    due = Letter.objects.filter(state=Letter.State.DUE, kind="confirm")
    assert due.count() == owing.LETTERS_AN_ADDRESS
    assert Entry.objects.filter(act="resend").count() == owing.LETTERS_AN_ADDRESS


def test_an_administrator_erases_a_person_and_the_number_stays_right(administrator):
    signature = make_signature(EMAIL, State.COUNTED, name="Zzmark Sample")
    owing.owe(signature, "counted", "ar")
    page = act(administrator, "erase", signature, note="asked by letter").content.decode()
    assert "zzmark" not in page.lower()
    gone = Signature.objects.get()
    assert (gone.state, gone.name, gone.email, gone.mailbox) == ("withdrawn", "", "", None)
    assert tallies.read_counter().total == 0
    assert tallies.recount() == []
    assert not Letter.objects.exists()
    assert Entry.objects.get().act == "erase"


def test_an_address_is_looked_up_whole_by_post_and_in_any_spelling(moderator):
    signature = make_signature("sample.person@gmail.com")
    found = moderator.post(f"{LIST}look-up/", {"email": "SamplePerson+x@googlemail.com"})
    assert found["Location"] == f"{LIST}{signature.pk}/change/"
    part = moderator.post(f"{LIST}look-up/", {"email": "sample.person@"}, follow=True)
    assert "messagelist" in part.content.decode()
    assert moderator.post(f"{LIST}look-up/", {"email": "x@example.org"})["Location"] == LIST
    assert moderator.get(f"{LIST}look-up/?email=sample.person@gmail.com").status_code == 405
    by_address = moderator.get(f"{LIST}?q=sample.perso").content.decode()
    assert "sample.person" not in by_address
    entries = list(Entry.objects.filter(act="look up").values_list("subject", "detail"))
    assert entries == [("nothing found", {}), (f"signature {signature.reference}", {})]


def test_a_name_and_an_address_are_shown_for_a_reason_that_is_kept(administrator):
    signature = make_signature(EMAIL, name="Zzmark Sample")
    reveal = f"{LIST}{signature.pk}/reveal/"
    for page in (administrator.get(reveal), administrator.post(reveal, {"why": ""})):
        assert "zzmark" not in page.content.decode().lower()
    assert not Entry.objects.exists()
    shown = administrator.post(reveal, {"why": "The owner asks by letter."})
    assert EMAIL in shown.content.decode()
    assert "Zzmark Sample" in shown.content.decode()
    assert "no-store" in shown["Cache-Control"]
    entry = Entry.objects.get()
    assert (entry.act, entry.detail) == ("reveal", {"note": "The owner asks by letter."})
    assert "zzmark" not in str(entry.detail).lower()


def test_a_moderator_cannot_reach_a_name_or_an_address(moderator):
    """List, filters, search, detail, acts, history, audit, exports, errors, guessed addresses."""
    signature = make_signature(EMAIL, State.COUNTED, name="Zzmark Sample")
    one = f"{LIST}{signature.pk}/"
    pages = [
        moderator.get(LIST), moderator.get(f"{LIST}?state=counted&country=MA"),
        moderator.get(f"{LIST}?email__startswith=zz"), moderator.get(f"{LIST}?q=zzmar"),
        moderator.get(f"{LIST}?name=Zzmar"),
        moderator.get(f"{LIST}?domain={signature.domain.hex()}"),
        moderator.get(f"{one}change/"), moderator.get(f"{one}history/"),
        moderator.get(f"{one}reveal/"), moderator.post(f"{one}reveal/", {"why": "I want to"}),
        moderator.get(f"{one}delete/"), moderator.get(f"{LIST}add/"),
        moderator.get("/admin/petition/entry/"), moderator.get("/admin/petition/export/"),
        moderator.get("/admin/petition/export/delivery/"),
        moderator.get("/admin/petition/letter/"), moderator.get("/admin/"),
        moderator.get(f"/admin/r/1/{signature.pk}/"), moderator.get("/admin/autocomplete/"),
        act(moderator, "hold", signature, reason="other"),
        act(moderator, "erase", signature),
    ]  # fmt: skip
    for page in pages:
        said = page.content.decode().lower() + str(page.headers).lower()
        assert "zzmark" not in said
        assert "zzdomain" not in said
    assert [pages[n].status_code for n in (8, 9, 12, 14, 20)] == [403] * 5
    assert state_of(signature) == ("held", "other")


def test_the_lists_of_what_is_hidden_cannot_be_tried_out_by_address(moderator):
    """`?domain=…` would tell who shares a domain, `?mailbox=…` whether somebody signed."""
    one = make_signature("one@example.org")
    make_signature("two@example.com")
    narrowed = moderator.get(f"{LIST}?domain={one.domain.hex()}&mailbox={one.mailbox.hex()}")
    assert narrowed.content.decode().count('name="_selected_action"') == 2


def test_of_two_who_decide_at_the_same_time_the_second_is_told(moderator):
    signature = make_signature(state=State.COUNTED)
    stale = Signature.objects.get()
    lifecycle.move(signature, State.REJECTED, reason="other")
    with pytest.raises(moderation.SomebodyWasFirst):
        moderation.hold(stale, make_coordinator(username="second"), "other")
    assert not Entry.objects.exists()


def test_the_history_tells_what_happened_in_its_order(moderator):
    signature = make_signature(state=State.COUNTED)
    act(moderator, "hold", signature, reason="name", note="reads like a word")
    page = moderator.get(f"{LIST}{signature.pk}/change/", headers={"Accept-Language": "en"})
    said = page.content.decode()
    places = [
        said.index(text) for text in ("was signed<", "was confirmed<", "suspended a signature<")
    ]
    assert places == sorted(places)
    assert "not the name of a person · reads like a word" in said


def test_a_withdrawn_person_is_out_of_reach_of_every_act(moderator):
    signature = make_signature(state=State.WITHDRAWN)
    for name in ("count", "hold", "reject", "resend"):
        act(moderator, name, signature, reason="other")
    assert state_of(signature) == ("withdrawn", "")
    assert not Entry.objects.exists()
    assert not Letter.objects.exists()


def test_the_chain_holds_after_all_of_it(moderator):
    signature = make_signature(state=State.COUNTED)
    for name in ("hold", "count", "reject", "count"):
        act(moderator, name, signature, reason="other")
    assert Entry.objects.count() == 4
    assert audit.broken() == []


def test_nobody_overrides_a_decision_that_they_have_not_seen(moderator):
    signature = make_signature(state=State.COUNTED)
    chosen = {"action": "hold", "_selected_action": [signature.pk], "index": 0}
    form = moderator.post(LIST, chosen).content.decode()
    shown = re.findall(r'name="shown" value="([^"]+)"', form)
    lifecycle.move(Signature.objects.get(), State.REJECTED, reason="other")
    answers = {"apply": "1", "shown": shown, "reason": "automated"}
    page = moderator.post(LIST, chosen | answers, follow=True).content.decode()
    assert 'class="warning"' in page
    assert state_of(signature) == ("rejected", "other")


def test_an_owner_who_confirms_while_a_coordinator_lets_it_count_is_counted():
    signature = make_signature()
    lifecycle.move(signature, State.HELD, reason="other")
    stale = Signature.objects.get()
    signatures.confirm(links.token(links.CONFIRM, signature.reference))
    moderation.count(stale, make_coordinator())
    assert Signature.objects.get().state == State.COUNTED
    assert tallies.read_counter().total == 1


def test_a_confirmation_of_what_is_purged_at_that_moment_is_not_acknowledged():
    held = make_signature()
    lifecycle.move(held, State.HELD, reason="other")
    Signature.objects.all().delete()
    with pytest.raises(signatures.LinkExpired):
        signatures._confirm(signatures.Version(held), {}, passed=False)


def test_the_database_itself_refuses_a_pending_signature_that_was_confirmed():
    make_signature(state=State.COUNTED)
    with pytest.raises(IntegrityError), transaction.atomic():
        Signature.objects.update(state=State.PENDING)


@pytest.mark.parametrize("chosen", ["abc", "", "1\x00", "9" * 30, "-1"])
def test_odd_choices_are_refused(moderator, chosen):
    posted = {"action": "hold", "_selected_action": chosen, "index": 0}
    assert moderator.post(LIST, posted).status_code == 400


def test_letters_do_not_tell_a_moderator_who_has_signed(moderator):
    """Whoever posts an address to the public form must not find here what it was told."""
    known = make_signature(EMAIL, State.COUNTED)
    client = Client()
    client.post("/en/sign/", filled_form(email=EMAIL))
    letter = Letter.objects.get()
    pages = [
        moderator.get("/admin/petition/letter/", headers={"Accept-Language": "en"}),
        moderator.get(f"/admin/petition/letter/{letter.pk}/change/"),
        moderator.get("/admin/petition/letter/?kind=counted"),
        moderator.get(f"{LIST}{known.pk}/change/", headers={"Accept-Language": "en"}),
    ]
    for page in pages[:3]:
        assert str(known.reference) not in page.content.decode()
        assert f"/signature/{known.pk}/" not in page.content.decode()
    assert all("says that it is counted already" not in p.content.decode() for p in pages)
    Letter.objects.update(state="refused", reply="550 5.1.1")
    page = moderator.get(f"{LIST}{known.pk}/change/").content.decode()
    assert "550 5.1.1" in page


def test_a_moderator_does_not_read_why_somebody_looked(moderator):
    signature = make_signature(state=State.COUNTED)
    moderation.reveal(signature, make_coordinator(username="admin"), "asked by the police")
    assert (
        "asked by the police" not in moderator.get(f"{LIST}{signature.pk}/change/").content.decode()
    )
    moderator.force_login(make_coordinator("administrator", username="second"))
    assert "asked by the police" in moderator.get(f"{LIST}{signature.pk}/change/").content.decode()


def test_no_link_of_a_signature_leads_to_a_refusal(moderator):
    signature = make_signature(state=State.COUNTED, track_id="fate")
    for address in (f"{LIST}{signature.pk}/change/", f"{LIST}?channel=paper"):
        page = moderator.get(address).content.decode()
        for link in set(re.findall(r'href="(/admin/petition/[^"]*)"', page)):
            assert moderator.get(link.replace("&amp;", "&")).status_code == 200, link


def test_a_row_that_no_key_reads_stops_neither_list_nor_page(moderator, settings):
    keys = settings.DATA_KEYS
    settings.DATA_KEYS = [b"x" * 32]
    lost = make_signature("lost@example.org", State.COUNTED)
    settings.DATA_KEYS = keys
    make_signature("kept@example.org", State.COUNTED)
    listed = moderator.get(LIST, headers={"Accept-Language": "en"}).content.decode()
    assert "cannot be decrypted" in listed
    assert "k•••@•••.org" in listed
    assert moderator.get(f"{LIST}{lost.pk}/change/").status_code == 200
    moderator.force_login(make_coordinator("administrator", username="second"))
    page = moderator.post(f"{LIST}{lost.pk}/reveal/", {"why": "for a test"})
    assert "DATA_KEYS" in page.content.decode()


@pytest.mark.parametrize(
    ("name", "seen"),
    [("Sample Signer", "S••• S•••"), ("王 伟", "••• •••"), ("مثال موقِّعة", "م••• م•••"),
     ("A B C D E F", "••• ••• ••• •••"), ("", ""), (None, "")],
)  # fmt: skip
def test_a_mask_shows_no_whole_name(name, seen):
    assert masks.name(name) == seen


def test_only_what_can_be_done_to_a_signature_is_offered(moderator):
    offered = {
        state: re.findall(r'name="action" value="(\w+)"', moderator.get(
            f"{LIST}{make_signature(f'{state}@example.org', state).pk}/change/"
        ).content.decode())
        for state in (State.PENDING, State.COUNTED, State.HELD, State.REJECTED, State.WITHDRAWN)
    }  # fmt: skip
    assert offered == {
        "pending": ["hold", "reject", "resend"],
        "counted": ["hold", "reject"],
        "held": ["count", "reject"],
        "rejected": ["count", "hold"],
        "withdrawn": [],
    }


def test_a_letter_that_says_that_somebody_signed_again_is_not_sent_by_a_coordinator(moderator):
    act(moderator, "resend", make_signature(state=State.COUNTED))
    assert not Letter.objects.exists()
    assert not Entry.objects.exists()


def test_what_cannot_be_undone_needs_a_reason(administrator):
    signature = make_signature(state=State.COUNTED)
    assert "errorlist" in act(administrator, "erase", signature).content.decode()
    assert state_of(signature) == ("counted", "")
