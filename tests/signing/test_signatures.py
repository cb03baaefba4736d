"""The signing journey as a supporter lives it, with letters through a real SMTP server."""

from datetime import timedelta

import pytest
from django.utils import timezone

from petition.letters import sending
from petition.models import Letter, Signature
from petition.signing import tallies
from tests.making import State, code, filled_form, link, make_signature

pytestmark = pytest.mark.django_db

SENT = {
    "ar": ("تفقّدوا بريدكم الإلكتروني", "شكرًا لكم: تأكّد توقيعكم"),
    "fr": ("Consultez votre boîte e-mail", "Merci\u00a0: votre signature est confirmée"),
    "en": ("Check your inbox", "Thank you: your signature is confirmed"),
}


def sign(client, language="en", **fields):
    return client.post(f"/{language}/sign/", filled_form(**fields))


def only_letter(smtp):
    sending.send_due()
    assert len(smtp.mails) == 1
    return smtp.mails[0]


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_a_supporter_signs_confirms_and_is_counted(client, smtp, language):
    response = sign(client, language, track="fate", updates="on")
    assert response.status_code == 303
    assert response["Location"] == f"/{language}/sign/sent/"
    assert SENT[language][0] in client.get(response["Location"]).content.decode()
    assert tallies.read_counter().total == 0

    address = link("confirm", only_letter(smtp))
    assert address.startswith(f"/{language}/")
    page = client.get(address)
    assert "Sample Signer" in page.content.decode()
    assert Signature.objects.get().state == State.PENDING

    response = client.post(address)
    assert response.status_code == 303
    assert response["Location"] == f"/{language}/signed/"
    assert SENT[language][1] in client.get(response["Location"]).content.decode()
    signature = Signature.objects.get()
    assert signature.state == State.COUNTED
    assert (signature.name, signature.email) == ("Sample Signer", "someone@example.org")
    assert (signature.country, signature.track_id, signature.updates) == ("MA", "fate", True)
    assert (signature.consent.version, signature.consent.language) == (4, language)
    assert signature.language == language
    assert tallies.read_counter().total == 1
    assert tallies.recount() == []


def test_the_letter_says_nothing_that_could_endanger_its_reader(client, smtp):
    for language in SENT:
        sign(client, language, email=f"{language}@example.org", name="Marked Name")
    sending.send_due()
    assert len(smtp.mails) == 3
    for mail in smtp.mails:
        text = mail.get_body(("plain",)).get_content()
        html = mail.get_body(("html",)).get_content()
        seen = " ".join([mail["Subject"], mail["From"], text, html]).lower()
        for word in ["prison", "palest", "petition", "pétition", "campaign", "أسرى", "عريضة"]:
            assert word not in seen.replace("confirm", "")
        assert "Marked Name" not in seen
        assert code(mail) in html
        assert link("confirm", mail) in html
        assert link("withdraw", mail) in html
        assert "src=" not in html


NAMES = {"ar": "مليون توقيع", "fr": "Un million de signatures", "en": "One Million Signatures"}


@pytest.mark.parametrize("language", NAMES)
@pytest.mark.parametrize("discreet", [False, True])
def test_the_first_line_says_who_writes_where_that_endangers_nobody(
    client, smtp, settings, language, discreet
):
    settings.DISCREET_LETTERS = discreet
    sign(client, language)
    letter = only_letter(smtp)
    text = letter.get_body(("plain",)).get_content()
    assert (text.splitlines()[0] == NAMES[language]) is not discreet
    assert (NAMES[language] in letter.get_body(("html",)).get_content()) is not discreet
    assert NAMES[language] not in letter["Subject"]


def test_a_second_press_on_the_button_says_the_same_and_counts_once(client, smtp):
    sign(client)
    address = link("confirm", only_letter(smtp))
    answers = [client.post(address) for _ in range(3)]
    assert {(a.status_code, a["Location"]) for a in answers} == {(303, "/en/signed/")}
    assert tallies.read_counter().total == 1


def test_a_code_can_be_typed_instead(client, smtp):
    sign(client)
    typed = code(only_letter(smtp)).lower()
    body = {"email": "Someone@Example.org", "code": f"{typed[:4]} {typed[4:]}"}
    response = client.post("/fr/sign/sent/", body)
    page = link("confirm", only_letter(smtp)).replace("/en/", "/fr/")
    assert (response.status_code, response["Location"]) == (303, page)
    assert tallies.read_counter().total == 0
    for _ in range(2):
        page = client.post("/fr/sign/sent/", body)["Location"]
        assert "Sample Signer" in client.get(page).content.decode()
        assert client.post(page)["Location"] == "/fr/signed/"
    assert tallies.read_counter().total == 1


@pytest.mark.parametrize("email", ["someone@example.org", "nobody@example.org"])
def test_a_wrong_code_is_answered_alike_whether_or_not_the_address_signed(client, email):
    make_signature("someone@example.org")
    response = client.post("/en/sign/sent/", {"email": email, "code": "ABCDEFGH"})
    assert response.status_code == 422
    page = response.content.decode()
    assert "This code does not match this address. Check both." in page
    assert 'value="ABCDEFGH"' in page
    assert tallies.read_counter().total == 0


def test_a_second_attempt_of_a_counted_address_gets_the_same_page_and_another_letter(client, smtp):
    make_signature("ab@gmail.com", State.COUNTED, name="First Name", country="MA")
    response = sign(client, email="a.b+x@googlemail.com", name="Other Name", country="FR")
    assert (response.status_code, response["Location"]) == (303, "/en/sign/sent/")
    letter = only_letter(smtp)
    assert letter["Subject"] == "Your e-mail address is confirmed already"
    assert letter["To"] == "ab@gmail.com"
    signature = Signature.objects.get()
    assert (signature.name, signature.country) == ("First Name", "MA")
    assert tallies.read_counter().total == 1


@pytest.mark.parametrize("state", [State.HELD, State.REJECTED])
def test_an_address_that_was_set_aside_gets_the_same_page_and_is_told_by_letter(
    client, smtp, state
):
    make_signature(state=state)
    response = sign(client)
    assert (response.status_code, response["Location"]) == (303, "/en/sign/sent/")
    assert "suspended" in only_letter(smtp).get_body(("plain",)).get_content()
    assert Signature.objects.get().state == state


def test_a_lost_letter_is_asked_for_again_by_signing_again(client, smtp):
    sign(client, name="Misspelt Name")
    sign(client, name="Right Name")
    sending.send_due()
    first, second = smtp.mails
    assert link("confirm", first) != link("confirm", second)
    client.post(link("confirm", second))
    client.post(link("confirm", first))
    assert Signature.objects.get().name == "Right Name"
    assert tallies.read_counter().total == 1


def test_an_address_gets_at_most_five_letters_in_a_day(client, smtp):
    answers = {sign(client)["Location"] for _ in range(12)}
    assert answers == {"/en/sign/sent/"}
    sending.send_due()
    assert len(smtp.mails) == 5
    # Those withheld do not count: who floods an address cannot silence it for its owner.
    sent = Letter.objects.filter(state=Letter.State.SENT)
    sent.update(created_at=timezone.now() - timedelta(hours=25))
    sign(client)
    sending.send_due()
    assert len(smtp.mails) == 6


@pytest.mark.parametrize("state", [State.PENDING, State.COUNTED, State.HELD])
def test_who_withdraws_is_erased_and_no_longer_counted(client, smtp, state):
    make_signature("other@example.org", State.COUNTED)
    signature = make_signature(state=state, track_id="fate", updates=True)
    sign(client)
    address = link("withdraw", only_letter(smtp))
    assert client.get(address).status_code == 200
    assert Signature.objects.get(pk=signature.pk).state == state
    response = client.post(address)
    assert (response.status_code, response["Location"]) == (303, "/en/withdrawn/")
    assert client.post(address).status_code == 303
    assert client.get(address)["Location"] == "/en/withdrawn/"
    assert "Withdrawn and erased" in client.get("/en/withdrawn/").content.decode()
    erased = Signature.objects.get(pk=signature.pk)
    assert erased.state == State.WITHDRAWN
    assert (erased.name, erased.email, erased.mailbox, erased.domain) == ("", "", None, None)
    assert (erased.country, erased.track, erased.updates) == ("", None, False)
    assert not erased.letters.exists()
    assert tallies.read_counter().total == 1
    assert tallies.recount() == []


def test_who_withdrew_can_sign_again_but_not_by_the_old_letter(client, smtp):
    sign(client)
    letter = only_letter(smtp)
    client.post(link("withdraw", letter))
    response = client.post(link("confirm", letter))
    assert response.status_code == 404
    assert "sign again" in response.content.decode()
    sign(client)
    sending.send_due()
    client.post(link("confirm", smtp.mails[-1]))
    assert tallies.read_counter().total == 1
    assert tallies.recount() == []


def test_a_letter_still_due_to_who_withdrew_is_not_sent(client, smtp):
    sign(client)
    letter = only_letter(smtp)
    sign(client)
    client.post(link("withdraw", letter))
    sending.send_due()
    assert len(smtp.mails) == 1


def test_a_link_is_no_longer_good_after_fourteen_days(client, smtp):
    sign(client)
    letter = only_letter(smtp)
    Signature.objects.update(signed_at=timezone.now() - timedelta(days=14))
    for response in (client.get(link("confirm", letter)), client.post(link("confirm", letter))):
        assert response.status_code == 404
        assert "This link is no longer valid" in response.content.decode()
    body = {"email": "someone@example.org", "code": code(letter)}
    assert client.post("/en/sign/sent/", body).status_code == 422
    assert tallies.read_counter().total == 0


def test_the_link_of_a_counted_signature_does_not_run_out(client, smtp):
    sign(client)
    letter = only_letter(smtp)
    client.post(link("confirm", letter))
    Signature.objects.update(signed_at=timezone.now() - timedelta(days=400))
    assert client.post(link("confirm", letter))["Location"] == "/en/signed/"
    assert client.get(link("withdraw", letter)).status_code == 200


def test_a_scanner_that_opens_every_link_fifty_times_changes_nothing(client, smtp):
    sign(client)
    letter = only_letter(smtp)
    before = Signature.objects.values().get()
    for _ in range(50):
        for kind in ("confirm", "withdraw"):
            assert client.get(link(kind, letter)).status_code == 200
            assert client.head(link(kind, letter)).status_code == 200
    assert Signature.objects.values().get() == before
    assert tallies.read_counter().total == 0


@pytest.mark.parametrize("kind", ["confirm", "withdraw"])
def test_an_altered_link_or_one_of_another_kind_does_nothing(client, smtp, kind):
    sign(client)
    letter = only_letter(smtp)
    address = link(kind, letter)
    other = "withdraw" if kind == "confirm" else "confirm"
    altered = [
        address[:-2] + ("A/" if address[-2] != "A" else "B/"),
        link(other, letter).replace(f"/{other}/", f"/{kind}/"),
        f"/en/{kind}/x/",
    ]
    for wrong in altered:
        for response in (client.get(wrong), client.post(wrong)):
            assert response.status_code == 404
            assert "This link is no longer valid" in response.content.decode()
    assert Signature.objects.get().state == State.PENDING


def test_a_signature_set_aside_before_it_was_confirmed_waits_for_the_coordinators(client, smtp):
    sign(client)
    letter = only_letter(smtp)
    Signature.objects.update(state=State.HELD)
    assert client.post(link("confirm", letter))["Location"] == "/en/signed/review/"
    signature = Signature.objects.get()
    assert signature.state == State.HELD
    assert signature.confirmed_at is not None
    client.post(link("confirm", letter))
    assert Signature.objects.get().confirmed_at == signature.confirmed_at
    Signature.objects.update(state=State.REJECTED)
    assert client.get(link("confirm", letter)).status_code == 404
    assert tallies.read_counter().total == 0


def test_an_attempt_costs_at_most_six_statements_and_one_commit(
    client, django_assert_max_num_queries
):
    client.get("/en/sign/")
    for _ in range(2):
        # A test runs inside a transaction: SAVEPOINT and RELEASE stand for BEGIN and COMMIT.
        with django_assert_max_num_queries(8):
            assert sign(client).status_code == 303


def test_a_former_data_key_still_finds_the_duplicate(client, settings):
    make_signature(state=State.COUNTED)
    settings.DATA_KEYS = [b"n" * 32, *settings.DATA_KEYS]
    sign(client)
    signature = Signature.objects.get()
    assert signature.mailbox == Signature.mailbox_indexes("someone@example.org")[0]
    settings.DATA_KEYS = settings.DATA_KEYS[:1]
    assert Signature.objects.get().email == "someone@example.org"


def test_a_row_that_vanishes_while_one_signs_is_made_again(client, monkeypatch):
    store, rounds = Signature.objects.bulk_create, []

    def vanishing(*args, **kwargs):
        rounds.append(args)
        return store(*args, **kwargs) if len(rounds) > 1 else None

    monkeypatch.setattr(Signature.objects, "bulk_create", vanishing)
    assert sign(client).status_code == 303
    assert Signature.objects.count() == 1


def test_what_is_posted_is_kept_out_of_error_reports(client):
    for path in ("/en/sign/", "/en/sign/sent/"):
        request = client.post(path, filled_form()).wsgi_request
        assert request.sensitive_post_parameters == "__ALL__"
