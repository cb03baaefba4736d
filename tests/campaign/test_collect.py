"""The page for those who ask others to sign, and what goes with a link of a track."""

import re
from html import unescape
from urllib.parse import parse_qs, urlsplit

import pytest
from django.urls import reverse
from django.utils import translation

from petition.campaign import texts
from petition.ground.languages import LANGUAGES
from petition.models import Text

pytestmark = [pytest.mark.django_db, pytest.mark.once]


def links(page: str, host: str) -> list[dict]:
    found = re.findall(rf'href="(https://{re.escape(host)}/[^"]+)"', page)
    return [parse_qs(urlsplit(unescape(link)).query) for link in found]


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_message_is_in_its_readers_language_and_leads_to_the_page_in_it(
    client, language, settings
):
    page = client.get(f"/{language}/collect/").content.decode()
    told = [link["text"][0] for link in links(page, "wa.me")]
    assert len(told) == len(LANGUAGES)
    for code, message in zip(LANGUAGES, told, strict=True):
        appeal = texts.text(Text.Slug.APPEAL, code)
        assert message == f"{appeal.title} – {appeal.summary} {settings.SITE_URL}/{code}/"
        shown = page.partition(f'id="message-{code}"')[2].partition("</blockquote>")[0]
        assert appeal.title in unescape(shown)
        assert f"{settings.SITE_URL}/{code}/" in shown
    assert [link["url"][0] for link in links(page, "t.me")] == [
        f"{settings.SITE_URL}/{code}/" for code in LANGUAGES
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_has_poster_and_code_and_says_where_sheets_are_had(client, language, settings):
    settings.CONTACT_EMAIL = "desk@campaign.example"
    page = client.get(f"/{language}/collect/").content.decode()
    assert f'href="/{language}/poster.pdf"' in page
    assert "<svg" in page.partition('class="qr"')[2].partition("</div>")[0]
    assert 'href="mailto:desk@campaign.example"' in page
    settings.CONTACT_EMAIL = ""


@pytest.mark.parametrize("path", ["", "signed/", "press/"])
def test_it_is_found_from_the_thanks_and_from_every_page(client, path):
    assert 'href="/en/collect/"' in client.get(f"/en/{path}").content.decode()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_track_is_passed_on_by_its_title_and_address(client, language, settings):
    with translation.override(language):
        address = reverse("track", args=[texts.tracks(language)[0].slug])
    page = client.get(address).content.decode()
    title = re.sub("<[^>]+>", "", re.search(r"<h1>(.*?)</h1>", page)[1])
    (link,) = links(page, "wa.me")
    assert link["text"] == [f"{unescape(title)} {settings.SITE_URL}{address}"]
