"""The guide for volunteers: one for each language, the same tasks, the words of the screens."""

import re

import pytest
from babel.messages.pofile import read_po
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.utils.html import escape
from django.utils.translation import override

from petition.desk import guide
from tests.making import make_coordinator

pytestmark = [pytest.mark.django_db, pytest.mark.once]

LANGUAGES = ["ar", "fr", "en"]
# In the first lines the guides say that words of the screen are bold.
ABOUT_ITSELF = {"bold", "gras", "البارزة"}
DJANGO_S_OWN = {"Users"}


def words_of_the_screen(language: str) -> set[str]:
    catalogue = "fr" if language == "en" else language
    path = settings.BASE_DIR / "locale" / catalogue / "LC_MESSAGES" / "django.po"
    with path.open("rb") as file:
        messages = list(read_po(file, locale=catalogue))
    return {m.id if language == "en" else m.string for m in messages if isinstance(m.id, str)}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_section_opens_in_the_coordinators_language(client, language):
    client.force_login(make_coordinator("press"))
    client.cookies["django_language"] = language
    contents = client.get("/admin/guide/").content.decode()
    for section in guide.sections(language).values():
        assert f'href="/admin/guide/{section.slug}/"' in contents
        page = client.get(f"/admin/guide/{section.slug}/").content.decode()
        assert f"<h1>{escape(section.title)}</h1>" in page
        assert section.html in page
        for name in re.findall(r'src="pictures/([\w-]+)\.png"', section.html):
            assert guide.picture(name)
            assert client.get(f"/admin/guide/pictures/{name}.png").status_code == 200


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_guide_names_buttons_as_the_screens_do(language):
    text = (guide.DOCS / guide.FILES[language]).read_text("utf-8")
    bold = set(re.findall(r"\*\*([^*]+)\*\*", text)) - ABOUT_ITSELF - DJANGO_S_OWN
    known = words_of_the_screen(language)
    assert len(bold) > 20
    assert {word for word in bold if not {word, word[0].lower() + word[1:]} & known} == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_screens_of_every_model_lead_to_their_section(client, language):
    client.force_login(make_coordinator("administrator", "moderator", "editor", "cases", "paper"))
    client.cookies["django_language"] = language
    shown = {m._meta.model_name: m for m in apps.get_models() if admin.site.is_registered(m)}
    assert set(shown) == set(guide.OF_MODEL)
    for name, model in shown.items():
        page = client.get(f"/admin/{model._meta.app_label}/{name}/")
        section = guide.sections(language)[guide.OF_MODEL[name]]
        if page.status_code == 200:
            assert f'href="/admin/guide/{section.slug}/"' in page.content.decode()


def test_a_stranger_sees_neither_the_guide_nor_its_pictures(client):
    for address in ("/admin/guide/", "/admin/guide/hold/", "/admin/guide/pictures/en-x.png"):
        assert client.get(address)["Location"].startswith("/admin/login/")


def test_what_is_not_there_is_not_found(client):
    client.force_login(make_coordinator("press"))
    with override("en"):
        assert client.get("/admin/guide/moon/").status_code == 404
        assert client.get("/admin/guide/pictures/moon.png").status_code == 404


@pytest.mark.parametrize(
    ("screen", "section"), [("daily/", "front-page"), ("sessions/", "sign-in")]
)
def test_a_screen_of_ones_own_leads_to_the_guide_as_well(client, screen, section):
    client.force_login(make_coordinator("press"))
    assert f'href="/admin/guide/{section}/"' in client.get(f"/admin/{screen}").content.decode()
