"""May a prisoner case be public, why not, and what of it is shown: the one place that says so.

`profiles` reads cases for pages, pictures and exports by these rules. They follow what the field
asks of those who publish about people at risk: informed consent that can be withdrawn, for
exactly what it covers (ICRC, Professional Standards for Protection Work; WITNESS, on consent),
sources and more than one pair of eyes (OHCHR, Manual on Human Rights Monitoring), and a risk that
is weighed again and again.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import cache

from django.db import DatabaseError, models
from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet, Subquery, Value
from django.db.models.lookups import GreaterThanOrEqual
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from petition.ground.memory import remember
from petition.models import Approval, Case, CaseText, Source

APPROVALS = 2
REMEMBERED_SECONDS = 10
RISK_REVIEW_FOR = timedelta(days=90)
# How long before a profile disappears by itself the desk says so.
NOTICE = timedelta(days=14)
# Of children never shown, whatever the consent says.
HIDDEN_OF_CHILDREN = ("name", "portrait", "place")


class Group(models.TextChoices):
    """The groups that the campaign names."""

    SICK = "sick", _("The sick")
    ELDERLY = "elderly", _("The elderly")
    WOMAN = "woman", _("Women and girls")
    CHILD = "child", _("Children")


# Sickness is health: who may not be told to be sick is not found among the sick either.
OF_GROUP: dict[str, Q] = {
    Group.SICK: Q(is_sick=True, consent__scope_health=True),
    Group.ELDERLY: Q(age_band=Case.AgeBand.ELDERLY),
    Group.WOMAN: Q(is_woman=True),
    Group.CHILD: Q(age_band=Case.AgeBand.CHILD),
}


class Missing(models.TextChoices):
    """Why a case is not public in a language."""

    NOT_TAKEN_DOWN = "not taken down", _("It was taken down.")
    CONSENT = "consent", _("There is no consent.")
    NOT_WITHDRAWN = "not withdrawn", _("The consent was withdrawn.")
    NOT_OVER = "not over", _("The consent has run out.")
    SINCE_EVENT = "since event", _("The person was released or has died since the consent.")
    SOURCE = "source", _("There is no source.")
    RISK = "risk", _("There is no risk review of the last 90 days that lets it be public.")
    REVIEW = "review", _("Nobody except its authors has reviewed the present text.")
    APPROVALS = "approvals", _("Two coordinators who are not its authors have not approved it.")


@cache
def _approvals() -> QuerySet:
    """How many have approved a text as it and its case stand, its authors left out."""
    wrote_text = CaseText.authors.through.objects.filter(
        casetext=OuterRef("text"), user=OuterRef("by")
    )
    wrote_case = Case.authors.through.objects.filter(
        case=OuterRef("text__case"), user=OuterRef("by")
    )
    valid = Approval.objects.filter(
        ~Exists(wrote_text),
        ~Exists(wrote_case),
        text=OuterRef("pk"),
        text_revision=OuterRef("revision"),
        case_revision=OuterRef("case__revision"),
    )
    return valid.order_by().values("text").annotate(n=Count("by", distinct=True)).values("n")


@cache
def _reviewer_wrote() -> Exists:
    return Exists(
        CaseText.authors.through.objects.filter(
            casetext=OuterRef("pk"), user=OuterRef("reviewed_by")
        )
    )


@cache
def _has_source() -> Exists:
    return Exists(Source.objects.filter(case=OuterRef("case")))


# The rules: what has to be true of a text and its case at a moment. Nothing else decides.
RULES: dict[str, Callable[[datetime], Q]] = {
    Missing.NOT_TAKEN_DOWN: lambda now: Q(case__take_down=None),
    Missing.CONSENT: lambda now: Q(case__consent__given_at__lte=now),
    Missing.NOT_WITHDRAWN: lambda now: Q(case__consent__withdrawn_at=None),
    Missing.NOT_OVER: lambda now: Q(case__consent=None) | Q(case__consent__valid_until__gt=now),
    Missing.SINCE_EVENT: lambda now: (
        Q(case__consent=None) | Q(case__consent__events=F("case__events"))
    ),
    Missing.SOURCE: lambda now: Q(_has_source()),
    Missing.RISK: lambda now: Q(
        case__risk_review__may_be_public=True, case__risk_review__at__gt=now - RISK_REVIEW_FOR
    ),
    Missing.REVIEW: lambda now: Q(reviewed_revision=F("revision")) & ~Q(_reviewer_wrote()),
    Missing.APPROVALS: lambda now: Q(GreaterThanOrEqual(Subquery(_approvals()), APPROVALS)),
}


def public(now: datetime | None = None) -> QuerySet[CaseText]:
    """The texts of cases that may be public, each in its own language."""
    now = now or timezone.now()
    return CaseText.objects.filter(*(rule(now) for rule in RULES.values()))


def why_not(text: CaseText, now: datetime | None = None) -> list[Missing]:
    """What keeps a case from being public in a language; empty where it is."""
    now = now or timezone.now()
    judged: dict[str, models.Case] = {
        missing.name: models.Case(
            models.When(RULES[missing](now), then=Value(True)), default=Value(False)
        )
        for missing in Missing
    }
    found: dict = dict(CaseText.objects.filter(pk=text.pk).values(**judged).get())
    return [missing for missing in Missing if not found[missing.name]]


def public_cases(now: datetime | None = None) -> QuerySet[Case]:
    """Cases that may be public in one language at least."""
    # EXISTS says the same, but PostgreSQL makes a join of it that judges every case there is before
    # it takes the newest few.
    one = public(now).filter(case=OuterRef("pk")).order_by().values("pk")[:1]
    return Case.objects.alias(public_text=Subquery(one)).filter(public_text__isnull=False)


def lapsing(now: datetime | None = None) -> QuerySet[Case]:
    """Public cases that will disappear by themselves within NOTICE."""
    now = now or timezone.now()
    soon = Q(consent__valid_until__lte=now + NOTICE) | Q(
        risk_review__at__lte=now + NOTICE - RISK_REVIEW_FOR
    )
    # First the few by their dates: the database would judge all cases before it looks at a date.
    keys = Case.objects.filter(soon, take_down=None).values_list("pk", flat=True)
    return public_cases(now).filter(pk__in=list(keys))


def waiting(now: datetime | None = None) -> QuerySet[Case]:
    """Cases with a text that is not public, those that were taken down left out."""
    public_texts = public(now).filter(pk=OuterRef("pk"))
    hidden = CaseText.objects.filter(~Exists(public_texts), case=OuterRef("pk"))
    return Case.objects.filter(Exists(hidden), take_down=None)


def lapses_at(case: Case) -> datetime | None:
    """When a public case disappears by itself, if nobody does anything."""
    if case.consent is None or case.risk_review is None:
        return None
    return min(case.consent.valid_until, case.risk_review.at + RISK_REVIEW_FOR)


def samples_are_shown() -> bool:
    """Whether what this site shows is sample data. Also asked by pages that say that something is
    wrong: where the database does not answer, so does nothing that is a sample."""
    return remember("samples", _has_samples, REMEMBERED_SECONDS)


def _has_samples() -> bool:
    try:
        return Case.objects.filter(sample=True).exists()
    except DatabaseError:
        return False


def may_show(case: Case, scope: str) -> bool:
    """Whether the newest consent covers a field, and it is none that is hidden of children."""
    if case.consent is None or (case.is_child and scope in HIDDEN_OF_CHILDREN):
        return False
    return case.consent.covers(scope)


def may_name(case: Case) -> bool:
    return case.naming == Case.Naming.NAME and may_show(case, "name")


def hidden_words(case: Case) -> list[str]:
    """Names and places that may not be shown, in every language in which they are known."""
    words = []
    for other in case.texts.all():
        if not may_name(case):
            words.append(other.name)
        if not may_show(case, "place"):
            words.append(other.place)
    return [word for word in words if word]
