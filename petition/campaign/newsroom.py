"""What editors do with news: write, publish, take back, send by letter; each act is audited."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone

from petition import audit
from petition.cases import mentions, rules
from petition.ground import languages
from petition.models import Case, CaseText, Entry, Mailing, News, NewsText, Signature

Act = Entry.Act
MOST_IN_ADVANCE = timedelta(days=366)


class SomebodyWasFirst(Exception):
    """The story is no longer as it was shown; nothing was done."""


class NotNow(Exception):
    """The story, or its mailing, is in a state in which this cannot be asked of it."""


class AddressTaken(Exception):
    """Another story has this address."""


class AddressIsKnown(Exception):
    """Links may lead to the address already: it stays."""


class SpeaksOfTheHidden(Exception):
    """A published story would no longer point to a profile that is not public now."""


class NamesSomebody(Exception):
    """The story tells the name of a person whose profile it does not point to, or may not name."""


class NothingWritten(Exception):
    """The story would be without a text in any language."""


@dataclass(frozen=True)
class Draft:
    """What an editor has written in one language; all of it, or nothing at all."""

    title: str = ""
    summary: str = ""
    body: str = ""

    def __bool__(self):
        return bool(self.title or self.summary or self.body)


def name_of(news: News) -> str:
    """How audit entries name a story: its address may still change, its number never does."""
    return f"news {news.pk}"


def write(
    news: News,
    slug: str,
    drafts: dict[str, Draft],
    by: AbstractBaseUser | None,
    about: Iterable[Case] = (),
) -> None:
    """Keep what was written, by language; an empty draft takes its language out. `news` is as the
    editor has seen it, or new; `by` is None for what the system drafts; `about` are the profiles
    that it speaks of. Raises SomebodyWasFirst, AddressTaken, AddressIsKnown, NamesSomebody,
    SpeaksOfTheHidden and NothingWritten."""
    written = {language: draft for language, draft in drafts.items() if draft}
    if not written:
        raise NothingWritten
    _check_names(written.values(), about)
    try:
        with transaction.atomic():
            if news._state.adding:
                news.slug, news.created_by = slug, audit.actor(by)
                news.save(force_insert=True)
            else:
                _rewrite(news, slug)
            _point_to(news, about)
            changed = _write_texts(news, written, by)
            audit.append(
                by, Act.NEWS, name_of(news), name=slug, languages=", ".join(sorted(changed))
            )
    except IntegrityError as error:
        raise AddressTaken from error


def publish(news: News, by: AbstractBaseUser, at: datetime | None = None) -> None:
    """Make it public at a moment, now where none is given or it has passed. What was taken back
    comes back with its former date. Raises SomebodyWasFirst, NotNow and NamesSomebody."""
    now = timezone.now()
    at = max(at or now, now)
    if news.state == News.State.PUBLIC or at > now + MOST_IN_ADVANCE:
        raise NotNow
    if news.state == News.State.TAKEN_BACK and news.publish_at:
        at = news.publish_at
    _check_names(news.texts.all(), news.cases.select_related("consent"))
    with transaction.atomic():
        _change(news, publish_at=at, withdrawn_at=None)
        audit.append(by, Act.NEWS_PUBLISH, name_of(news), name=news.slug, at=_moment(at))


def take_back(news: News, by: AbstractBaseUser) -> None:
    """Take it off every page, feed and letter; before its time it becomes a draft again. Raises
    SomebodyWasFirst and NotNow."""
    if news.state not in (News.State.SCHEDULED, News.State.PUBLIC):
        raise NotNow
    with transaction.atomic():
        if news.state == News.State.PUBLIC:
            _change(news, withdrawn_at=timezone.now())
        else:
            _change(news, publish_at=None)
        audit.append(by, Act.NEWS_TAKE_BACK, name_of(news), name=news.slug)


def recipients() -> int:
    """How many a story would go to if it were sent now."""
    return Signature.objects.want_news().count()


def time_for(how_many: int) -> timedelta:
    """How long that takes at the operator's pace."""
    return timedelta(seconds=how_many / settings.NEWS_RATE)


def send(news: News, by: AbstractBaseUser) -> Mailing:
    """Send it by letter to those who ask for news now, once and for all. The letters leave from
    the moment on in which it is public. Raises SomebodyWasFirst and NotNow."""
    if news.state not in (News.State.SCHEDULED, News.State.PUBLIC):
        raise NotNow
    try:
        with transaction.atomic():
            _change(news)
            mailing = Mailing.objects.create(news=news, by=by.get_username(), expected=recipients())
            audit.append(by, Act.MAILING, name_of(news), name=news.slug, expected=mailing.expected)
    except IntegrityError as error:
        raise NotNow from error
    return mailing


def stop(news: News, by: AbstractBaseUser) -> None:
    """Stop its mailing; letters that are not yet sent wait. Raises NotNow."""
    _ask(news, by, Act.MAILING_STOP, Mailing.State.RUNNING, Mailing.State.STOPPED)


def go_on(news: News, by: AbstractBaseUser) -> None:
    """Let a stopped mailing go on where it was. Raises NotNow."""
    _ask(news, by, Act.MAILING_GO_ON, Mailing.State.STOPPED, Mailing.State.RUNNING)


def _ask(news: News, by: AbstractBaseUser, act: str, was: str, to: str) -> None:
    with transaction.atomic():
        if not Mailing.objects.filter(news=news, state=was).update(state=to):
            raise NotNow
        audit.append(by, act, name_of(news), name=news.slug)


def _point_to(news: News, about: Iterable[Case]) -> None:
    """One editor alone does not bring a story back that went with its profile: first it is taken
    back, then the pointer can go, and publishing looks for names again."""
    about = list(about)
    left = news.cases.exclude(pk__in=[case.pk for case in about])
    published = news.state in (News.State.SCHEDULED, News.State.PUBLIC)
    if published and left.exclude(pk__in=rules.public_cases()).exists():
        raise SpeaksOfTheHidden
    news.cases.set(about)


def _check_names(drafts: Iterable[Draft | NewsText], about: Iterable[Case]) -> None:
    """A story that names somebody goes when their profile goes: so it has to point to it."""
    told = " ".join(f"{draft.title} {draft.summary} {draft.body}" for draft in drafts)
    about = list(about)
    if any(mentions.mentioned(rules.hidden_words(case), told) for case in about):
        raise NamesSomebody
    # One word alone is too often a word of the language.
    others = CaseText.objects.exclude(case__in=about).filter(name__contains=" ")
    if mentions.mentioned(others.values_list("name", flat=True), told, whole=True):
        raise NamesSomebody


def _rewrite(news: News, slug: str) -> None:
    if slug == news.slug:
        _change(news)
        return
    if news.was_public:
        raise AddressIsKnown
    _change(news, slug=slug)


def _change(news: News, **changes) -> None:
    """A compare-and-set by the revision that the editor has seen. Raises SomebodyWasFirst."""
    changes["changed_at"] = timezone.now()
    seen = News.objects.filter(pk=news.pk, revision=news.revision)
    if not seen.update(revision=F("revision") + 1, **changes):
        raise SomebodyWasFirst
    news.revision += 1
    for name, value in changes.items():
        setattr(news, name, value)


def _write_texts(news: News, written: dict[str, Draft], by: AbstractBaseUser | None) -> list[str]:
    """The languages that are other than before."""
    before = {text.language: text for text in news.texts.all()}
    gone = news.texts.exclude(language__in=written)
    changed = list(gone.values_list("language", flat=True))
    gone.delete()
    for language in languages.LANGUAGES:
        draft, text = written.get(language), before.get(language)
        if not draft or (text and Draft(text.title, text.summary, text.body) == draft):
            continue
        fields = {
            "title": draft.title,
            "summary": draft.summary,
            "body": draft.body,
            "changed_by": audit.actor(by),
            "changed_at": timezone.now(),
        }
        NewsText.objects.update_or_create(news=news, language=language, defaults=fields)
        changed.append(language)
    return changed


def _moment(at: datetime) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC"
