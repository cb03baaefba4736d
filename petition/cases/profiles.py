"""Public prisoner cases as pages, feeds, pictures and exports read them: nothing else reads a case.

A `Profile` holds what may be shown and nothing more, so that no template can show too much.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime

from django.db.models import Prefetch, QuerySet
from django.utils import timezone

from petition.cases.rules import (
    OF_GROUP,
    Group,
    lapses_at,
    may_name,
    may_show,
    public,
    public_cases,
)
from petition.ground import languages
from petition.models import Case, CaseText, Certainty, Rendition, Source


class Unknown(Exception):
    """There is no such public profile or picture."""


class TakenDown(Unknown):
    """There was one; a coordinator took it off the site."""


@dataclass(frozen=True)
class Dated:
    """Something known as of a day, confirmed or reported."""

    value: str | date
    as_of: date | None
    is_confirmed: bool


@dataclass(frozen=True)
class Picture:
    """A portrait: the name of its files, what it shows, its sizes as (width, height)."""

    token: str
    alt: str
    sizes: tuple[tuple[int, int], ...]


@dataclass(frozen=True)
class Told:
    """Something that has happened since."""

    day: date
    body: str


@dataclass(frozen=True)
class Profile:
    """What is shown of a case. `language` is that of its words; `title` is empty where the name
    is withheld. Words are as typed: story and updates in Markdown."""

    slug: str
    language: str
    title: str
    is_pseudonym: bool
    track: str
    age_band: Case.AgeBand
    nationality: Case.Nationality
    groups: tuple[Group, ...]
    situation: Dated
    since: Dated | None
    place: Dated | None
    charges: str
    health: str
    story: str
    updates: tuple[Told, ...]
    sources: tuple[Source, ...]
    portrait: Picture | None
    may_be_indexed: bool
    changed_at: datetime
    # When it disappears by itself; None only in drafts.
    lapses_at: datetime | None
    is_sample: bool
    told_in: tuple[str, ...] = ()  # The languages in which it exists.

    @property
    def written(self) -> languages.Language:
        """The language of its words."""
        return languages.LANGUAGES[self.language]

    @property
    def told_languages(self) -> list[languages.Language]:
        """Those in which it exists."""
        return [languages.LANGUAGES[code] for code in self.told_in]

    @property
    def may_be_spread(self) -> bool:
        """Of a child, and of who is not to be found, nothing invites to spread it."""
        return self.may_be_indexed and self.age_band != Case.AgeBand.CHILD


def profile(slug: str, language: str, now: datetime | None = None) -> Profile:
    """A public profile in a language, or in the first other one that it may be shown in.

    Raises TakenDown or Unknown.
    """
    texts = _as_approved(public(now).filter(case__slug=slug), now)
    if not texts:
        if Case.objects.filter(slug=slug, take_down__isnull=False).exists():
            raise TakenDown
        raise Unknown
    return _shown(_in_language(texts, language), others=texts)


@dataclass(frozen=True)
class Page:
    """Some profiles, and after which one the next page begins ("" where there is none)."""

    profiles: list[Profile]
    next: str


def listed(
    language: str,
    *,
    how_many: int,
    track: str = "",
    group: str = "",
    nationality: str = "",
    after: str = "",
    indexed_only: bool = False,
    now: datetime | None = None,
) -> Page:
    """Public profiles, the newest first, each in the language or the first other one."""
    now = now or timezone.now()
    cases = public_cases(now).order_by("-pk")
    if track:
        cases = cases.filter(track=track)
    if group:
        cases = cases.filter(OF_GROUP[group])
    if nationality:
        cases = cases.filter(nationality=nationality)
    if indexed_only:
        cases = cases.filter(consent__scope_search=True)
    if after:
        cases = cases.filter(pk__lt=Case.objects.filter(slug=after).values("pk"))
    keys = list(cases.values_list("pk", flat=True)[: how_many + 1])
    texts: dict[int, list[CaseText]] = {key: [] for key in keys[:how_many]}
    for text in _as_approved(public(now).filter(case__in=texts), now):
        texts[text.case_id].append(text)
    profiles = [_shown(_in_language(t, language), others=t) for t in texts.values() if t]
    more = len(keys) > how_many and profiles
    return Page(profiles, profiles[-1].slug if more else "")


def latest(language: str, how_many: int) -> list[Profile]:
    """The newest that search engines may list."""
    return listed(language, how_many=how_many, indexed_only=True).profiles


def addresses(now: datetime | None = None) -> QuerySet:
    """`(slug, changed_at)` of the profiles that search engines may know of."""
    # All at once: here a join is twice as fast as `public_cases`, which judges one by one.
    cases = Case.objects.filter(pk__in=public(now).values("case"), consent__scope_search=True)
    return cases.order_by("-pk").values_list("slug", "changed_at")


def portrait(token: str, width: int, file_format: str, now: datetime | None = None) -> Rendition:
    """A picture's file, asked for by name. Raises TakenDown or Unknown, as its profile does."""
    found = Rendition.objects.filter(portrait__token=token, width=width, format=file_format)
    rendition = found.select_related("portrait__case").first()
    if rendition is None:
        raise Unknown
    case = rendition.portrait.case
    if case.take_down_id:
        raise TakenDown
    texts = public(now).filter(case=case).exclude(portrait_alt="").select_related("case__consent")
    if not any(may_show(text.case, "portrait") for text in texts):
        raise Unknown
    return rendition


def draft(text: CaseText) -> Profile:
    """What would be shown of a text if it were public now: for those who review it."""
    return _shown(_whole(CaseText.objects.filter(pk=text.pk)).get(), others=[text])


def _whole(texts: QuerySet[CaseText]) -> QuerySet[CaseText]:
    sizes = Rendition.objects.filter(format=Rendition.Format.JPEG).defer("data")
    return texts.select_related(
        "case__consent", "case__risk_review", "case__portrait"
    ).prefetch_related("updates", "case__sources", Prefetch("case__portrait__renditions", sizes))


def _as_approved(texts: QuerySet[CaseText], now: datetime | None) -> list[CaseText]:
    """Texts with their updates and sources. These come by statements of their own: a text of which
    something was changed in between was not approved as it was read, and is left out."""
    read = list(_whole(texts))
    now_public = public(now).filter(pk__in=[text.pk for text in read])
    still = set(now_public.values_list("pk", "revision", "case__revision"))
    return [text for text in read if (text.pk, text.revision, text.case.revision) in still]


def _in_language(texts: Iterable[CaseText], language: str) -> CaseText:
    by_language = {text.language: text for text in texts}
    return next(
        by_language[code] for code in (language, *languages.LANGUAGES) if code in by_language
    )


def _shown(text: CaseText, others: Iterable[CaseText]) -> Profile:
    case = text.case
    shown_title, is_pseudonym = title(case, text)
    place = text.place if may_show(case, "place") and case.place_as_of else ""
    told = may_show(case, "story")
    return Profile(
        slug=case.slug,
        language=text.language,
        title=shown_title,
        is_pseudonym=is_pseudonym,
        track=case.track_id,
        age_band=Case.AgeBand(case.age_band),
        nationality=Case.Nationality(case.nationality),
        groups=_groups(case),
        situation=Dated(
            Case.Situation(case.situation),
            case.situation_as_of,
            case.situation_certainty == Certainty.CONFIRMED,
        ),
        since=Dated(case.since, case.since_as_of, case.since_certainty == Certainty.CONFIRMED)
        if case.since
        else None,
        place=Dated(place, case.place_as_of, case.place_certainty == Certainty.CONFIRMED)
        if place
        else None,
        charges=text.charges if may_show(case, "charges") else "",
        health=text.health if may_show(case, "health") else "",
        story=text.story if told else "",
        updates=tuple(Told(u.day, u.body) for u in text.updates.all()) if told else (),
        sources=tuple(case.sources.all()),
        portrait=_portrait(text),
        may_be_indexed=may_show(case, "search"),
        changed_at=max(case.changed_at, text.changed_at),
        lapses_at=lapses_at(case),
        is_sample=case.sample,
        told_in=tuple(code for code in languages.LANGUAGES if code in {t.language for t in others}),
    )


def title(case: Case, text: CaseText) -> tuple[str, bool]:
    """The name, a pseudonym, or nothing: never one in place of the other. Whether it is a
    pseudonym."""
    if may_name(case):
        return text.name, False
    if case.naming == Case.Naming.PSEUDONYM:
        return text.pseudonym, bool(text.pseudonym)
    return "", False


def _groups(case: Case) -> tuple[Group, ...]:
    belongs = {
        Group.SICK: case.is_sick and may_show(case, "health"),
        Group.ELDERLY: case.age_band == Case.AgeBand.ELDERLY,
        Group.WOMAN: case.is_woman,
        Group.CHILD: case.is_child,
    }
    return tuple(group for group in Group if belongs[group])


def _portrait(text: CaseText) -> Picture | None:
    """None also where nothing says in this language what the picture shows."""
    case = text.case
    picture = getattr(case, "portrait", None)
    if picture is None or not text.portrait_alt or not may_show(case, "portrait"):
        return None
    sizes = tuple((r.width, r.height) for r in picture.renditions.all())
    return Picture(picture.token, text.portrait_alt, sizes)
