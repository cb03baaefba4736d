"""Arabic as Arabic is written, in every text and in every word of the interface."""

import re
from datetime import timedelta

import pytest
from babel.messages.pofile import read_po
from django.conf import settings
from django.utils import timezone, translation
from django.utils.timesince import timesince

from petition.campaign import editing, texts
from petition.models import Text
from tests.making import make_coordinator

# Between digits a comma groups thousands; beside Latin letters a sign belongs to them.
LATIN_PUNCTUATION = re.compile(r"(?<![0-9A-Za-z])[,;?%](?![0-9A-Za-z])|[\"']")
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|<[^>]+>|\u2066[^\u2069]*\u2069|##|\*\*")


def interface():
    with (settings.BASE_DIR / "locale/ar/LC_MESSAGES/django.po").open("rb") as file:
        for message in read_po(file, locale="ar"):
            if message.id:
                strings = message.string if isinstance(message.string, tuple) else [message.string]
                yield from strings


def shipped():
    for path in sorted((texts.SHIPPED / "ar").glob("*.md")):
        yield from path.read_text("utf-8").splitlines()


@pytest.mark.parametrize("source", [interface, shipped])
def test_arabic_has_no_latin_punctuation(source):
    lines = list(source())
    assert len(lines) > 50
    wrong = [line for line in lines if LATIN_PUNCTUATION.search(PLACEHOLDER.sub(" ", line))]
    assert wrong == []


def test_french_has_its_no_break_spaces():
    for path in (texts.SHIPPED / "fr").glob("*.md"):
        text = path.read_text("utf-8")
        assert not re.search(r" [:;?!»]|« ", text), path
        assert not re.search(r"\w[;?!]", text), path


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_every_shipped_text_has_title_summary_and_body(language):
    for path in (texts.SHIPPED / language).glob("*.md"):
        if not path.stem.startswith("consent"):
            title, summary, *body = path.read_text("utf-8").strip().split("\n\n")
            assert title.startswith("# ")
            assert not summary.startswith(("#", "-"))
            assert bool(body) == (path.stem not in ("site", "tracks"))  # Their pages show none.


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_every_shipped_text_may_be_saved_as_it_is(language):
    for slug in Text.Slug.values:
        words = texts.shipped(slug, language)
        assert editing.tidied(Text(slug=slug, language=language), words) == words
        assert all(words[:2])
        assert not texts.has_top_heading(words.body)
        assert len(words.title) <= 120
        assert len(words.summary) <= 600


@pytest.mark.parametrize(
    ("html", "isolated"),
    [
        ("<p>المادة 126</p>", "<p>المادة <bdi>126</bdi></p>"),
        ("<p>1,000,000 توقيع، 2.</p>", "<p><bdi>1,000,000</bdi> توقيع، <bdi>2</bdi>.</p>"),
        ('<a href="/x/12/">&#39;</a>', '<a href="/x/12/">&#39;</a>'),
    ],
)
def test_numbers_in_arabic_texts_are_isolated_and_nothing_else_is(html, isolated):
    assert texts.isolate_numbers(html) == isolated


@pytest.mark.django_db
def test_numbers_on_arabic_pages_are_isolated(client):
    assert "(المادة <bdi>126</bdi>)" in client.get("/ar/").content.decode()
    assert "<bdi>126" not in client.get("/fr/").content.decode()


@pytest.mark.parametrize(
    ("span", "said"),
    [
        ({"seconds": 20}, "أقلّ من دقيقة"), ({"minutes": 1}, "دقيقة واحدة"),
        ({"minutes": 2}, "دقيقتين"), ({"minutes": 5}, "5 دقائق"), ({"minutes": 11}, "11 دقيقة"),
        ({"hours": 2}, "ساعتين"), ({"days": 2, "hours": 3}, "يومين، 3 ساعات"),
        ({"days": 1}, "يوم واحد"), ({"days": 62}, "شهرين"), ({"days": 21}, "3 أسابيع"),
    ],
)  # fmt: skip
def test_a_span_of_time_is_counted_as_arabic_counts(span, said):
    now = timezone.now()
    with translation.override("ar"):
        assert timesince(now - timedelta(**span), now).replace("\xa0", " ") == said


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["/admin/login/", "/admin/", "/admin/auth/user/add/"])
def test_no_button_of_django_speaks_to_one_man(client, path):
    if path != "/admin/login/":
        client.force_login(make_coordinator("administrator"))
    page = client.get(path, headers={"Accept-Language": "ar"}).content.decode()
    for word in ("ادخل", "غيّر", "أضف", "احفظ", "أدخل", "اختر"):
        assert not re.search(rf"(?<!\w){word}(?!\w)", page), word
