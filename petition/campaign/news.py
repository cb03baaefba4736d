"""The news as pages, feeds and letters read it."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db.models import Exists, Max, OuterRef, Q, QuerySet
from django.db.models.functions import Greatest
from django.utils import timezone

from petition.campaign import texts
from petition.cases import rules
from petition.ground import languages
from petition.ground.languages import Language
from petition.models import News, NewsText

A_PAGE = 20
ON_THE_HOME_PAGE = 3
# What an empty feed says of its age: the day on which the campaign was launched.
LAUNCH = datetime(2026, 2, 10, tzinfo=UTC)


class NotPublic(Exception):
    """There is no such story, or its time has not come."""


class TakenBack(Exception):
    """The story was public and is no more."""


@dataclass(frozen=True)
class Story:
    """A story for a reader; `language` is that of its text, `body` is safe HTML."""

    slug: str
    begun_on: str
    public_from: datetime
    changed_at: datetime
    language: Language
    is_translated: bool
    only_in: str  # All languages in which it exists, as the reader calls them.
    title: str
    summary: str
    body: str


@dataclass(frozen=True)
class Page:
    """Stories, the newest first; `older` is the place at which the next page begins."""

    stories: list[Story]
    older: str


def public(now: datetime | None = None) -> QuerySet[News]:
    """What may be read now: its time has come, nobody has taken it back, and each profile that it
    speaks of is public. Pages, feeds, sitemap and letters all ask this and nothing else."""
    hidden = News.cases.through.objects.filter(
        ~Exists(rules.public(now).filter(case=OuterRef("case"))), news=OuterRef("pk")
    )
    return News.objects.published(now).filter(~Exists(hidden))


def story(slug: str, language: str) -> Story:
    """A public story for readers of a language. Raises NotPublic or TakenBack."""
    row = News.objects.prefetch_related("texts").filter(slug=slug).first()
    if row is None or not row.was_public:
        raise NotPublic
    if not public().filter(pk=row.pk).exists():
        raise TakenBack
    return told(row, language)


def page(language: str, place: str = "") -> Page:
    """A page of the list. Whatever is no place of ours is answered with the first page."""
    rows = _newest_first()
    if begins := _read_place(place):
        at, pk = begins
        rows = rows.filter(publish_at__lte=at).filter(Q(publish_at__lt=at) | Q(pk__lt=pk))
    found = list(rows[: A_PAGE + 1])
    shown = found[:A_PAGE]
    older = _place(shown[-1]) if len(found) > A_PAGE else ""
    return Page([told(row, language) for row in shown], older)


def latest(language: str) -> list[Story]:
    """The newest few, for the home page."""
    return [told(row, language) for row in _newest_first()[:ON_THE_HOME_PAGE]]


def addresses() -> list[str]:
    """The addresses of all public stories, the newest first."""
    return list(_newest_first().values_list("slug", flat=True))


def last_change() -> datetime:
    """When what is public last became something else, also by a story that was taken back."""
    now = timezone.now()
    begun = News.objects.filter(publish_at__lte=now)
    return begun.aggregate(last=Max(Greatest("publish_at", "changed_at")))["last"] or LAUNCH


def told(row: News, language: str) -> Story:
    """A story in the reader's language, else in the first of ours in which it is written."""
    text = text_for(row, language)
    return Story(
        slug=row.slug,
        begun_on=row.created_at.date().isoformat(),
        public_from=row.publish_at or timezone.now(),
        changed_at=max(row.publish_at or text.changed_at, text.changed_at),
        language=languages.LANGUAGES[text.language],
        is_translated=text.language == language,
        only_in=languages.named(sorted(t.language for t in row.texts.all()), language),
        title=text.title,
        summary=text.summary,
        body=texts.in_html(text.body, text.language),
    )


def text_for(row: News, language: str) -> NewsText:
    order = [language, *languages.LANGUAGES]
    return min(row.texts.all(), key=lambda text: order.index(text.language))


def _newest_first():
    return public().prefetch_related("texts").order_by("-publish_at", "-pk")


def _place(row: News) -> str:
    microseconds = ((row.publish_at or LAUNCH) - LAUNCH) // timedelta(microseconds=1)
    return f"{microseconds}~{row.pk}"


def _read_place(place: str) -> tuple[datetime, int] | None:
    microseconds, _, pk = place.partition("~")
    try:
        return LAUNCH + timedelta(microseconds=int(microseconds)), min(int(pk), 2**63 - 1)
    except (ValueError, OverflowError):
        return None
