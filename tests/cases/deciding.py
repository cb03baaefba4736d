"""What people decide about a sample case: who writes, reviews, approves."""

from datetime import date

from django.contrib.auth.models import User

from petition.cases import acts, rules
from petition.cases.rules import Missing
from petition.models import Case, CaseText
from tests.making import (
    make_consent,
    make_person,
)

FACTS = {
    "naming": "name",
    "track_id": "protection",
    "age_band": "30-44",
    "nationality": "palestinian",
    "is_woman": False,
    "is_sick": False,
    "situation": "arrested",
    "situation_as_of": date(2026, 3, 1),
    "situation_certainty": "reported",
}
SOURCE = {
    "title": "Sample report",
    "publisher": "Sample Observer",
    "url": "https://example.org/report",
    "day": date(2026, 3, 1),
    "supports": "the arrest",
    "language": "en",
}
WORDS = {"name": "Sample Prisoner", "story": "A sample story.", "place": "Sample Prison"}


def person(name: str) -> User:
    return make_person(name)


def missing(case: Case, language: str = "en") -> list[Missing]:
    return rules.why_not(case.texts.get(language=language))


def written(author) -> CaseText:
    """A case that has all but what others decide: review, approvals, risk."""
    case = acts.open_case(author, FACTS, [SOURCE])
    text = acts.write_text(case.pk, "en", author, 0, WORDS, [])
    make_consent(case)
    return text


def decide(text: CaseText, *names: str) -> None:
    text.refresh_from_db()
    text.case.refresh_from_db()
    for name in names:
        acts.approve(text.pk, person(name), (text.case.revision, text.revision))


def review(text: CaseText, name: str = "reviewer") -> None:
    text.refresh_from_db()
    acts.review(text.pk, person(name), text.revision)


def hide_name_and_place(case: Case) -> None:
    make_consent(case, scope_name=False, scope_place=False)
