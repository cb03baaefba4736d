"""What coordinators do to a prisoner case: write, record consent, review, approve, take down.

Each act locks the case, is done to what was shown or not at all, and is written into the audit.
"""

from contextlib import contextmanager

from django.contrib.auth.models import User as Person
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from petition import audit
from petition.cases import hidden, pictures, rules
from petition.ground.lazy import LazyText
from petition.models import (
    Approval,
    Case,
    CaseText,
    CaseUpdate,
    Consent,
    Entry,
    News,
    Portrait,
    Rendition,
    RiskReview,
    Source,
    TakeDown,
)

Act = Entry.Act
LONGEST_REASON = TakeDown._meta.get_field("reason").max_length


class Refused(Exception):
    """Why something is not done; `says` is for whoever asked."""

    says: LazyText = ""


class Gone(Refused):
    says = _("It has been erased meanwhile.")


class ChangedMeanwhile(Refused):
    says = _("Somebody has changed this meanwhile. Look at what it is now, then try again.")


class IsAnAuthor(Refused):
    says = _("You have written a part of this. Somebody who has not decides about it.")


class ApprovedAlready(Refused):
    says = _("You have approved this already. Another coordinator has to.")


class NotReviewed(Refused):
    says = _("The text has to be reviewed before it is approved.")


class NoConsent(Refused):
    says = _("There is no consent that holds. What it covers decides what there is to approve.")


class TellsTooMuch(Refused):
    """The words to be shown tell a name or a place that may not be shown."""

    says = _("The text or a source tells a name or place that may not be shown. Take it out first.")


class ToldInNews(Refused):
    says = _(
        "A story in the news tells a name or place that may not be shown. It has to be taken back "
        "or changed first."
    )


class NotTakenDown(Refused):
    says = _("It is not taken down.")


class TookItDown(Refused):
    says = _("You have taken it down yourself. Two others put it back.")


class AgreedAlready(Refused):
    says = _("You have agreed already. One more coordinator has to.")


class TooEarly(Refused):
    says = _("After a release, a death or a withdrawal only a consent that was given since counts.")


class HasDied(Refused):
    says = _("The person has died. A consent can only be one of the family.")


def subject(case: Case) -> str:
    """How entries of the audit name a case."""
    return f"case {case.slug}"


def open_case(by: Person, facts: dict, sources: list[dict]) -> Case:
    """A new case; nothing of it is public before consent, texts, reviews and approvals."""
    with transaction.atomic():
        if facts["situation"] in Case.EVENTS:
            facts = facts | {"events": 1, "event_on": facts["situation_as_of"]}
        case = Case.objects.create(**facts)
        case.authors.add(by)
        _replace_sources(case, sources)
        audit.append(by, Act.CASE, subject(case), part="facts")
    return case


def write_facts(pk: int, by: Person, seen: int, facts: dict, sources: list[dict]) -> None:
    """What is the same in every language; voids approvals. `seen` is the revision that the form
    showed. A release or a death ends what was consented before. Raises ChangedMeanwhile."""
    with _locked(pk) as case:
        if case.revision != seen:
            raise ChangedMeanwhile
        situation = facts["situation"]
        if situation in Case.EVENTS:
            happened = situation != case.situation
            # A day that is corrected backwards makes no former consent good.
            on = facts["situation_as_of"]
            event_on = on if happened or not case.event_on else max(on, case.event_on)
            facts = facts | {"events": case.events + happened, "event_on": event_on}
        Case.objects.filter(pk=pk).update(**facts)
        _replace_sources(case, sources)
        _revise(case, by)
        audit.append(by, Act.CASE, subject(case), part="facts", situation=situation)


def write_text(
    pk: int, language: str, by: Person, seen: int, words: dict, updates: list[dict]
) -> CaseText:
    """What is told in one language; voids its review and approvals. `seen` is the revision that the
    form showed, 0 where there was none. Raises ChangedMeanwhile."""
    with _locked(pk) as case:
        text = CaseText.objects.filter(case=case, language=language).first()
        if (text.revision if text else 0) != seen:
            raise ChangedMeanwhile
        revision, now = seen + 1, timezone.now()
        known = set(rules.hidden_words(case))
        text, _new = CaseText.objects.update_or_create(
            case=case,
            language=language,
            defaults=words | {"revision": revision, "changed_at": now},
        )
        text.authors.add(by)
        text.updates.all().delete()
        CaseUpdate.objects.bulk_create(CaseUpdate(text=text, **update) for update in updates)
        others = case.texts.exclude(pk=text.pk)
        if others.exists() and set(rules.hidden_words(case)) - known:
            # What must not be told is known only now: the others may tell it, and were approved.
            _revise(case)
        audit.append(by, Act.CASE, subject(case), part="text", language=language)
    return text


def set_portrait(pk: int, by: Person, seen: int, data: bytes) -> None:
    """The picture in a file, re-encoded, in place of the one before. Voids approvals.

    Raises pictures.Refused and ChangedMeanwhile.
    """
    if not Case.objects.filter(pk=pk, revision=seen).exists():
        raise ChangedMeanwhile
    files = pictures.renditions(data)
    with _locked(pk) as case:
        if case.revision != seen:
            raise ChangedMeanwhile
        Portrait.objects.filter(case=case).delete()
        portrait = Portrait.objects.create(case=case)
        Rendition.objects.bulk_create(
            Rendition(
                portrait=portrait, width=f.width, height=f.height, format=f.format, data=f.data
            )
            for f in files
        )
        _revise(case, by)
        audit.append(by, Act.CASE, subject(case), part="portrait")


def remove_portrait(pk: int, by: Person) -> None:
    """No picture any more, from the next request on."""
    with _locked(pk) as case:
        Portrait.objects.filter(case=case).delete()
        _revise(case, by)
        audit.append(by, Act.CASE, subject(case), part="no portrait")


def record_consent(pk: int, by: Person, details: dict) -> Consent:
    """A consent in place of the one before. Where it covers something else, approvals are void.

    Raises TooEarly for one that was given before the release, death or withdrawal that is known,
    and HasDied.
    """
    with _locked(pk) as case:
        withdrawn = case.consent and case.consent.withdrawn_at
        if withdrawn and details["given_at"] <= withdrawn:
            raise TooEarly
        if case.event_on and details["given_at"].date() < case.event_on:
            raise TooEarly
        if case.situation == Case.Situation.DIED and details["giver"] == Consent.Giver.PERSON:
            raise HasDied
        consent = Consent.objects.create(case=case, recorded_by=by, events=case.events, **details)
        former = case.consent if not withdrawn else None
        covers_the_same = former is not None and former.scopes == consent.scopes
        Case.objects.filter(pk=pk).update(consent=consent)
        if not covers_the_same:
            _revise(case)
        audit.append(
            by,
            Act.CONSENT,
            subject(case),
            scope=[scope for scope in Consent.SCOPES if consent.covers(scope)],
            until=consent.valid_until.isoformat(),
        )
    return consent


def withdraw_consent(pk: int, by: Person) -> None:
    """Whoever gave it takes it back: the case is not public from the next request on."""
    with _locked(pk) as case:
        Consent.objects.filter(pk=case.consent_id, withdrawn_at=None).update(
            withdrawn_at=timezone.now()
        )
        audit.append(by, Act.CONSENT_WITHDRAW, subject(case))


def review(text_pk: int, by: Person, seen: int) -> None:
    """Somebody who did not write it has read a text as it stands and found it right.

    Raises ChangedMeanwhile, IsAnAuthor, NoConsent, TellsTooMuch.
    """
    with _locked_text(text_pk) as text:
        if text.revision != seen:
            raise ChangedMeanwhile
        if text.authors.contains(by):
            raise IsAnAuthor
        _check_words(text)
        CaseText.objects.filter(pk=text.pk).update(
            reviewed_revision=text.revision, reviewed_by=by, reviewed_at=timezone.now()
        )
        audit.append(by, Act.REVIEW, subject(text.case), language=text.language)


def approve(text_pk: int, by: Person, seen: tuple[int, int]) -> None:
    """A yes to a case in one language, exactly as it stands. `seen` holds the revisions of case and
    text. Raises ChangedMeanwhile, IsAnAuthor, NotReviewed, NoConsent, TellsTooMuch and
    ApprovedAlready."""
    with _locked_text(text_pk) as text:
        if (text.case.revision, text.revision) != seen:
            raise ChangedMeanwhile
        if text.authors.contains(by) or text.case.authors.contains(by):
            raise IsAnAuthor
        if text.reviewed_revision != text.revision:
            raise NotReviewed
        _check_words(text)
        try:
            with transaction.atomic():
                Approval.objects.create(
                    text=text,
                    by=by,
                    case_revision=text.case.revision,
                    text_revision=text.revision,
                )
        except IntegrityError as error:
            raise ApprovedAlready from error
        audit.append(by, Act.APPROVE, subject(text.case), language=text.language)


def review_risk(pk: int, by: Person, *, may_be_public: bool, note: str) -> None:
    """What being public may do to the person and the family, weighed today. Whoever wrote a part of
    it may warn, and does not overrule a warning: raises IsAnAuthor. After a warning it takes two to
    approve again."""
    with _locked(pk) as case:
        wrote = case.authors.contains(by) or case.texts.filter(authors=by).exists()
        if may_be_public and wrote:
            raise IsAnAuthor
        judged = RiskReview.objects.create(case=case, by=by, may_be_public=may_be_public, note=note)
        Case.objects.filter(pk=pk).update(risk_review=judged)
        if not may_be_public:
            _revise(case)
        audit.append(by, Act.RISK, subject(case), outcome="may" if may_be_public else "may not")


def take_down(pk: int, by: Person, reason: str) -> None:
    """Off the site from the next request on, whatever else holds. Where it is down already the new
    reason is added, and whoever agreed to put it back has to agree again."""
    with _locked(pk) as case:
        if case.take_down is None:
            down = TakeDown.objects.create(case=case, by=by, reason=reason)
            Case.objects.filter(pk=pk).update(take_down=down)
        else:
            reasons = f"{case.take_down.reason} · {reason}"[-(LONGEST_REASON or 0) :]
            TakeDown.objects.filter(pk=case.take_down_id).update(first=None, reason=reasons)
        audit.append(by, Act.TAKE_DOWN, subject(case))


def put_back(pk: int, by: Person) -> bool:
    """One of the two others who put a case back agrees; whether it is back now.

    Raises NotTakenDown, TookItDown, AgreedAlready.
    """
    with _locked(pk) as case:
        down = case.take_down
        if down is None:
            raise NotTakenDown
        if down.by_id == by.pk:
            raise TookItDown
        if down.first_id == by.pk:
            raise AgreedAlready
        this = TakeDown.objects.filter(pk=down.pk)
        if down.first_id is None:
            this.update(first=by)
        else:
            this.update(second=by, lifted_at=timezone.now())
            Case.objects.filter(pk=pk).update(take_down=None)
        audit.append(by, Act.PUT_BACK, subject(case))
    return down.first_id is not None


def erase(pk: int, by: Person, reason: str) -> None:
    """All of a case is deleted, for good; the audit keeps that there was one. Stories that speak of
    the person are taken back: nothing would hide them any more."""
    with _locked(pk) as case:
        name = subject(case)
        _take_back_stories(case, by)
        case.delete()
        audit.append(by, Act.CASE_ERASE, name, note=reason)


@contextmanager
def _locked(pk: int):
    """The case, while nobody else can act on it. Raises Gone."""
    with transaction.atomic():
        if not Case.objects.select_for_update().filter(pk=pk).exists():
            raise Gone
        yield Case.objects.select_related("consent", "take_down").get(pk=pk)


@contextmanager
def _locked_text(pk: int):
    text = CaseText.objects.filter(pk=pk).only("case_id").first()
    if text is None:
        raise Gone
    with _locked(text.case_id) as case:
        text = CaseText.objects.get(pk=pk)
        text.case = case
        yield text


def _revise(case: Case, by: Person | None = None) -> None:
    """Another revision of what is the same in all languages: approvals of the former are void."""
    Case.objects.filter(pk=case.pk).update(revision=F("revision") + 1, changed_at=timezone.now())
    if by:
        case.authors.add(by)


def _take_back_stories(case: Case, by: Person) -> None:
    now = timezone.now()
    for story in News.objects.filter(cases=case, publish_at__isnull=False, withdrawn_at=None):
        News.objects.filter(pk=story.pk).update(
            withdrawn_at=now, changed_at=now, revision=F("revision") + 1
        )
        audit.append(by, Act.NEWS_TAKE_BACK, f"news {story.pk}", name=story.slug)


def _replace_sources(case: Case, sources: list[dict]) -> None:
    case.sources.all().delete()
    Source.objects.bulk_create(Source(case=case, **source) for source in sources)


def _check_words(text: CaseText) -> None:
    """Refuse words that tell in running text what is not shown in its own field."""
    consent, now = text.case.consent, timezone.now()
    if consent is None or consent.withdrawn_at or consent.valid_until <= now:
        raise NoConsent
    if hidden.is_told(text):
        raise TellsTooMuch
    if hidden.is_told_in_news(text.case):
        raise ToldInNews
