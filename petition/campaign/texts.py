"""The campaign's texts as pages read them, and the shipped ones that a new database starts with."""

import hashlib
import re
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path

from django.core.cache import caches
from django.utils import timezone
from markdown_it import MarkdownIt

from petition.ground import languages
from petition.ground.memory import AN_HOUR, remember
from petition.models import ConsentText, Text, TextVersion, Track, Words

REMEMBERED_SECONDS = 10
SHIPPED = Path(__file__).parent / "shipped"
TRACKS = ("fate", "legislation", "protection")
CONSENT_VERSIONS = (1, 2, 3, 4)

TAG_OR_ENTITY = re.compile(r"(<[^>]*>|&[^;\s]*;)")
NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
LINK = re.compile(r"https?://|mailto:|/(?!/)|#", re.I)

# Raw HTML stays text, pictures would come from other hosts, and links lead to pages and mailboxes
# alone: editors need not be trusted.
_markdown = MarkdownIt("commonmark", {"html": False}).disable("image")
setattr(_markdown, "validateLink", lambda address: bool(LINK.match(address.strip())))  # noqa: B010

# What this thread or request reads instead of what is stored: `{(slug, language): Writing}`.
_instead: ContextVar[dict] = ContextVar("instead", default={})  # noqa: B039 - never changed.


@dataclass(frozen=True)
class Writing:
    """A text ready for a page; `body` is safe HTML."""

    slug: str
    title: str
    summary: str
    body: str


def text(slug: str, language: str) -> Writing:
    """A page's text in a language: the shipped one where the database has none. Raises KeyError
    where no such text is shipped."""
    return _instead.get().get((slug, language)) or _remembered(language)["texts"][slug]


def tracks(language: str) -> list[Writing]:
    """The tracks in their order."""
    known = _remembered(language)
    words = known["texts"] | {
        slug: w for (slug, code), w in _instead.get().items() if code == language
    }
    return [words[slug] for slug in known["tracks"]]


def site(language: str | None) -> Writing:
    """The campaign's name, for pages that must not ask the database: as it was last read here."""
    code = language if language in languages.LANGUAGES else languages.DEFAULT
    last = caches["process"].get(f"site-{code}")
    return last or _writing(Text.Slug.SITE, code, shipped(Text.Slug.SITE, code))


@contextmanager
def shown_instead(slug: str, language: str, words: Words):
    """Within it, pages say these words instead of the stored ones: the preview of a text."""
    token = _instead.set({(slug, language): _writing(slug, language, words)})
    try:
        yield
    finally:
        _instead.reset(token)


def has_top_heading(body: str) -> bool:
    """Has a heading of the first level, which a page has of its own?"""
    return any(t.type == "heading_open" and t.tag == "h1" for t in _markdown.parse(body))


def consent(language: str) -> ConsentText:
    """The newest consent text in a language: what the form shows."""
    return _remembered(language)["consents"][0]


def consent_shown(version: int | None, language: str) -> ConsentText:
    """The consent text that a form said it showed; the newest where it said nothing known."""
    known = _remembered(language)["consents"]
    return next((text for text in known if text.version == version), known[0])


def _remembered(language: str) -> dict:
    return remember(f"texts-{language}", lambda: _read(language), REMEMBERED_SECONDS, AN_HOUR)


def _read(language: str) -> dict:
    stored = {t.slug: t.words for t in Text.objects.filter(language=language)}
    texts = {
        slug: _writing(slug, language, stored.get(slug) or shipped(slug, language))
        for slug in Text.Slug.values
    }
    caches["process"].set(f"site-{language}", texts["site"], None)
    return {
        "texts": texts,
        "tracks": list(Track.objects.values_list("slug", flat=True)),
        "consents": list(ConsentText.objects.filter(language=language)),
    }


def _writing(slug: str, language: str, words: Words) -> Writing:
    return Writing(slug, words.title, words.summary, in_html(words.body, language))


@lru_cache(maxsize=500)
def in_html(markdown: str, language: str, *, deeper: int = 0) -> str:
    """What an editor wrote, as safe HTML, its headings so many levels deeper than written. Texts
    change seldom: the same one is not parsed twice."""
    tokens = _markdown.parse(markdown)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = f"h{min(int(token.tag[1]) + deeper, 6)}"
    html = _markdown.renderer.render(tokens, _markdown.options, {})
    rtl = languages.LANGUAGES[language].direction == "rtl"
    return isolate_numbers(html) if rtl else html


def isolate_numbers(html: str) -> str:
    """Each number in a `<bdi>`, so that no sign beside it is drawn on its wrong side."""
    parts = TAG_OR_ENTITY.split(html)  # Text at even places, tags and entities at odd ones.
    parts[::2] = [NUMBER.sub(r"<bdi>\g<0></bdi>", text) for text in parts[::2]]
    return "".join(parts)


@cache
def shipped(slug: str, language: str) -> Words:
    """A shipped file: `# title`, a paragraph that sums up, then the text, which some have not."""
    title, summary, *body = (
        (SHIPPED / language / f"{slug}.md").read_text("utf-8").strip().split("\n\n")
    )
    return Words(title.removeprefix("# "), summary, "\n\n".join(body))


def lay_shipped_texts(apps) -> None:
    """Write the shipped tracks, texts and consents where they are missing; called by a migration.

    `apps` is a migration's registry or Django's own.
    """
    model = {m.__name__: apps.get_model("petition", m.__name__) for m in (ConsentText, Text, Track)}
    for position, slug in enumerate(TRACKS, start=1):
        model["Track"].objects.get_or_create(slug=slug, defaults={"position": position})
    for language in languages.LANGUAGES:
        for slug in Text.Slug.values:
            model["Text"].objects.get_or_create(
                slug=slug, language=language, defaults=shipped(slug, language)._asdict()
            )
        for version in CONSENT_VERSIONS:
            body = (SHIPPED / language / f"consent-{version}.md").read_text("utf-8").strip()
            model["ConsentText"].objects.get_or_create(
                version=version, language=language, defaults={"body": body}
            )
    _begin_histories(apps)


def replace_shipped_text(apps, slug: str, former: dict[str, str], parts=("body",)) -> None:
    """Put the shipped text where nobody has edited its `former` one; called by a migration.

    `former` is the SHA-256 of these `parts` of the text, joined by newlines, of each language, as
    they were shipped before. Other parts stay as they are.
    """
    for text in apps.get_model("petition", "Text").objects.filter(slug=slug):
        stored = "\n".join(getattr(text, part) for part in parts)
        stored = stored.replace("\r\n", "\n")  # Browsers send them so.
        if hashlib.sha256(stored.encode()).hexdigest() == former.get(text.language):
            for part in parts:
                setattr(text, part, getattr(shipped(slug, text.language), part))
            text.save(update_fields=parts)
            _add_version(apps, text, _words(text), TextVersion.Origin.SHIPPED)


def _begin_histories(apps) -> None:
    """A first version for each text that has none: the shipped words, and after them what it
    says now, where somebody has edited it before."""
    model = _versions(apps)
    if model is None:
        return
    now = timezone.now()  # One moment for all: none is older than its translations.
    for text in apps.get_model("petition", "Text").objects.all():
        if text.slug in Text.Slug.values and not model.objects.filter(text_id=text.pk).exists():
            first = shipped(text.slug, text.language)
            _add_version(apps, text, first, TextVersion.Origin.SHIPPED, now)
            if _words(text) != first:
                _add_version(apps, text, _words(text), TextVersion.Origin.FOUND, now)


def _add_version(apps, text, words: Words, origin: str, at=None) -> None:
    model = _versions(apps)
    if model is not None:
        last = model.objects.filter(text_id=text.pk).order_by("-number").first()
        model.objects.create(
            text_id=text.pk,
            number=last.number + 1 if last else 1,
            origin=origin,
            at=at or timezone.now(),
            **words._asdict(),
        )


def _versions(apps):
    """The model of versions; None for a migration from before there were any."""
    try:
        return apps.get_model("petition", "TextVersion")
    except LookupError:
        return None


def _words(row) -> Words:
    return Words(row.title, row.summary, row.body)
