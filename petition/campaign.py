"""The campaign's texts as pages read them, and the shipped ones that a new database starts with."""

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from django.core.cache import caches
from markdown_it import MarkdownIt

from petition import languages
from petition.models import ConsentText, Text, Track, TrackText

REMEMBERED_SECONDS = 10
SHIPPED = Path(__file__).parent / "texts"
TRACKS = ("fate", "legislation", "protection")

TAG_OR_ENTITY = re.compile(r"(<[^>]*>|&[^;\s]*;)")
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")

# Raw HTML stays text, links are limited to harmless schemes, and there are no pictures, which would
# be loaded from other hosts: editors need not be trusted.
_markdown = MarkdownIt("commonmark", {"html": False}).disable("image")


@dataclass(frozen=True)
class Writing:
    """A text ready for a page; `body` is safe HTML."""

    slug: str
    title: str
    summary: str
    body: str


def text(slug: str, language: str) -> Writing:
    """A page's text in a language. Raises KeyError where there is none."""
    return _remembered(language)["texts"][slug]


def tracks(language: str) -> list[Writing]:
    """The tracks in their order."""
    return _remembered(language)["tracks"]


def consent(language: str) -> ConsentText:
    """The newest consent text in a language: what the form shows."""
    return _remembered(language)["consents"][0]


def consent_shown(version: int | None, language: str) -> ConsentText:
    """The consent text that a form said it showed; the newest where it said nothing known."""
    known = _remembered(language)["consents"]
    return next((text for text in known if text.version == version), known[0])


def _remembered(language: str) -> dict:
    return caches["process"].get_or_set(
        f"texts-{language}", lambda: _read(language), REMEMBERED_SECONDS
    )


def _read(language: str) -> dict:
    return {
        "texts": {t.slug: _writing(t.slug, t) for t in Text.objects.filter(language=language)},
        "tracks": [
            _writing(t.track_id, t)
            for t in TrackText.objects.filter(language=language).order_by("track__position")
        ],
        "consents": list(ConsentText.objects.filter(language=language)),
    }


def _writing(slug: str, row: Text | TrackText) -> Writing:
    return Writing(slug, row.title, row.summary, prose(row.body, row.language))


def prose(words: str, language: str, *, deeper: int = 0) -> str:
    """Markdown as safe HTML, its headings so many levels deeper than they are written."""
    tokens = _markdown.parse(words)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + deeper, 6)}"
    body = _markdown.renderer.render(tokens, _markdown.options, {})
    if languages.LANGUAGES[language].direction == "rtl":
        body = isolate_numbers(body)
    return body


def isolate_numbers(html: str) -> str:
    """Each number in a `<bdi>`, so that no sign beside it is drawn on its wrong side."""
    parts = TAG_OR_ENTITY.split(html)  # Text at even places, tags and entities at odd ones.
    parts[::2] = [NUMBER.sub(r"<bdi>\g<0></bdi>", text) for text in parts[::2]]
    return "".join(parts)


def lay_shipped_texts(apps) -> None:
    """Write the shipped tracks, texts and consents where they are missing; called by a migration.

    `apps` is a migration's registry or Django's own.
    """
    model = {
        m.__name__: apps.get_model("petition", m.__name__)
        for m in (ConsentText, Text, Track, TrackText)
    }
    for position, slug in enumerate(TRACKS, start=1):
        model["Track"].objects.get_or_create(slug=slug, defaults={"position": position})
    for language in languages.LANGUAGES:
        for slug in TRACKS:
            model["TrackText"].objects.get_or_create(
                track_id=slug, language=language, defaults=_shipped(language, slug)
            )
        for slug in Text.Slug.values:
            model["Text"].objects.get_or_create(
                slug=slug, language=language, defaults=_shipped(language, slug)
            )
        for version in (1, 2):
            body = (SHIPPED / language / f"consent-{version}.md").read_text("utf-8").strip()
            model["ConsentText"].objects.get_or_create(
                version=version, language=language, defaults={"body": body}
            )


def replace_shipped_text(apps, slug: str, former: dict[str, str]) -> None:
    """Put the shipped text where nobody has edited its `former` one; called by a migration.

    `former` is the SHA-256 of the text of each language, as it was shipped before.
    """
    for text in apps.get_model("petition", "Text").objects.filter(slug=slug):
        if hashlib.sha256(text.body.encode()).hexdigest() == former[text.language]:
            text.body = _shipped(text.language, slug)["body"]
            text.save(update_fields=["body"])


def _shipped(language: str, slug: str) -> dict[str, str]:
    """A shipped file: `# title`, a paragraph that sums up, then the text."""
    title, summary, *body = (
        (SHIPPED / language / f"{slug}.md").read_text("utf-8").strip().split("\n\n")
    )
    return {"title": title.removeprefix("# "), "summary": summary, "body": "\n\n".join(body)}
