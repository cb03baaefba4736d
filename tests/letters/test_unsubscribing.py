"""One click ends the news, for whoever holds the letter and for nobody else."""

import logging
import re

import pytest

from campaign_site.logs import HidePrivate
from petition.ground import links
from petition.models import Signature
from petition.signing import lifecycle
from tests.letters.readers import make_reader, token
from tests.making import State

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fast_news")]


# --- Unsubscribing -----------------------------------------------------------------------------


def test_one_click_of_a_mail_program_ends_the_news_at_once(client):
    reader = make_reader()
    address = f"/en/unsubscribe/{token(reader)}/"
    assert client.get(address).status_code == 200
    assert Signature.objects.get().updates  # Scanners follow every link.
    for _ in range(2):
        response = client.post(address, {"List-Unsubscribe": "One-Click"})
        assert response.status_code == 200
        assert "no-store" in response["Cache-Control"]
        assert not response.cookies
    signature = Signature.objects.get()
    assert (signature.updates, signature.state) == (False, "counted")


def test_a_webmail_page_may_press_it_from_elsewhere(client):
    """What a post needs is the token; where it comes from says nothing."""
    reader = make_reader()
    response = client.post(
        f"/fr/unsubscribe/{token(reader)}/",
        "List-Unsubscribe=One-Click",
        content_type="application/x-www-form-urlencoded",
        headers={"Origin": "https://webmail.example", "Sec-Fetch-Site": "cross-site"},
    )
    assert response.status_code == 200
    assert not Signature.objects.get().updates


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_the_page_says_nothing_about_the_person(client, language):
    reader = make_reader(name="Zzmark Sample")
    address = f"/{language}/unsubscribe/{token(reader)}/"
    for response in (client.get(address), client.post(address)):
        page = response.content.decode()
        assert page.count("<h1") == 1
        assert not re.search("zzmark|example.org", page, re.I)
        assert "noindex" in response["X-Robots-Tag"]


@pytest.mark.parametrize("wrong", ["x", "withdraw", "deleted"])
def test_an_unknown_link_is_answered_with_advice(client, wrong):
    reader = make_reader()
    kinds = {"withdraw": links.token(links.WITHDRAW, reader.reference), "deleted": token(reader)}
    if wrong == "deleted":
        Signature.objects.all().delete()
    for response in (
        client.get(f"/en/unsubscribe/{kinds.get(wrong, wrong)}/"),
        client.post(f"/en/unsubscribe/{kinds.get(wrong, wrong)}/"),
    ):
        assert response.status_code == 404
        assert "This link is no longer valid" in response.content.decode()
    assert not Signature.objects.filter(updates=False).exists()


def test_who_has_withdrawn_is_told_the_same(client):
    reader = make_reader()
    lifecycle.move(reader, State.WITHDRAWN, **Signature.ERASED)
    assert client.post(f"/en/unsubscribe/{token(reader)}/").status_code == 200


def test_the_link_stands_in_no_log_and_is_for_no_search_engine(client):
    reader = make_reader()
    record = logging.LogRecord(
        "x", logging.INFO, "x", 1, f"GET /en/unsubscribe/{token(reader)}/", None, None
    )
    assert HidePrivate().filter(record)
    assert token(reader) not in record.getMessage()
    assert "Disallow: /fr/unsubscribe/" in client.get("/robots.txt").content.decode()
