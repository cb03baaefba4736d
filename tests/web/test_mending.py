"""Broken addresses lead where they meant to, and fields arrive without what shows nothing."""

from urllib.parse import quote

import pytest
from django.core import mail
from django.test import Client
from django.urls import reverse

from petition.letters import sending
from petition.models import Signature
from tests.making import code, filled_form, link, make_coordinator, make_signature

pytestmark = pytest.mark.django_db

BEHIND = [
    ".", ",", ")", ">", "=", ";", ":", "!", "?", "]", "}", '"', "'", "*", "»", "”", "’", "،", "؛",
    "؟", "…", "\u200f", "\u200e", "\u200b", "\u00a0", " ", "  ", "\ufeff", ").", ">.", "&gt;",
    "&quot;", " \u200f", "//", "/.", "/)", "/>", "/=", "/ ", "/\u200f",
]  # fmt: skip


def letter_to(email: str):
    Client().post("/ar/sign/", filled_form(email=email))
    sending.send_due()
    return mail.outbox[-1]


@pytest.mark.parametrize("kind", ["confirm", "withdraw"])
def test_a_mailed_link_with_something_behind_it_leads_to_the_clean_one(client, kind):
    clean = link(kind, letter_to("someone@example.org"))
    for behind in BEHIND:
        response = client.get(quote(clean.rstrip("/")) + quote(behind))
        if response.status_code == 301:  # A slash alone is missing: Django adds it.
            assert response["Location"] == clean
            continue
        assert (response.status_code, response.headers.get("Location")) == (302, clean), behind
        assert "no-store" in response["Cache-Control"]
    assert client.get(clean).status_code == 200


def test_a_link_that_quoted_printable_cut_leads_to_the_clean_one(client):
    clean = link("confirm", letter_to("someone@example.org"))
    cut = clean[:30] + "=\r\n" + clean[30:]
    assert client.get(quote(cut, safe="/=")).headers["Location"] == clean


def test_a_wrong_token_stays_wrong(client):
    for path in ("/ar/confirm/nonsense/", "/ar/confirm/nonsense)/", "/ar/confirm/./"):
        assert client.get(path, follow=True).status_code == 404


@pytest.mark.parametrize("path", ["/ar/sign", "/AR/sign", "/Ar/Sign/", "/ar/sign/.", "/ar//sign/"])
def test_a_post_to_a_broken_address_is_taken(client, path):
    assert client.post(path, filled_form()).status_code == 303
    assert Signature.objects.count() == 1


def test_a_post_without_the_slash_confirms(client):
    path = link("confirm", letter_to("someone@example.org"))
    assert client.post(path.rstrip("/")).status_code == 303
    assert Signature.objects.get().state == "counted"


@pytest.mark.parametrize(
    ("asked", "meant"),
    [("/AR/", "/ar/"), ("/Ar/", "/ar/"), ("/Ar/Sign/", "/ar/sign/"), ("/FR/Press/", "/fr/press/"),
     ("/EN/counter/figures/", "/en/counter/figures/"), ("/AR", "/ar/"), ("/EN/Sign", "/en/sign/"),
     ("/fr-FR/", "/fr/"), ("/ar-MA/sign/", "/ar/sign/"), ("/ar_MA/sign/", "/ar/sign/"),
     ("/fr-ca/tracks/fate/", "/fr/tracks/fate/"), ("/en/Tracks/Fate/", "/en/tracks/fate/"),
     ("/es/", "/"), ("/de/", "/"), ("/es", "/"), ("/pt-BR/", "/"), ("/ES/", "/"),
     ("/es/sign/", "/fr/sign/"), ("/it/Press/", "/fr/press/"),
     ("/es/tracks/fate/", "/fr/tracks/fate/"),
     ("/ar/sign/\u200f", "/ar/sign/"), ("/ar/sign/%20", "/ar/sign/"),
     ("/ar/press/).", "/ar/press/"),
     ("//ar/sign/", "/ar/sign/")],
)  # fmt: skip
def test_an_address_in_capitals_or_another_language_leads_to_the_page(client, asked, meant):
    response = client.get("http://testserver" + quote(asked, safe="/%"), HTTP_ACCEPT_LANGUAGE="fr")
    assert (response.status_code, response["Location"]) == (302, meant)


def test_what_was_asked_with_it_is_kept(client):
    assert client.get("/AR/cases/?kind=all&utm_source=x")["Location"] == (
        "/ar/cases/?kind=all&utm_source=x"
    )


@pytest.mark.parametrize(
    "path", ["/wp-login.php", "/xx/", "/es/nothing/", "/foo/", "/ar/nothing/", "/.env", "/%00/"]
)
def test_what_means_nothing_is_not_found(client, path):
    assert client.get(path).status_code == 404


def test_signing_and_codes_work_with_characters_that_show_nothing(client):
    form = filled_form(
        email="\u200fsomeone@exam\u00adple.org\u2069", name="\u202bSam\u200bple One\u202c"
    )
    form["country"] = "\u200fMA"
    assert client.post("/ar/sign/", form).status_code == 303
    signature = Signature.objects.get()
    assert (signature.name, signature.email) == ("Sample One", "someone@example.org")
    sending.send_due()
    typed = {"email": "someone@example.org\u200f", "code": f"\u200e{code(mail.outbox[0])}\u200f"}
    page = client.post("/ar/sign/sent/", typed)["Location"]
    assert client.post(page).status_code == 303
    signature.refresh_from_db()
    assert signature.state == "counted"


def test_a_coordinator_finds_an_address_that_was_copied_with_marks():
    make_signature(email="someone@example.org")
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(make_coordinator("moderator"))
    response = client.post(
        reverse("admin:petition_signature_look_up"),
        {"email": "\u202asomeone@example.org\u202c"},
        follow=True,
    )
    assert response.status_code == 200
    assert str(Signature.objects.get().reference) in response.content.decode()
