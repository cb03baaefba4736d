"""What a consent covers, when it ends, and that nothing else is told."""

from datetime import date, timedelta

import pytest
from django.utils import timezone

from petition.cases import acts, profiles, rules
from petition.cases.rules import Missing
from petition.models import CaseText, Consent
from tests.cases.deciding import (
    FACTS,
    SOURCE,
    WORDS,
    decide,
    hide_name_and_place,
    missing,
    person,
    review,
    written,
)
from tests.making import (
    drawn_picture,
    make_case,
    make_consent,
)

pytestmark = pytest.mark.django_db


def test_consent_ends_at_its_moment_and_when_it_is_withdrawn():
    case = make_case()
    text, until = case.texts.get(), case.consent.valid_until
    acts.review_risk(case.pk, person("reviewer"), may_be_public=True, note="weighed")
    Consent.objects.update(valid_until=timezone.now() + timedelta(days=10))
    until = Consent.objects.get().valid_until
    assert rules.why_not(text, until - timedelta(seconds=1)) == []
    assert rules.why_not(text, until) == [Missing.NOT_OVER]
    acts.withdraw_consent(case.pk, person("author"))
    assert missing(case) == [Missing.NOT_WITHDRAWN]


def consent_details(**fields) -> dict:
    now = timezone.now()
    return (
        {
            "giver": "person",
            "method": "writing",
            "language": "ar",
            "given_at": now,
            "valid_until": now + timedelta(days=30),
            "explained_copies": True,
            "explained_worst_case": True,
            "explained_withdrawal": True,
            "evidence": "SAMPLE-2",
        }
        | {f"scope_{scope}": True for scope in Consent.SCOPES}
        | fields
    )


def test_a_consent_to_the_same_keeps_approvals_and_one_to_something_else_voids_them():
    case = make_case()
    acts.record_consent(case.pk, person("author"), consent_details())
    assert missing(case) == []
    acts.record_consent(case.pk, person("author"), consent_details(scope_name=False))
    assert missing(case) == [Missing.APPROVALS]


def test_after_a_withdrawal_only_a_later_consent_counts_and_two_approve_again():
    case = make_case()
    before = timezone.now()
    acts.withdraw_consent(case.pk, person("author"))
    with pytest.raises(acts.TooEarly):
        acts.record_consent(case.pk, person("author"), consent_details(given_at=before))
    acts.record_consent(case.pk, person("author"), consent_details())
    assert missing(case) == [Missing.APPROVALS]


def test_a_case_that_is_opened_after_a_release_takes_no_older_consent(author):
    facts = FACTS | {"situation": "released", "situation_as_of": timezone.now().date()}
    case = acts.open_case(author, facts, [SOURCE])
    old = consent_details(given_at=timezone.now() - timedelta(days=900))
    with pytest.raises(acts.TooEarly):
        acts.record_consent(case.pk, author, old)
    # Neither by a day that is corrected backwards, nor by another arrest.
    earlier = {"situation_as_of": date(2020, 1, 1)}
    acts.write_facts(case.pk, author, 1, facts | earlier, [SOURCE])
    acts.write_facts(case.pk, author, 2, FACTS, [SOURCE])
    with pytest.raises(acts.TooEarly):
        acts.record_consent(case.pk, author, old)


def test_a_name_that_becomes_known_in_another_language_voids_what_was_approved():
    case = make_case("en")
    make_consent(case, scope_name=False)
    words = WORDS | {"name": "Sample Othername"}
    acts.write_text(case.pk, "fr", person("translator"), 0, words, [])
    assert missing(case) == [Missing.APPROVALS]


def test_the_second_author_of_a_text_decides_nothing_about_it_either(author):
    text = written(author)
    acts.write_text(text.case_id, "en", person("second author"), 1, WORDS, [])
    with pytest.raises(acts.IsAnAuthor):
        review(text, "second author")


def test_an_older_consent_does_not_come_back_when_the_newest_is_withdrawn():
    case = make_case()
    acts.record_consent(case.pk, person("author"), consent_details())
    acts.withdraw_consent(case.pk, person("author"))
    assert Missing.NOT_WITHDRAWN in missing(case)


@pytest.mark.parametrize("situation", ["released", "died"])
def test_release_and_death_ask_for_a_new_consent(situation):
    case = make_case()
    happened = timezone.now().date()
    facts = FACTS | {"situation": situation, "situation_as_of": happened}
    acts.write_facts(case.pk, person("author"), 1, facts, [SOURCE])
    assert Missing.SINCE_EVENT in missing(case)
    before = timezone.now() - timedelta(days=2)
    with pytest.raises(acts.TooEarly):
        acts.record_consent(case.pk, person("author"), consent_details(given_at=before))
    if situation == "died":
        with pytest.raises(acts.HasDied):
            acts.record_consent(case.pk, person("author"), consent_details())
    family = consent_details(giver="sibling", why_not_person="Sample")
    acts.record_consent(case.pk, person("author"), family)
    assert Missing.SINCE_EVENT not in missing(case)


def test_after_a_second_release_the_consent_of_the_first_does_not_hold():
    case = make_case(situation="released", events=1)
    for situation in ("arrested", "released"):
        case.refresh_from_db()
        facts = FACTS | {"situation": situation}
        acts.write_facts(case.pk, person("author"), case.revision, facts, [SOURCE])
    assert Missing.SINCE_EVENT in missing(case)


def test_of_a_child_neither_name_nor_portrait_nor_place_is_shown():
    case = make_case(age_band="child")
    acts.set_portrait(case.pk, person("author"), 1, drawn_picture())
    shown = profiles.draft(case.texts.get())
    assert (shown.title, shown.portrait, shown.place) == ("", None, None)
    assert shown.story == "A sample story of a person who does not exist."


@pytest.mark.parametrize("scope", Consent.SCOPES)
def test_what_the_consent_does_not_cover_is_not_shown(scope):
    case = make_case(is_sick=True)
    acts.set_portrait(case.pk, person("author"), 1, drawn_picture())
    text = case.texts.get()
    acts.write_text(
        case.pk, "en", person("author"), text.revision,
        {"portrait_alt": "A sample portrait"}, [{"day": date(2026, 4, 1), "body": "Since then."}],
    )  # fmt: skip
    whole = profiles.draft(text)
    make_consent(case, **{f"scope_{scope}": False})
    shown = profiles.draft(text)
    fields = {
        "name": ["title"],
        "portrait": ["portrait"],
        "place": ["place"],
        "health": ["health", "groups"],
        "charges": ["charges"],
        "story": ["story", "updates"],
        "search": ["may_be_indexed"],
    }
    changed = [f for f in vars(whole) if getattr(whole, f) != getattr(shown, f)]
    assert changed == [f for f in vars(whole) if f in fields[scope]]
    assert not any(getattr(shown, f) for f in fields[scope])


def test_a_pseudonym_never_stands_in_for_a_name_nor_a_name_for_a_pseudonym():
    case = make_case(naming="pseudonym")
    assert profiles.draft(case.texts.get()).title == "Sample Pseudonym"
    case = make_case(naming="withheld")
    assert profiles.draft(case.texts.get()).title == ""
    case = make_case(naming="name")
    make_consent(case, scope_name=False)
    assert profiles.draft(case.texts.get()).title == ""


@pytest.mark.parametrize(
    "told",
    [
        {"story": "They met Sample Prisoner."},
        {"story": "Held in Sample Prison."},
        {"story": "They met Autre Nom."},
        {"charges": "Against Sample Prisoner."},
        {"health": "Sample Prisoner is ill."},
        {"portrait_alt": "Sample Prisoner at home"},
        {"update": "Sample Prisoner was moved."},
        {"title": "Sample Prisoner seen"},
        {"publisher": "Friends of Sample Prisoner"},
        {"supports": "that Sample Prisoner was seen"},
        {"url": "https://example.org/Sample_Prisoner"},
    ],
    ids=lambda told: "-".join(told),
)
def test_wherever_a_hidden_name_or_place_is_told_nobody_can_approve_it(told):
    case = make_case("en", "fr")
    case.texts.filter(language="fr").update(name="Autre Nom")
    acts.set_portrait(case.pk, person("author"), 1, drawn_picture())
    hide_name_and_place(case)
    source = SOURCE | {k: v for k, v in told.items() if k in SOURCE}
    acts.write_facts(case.pk, person("author"), 2, FACTS, [source])
    words = WORDS | {k: v for k, v in told.items() if k in ("story", "charges", "health")}
    words |= {"portrait_alt": told.get("portrait_alt", "A picture")}
    updates = [{"day": date(2026, 4, 1), "body": told["update"]}] if "update" in told else []
    text = acts.write_text(case.pk, "en", person("author"), 1, words, updates)
    with pytest.raises(acts.TellsTooMuch):
        review(text)


def test_who_must_not_be_named_is_named_in_no_other_profile_either():
    hidden = make_case()
    hide_name_and_place(hidden)
    case = make_case()
    CaseText.objects.filter(case=case).update(name="Somebody Else")
    story = {"name": "Somebody Else", "story": "A cousin of Sample Prisoner."}
    text = acts.write_text(case.pk, "en", person("author"), 1, story, [])
    with pytest.raises(acts.TellsTooMuch):
        review(text)


def test_under_a_withdrawn_consent_nothing_is_reviewed(author):
    text = written(author)
    acts.withdraw_consent(text.case_id, author)
    with pytest.raises(acts.NoConsent):
        review(text)


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("سامي المثال", "قال سامي بن فلان المثال ذلك."),
        ("سامي المثال", "رأوا مثال، سامي، هناك."),
        ("ليلى مثال", "وليلى المثال معهم، وكتاب لليلى مثال."),
        ("Sample Prisoner", "Sam**ple** Pris&shy;oner was seen."),
        (
            "سامي المثال",
            "https://example.org/%D8%B3%D8%A7%D9%85%D9%8A_%D8%A7%D9%84%D9%85%D8%AB%D8%A7%D9%84",
        ),
        ("Sample Prisoner", "They say sample  PRISONER was seen."),
        ("سامي المثال", "رأوا سَامِي المِثَال هناك."),
        ("Élise Exemple", "elise exemple a été vue."),
    ],
)
def test_a_story_that_tells_what_may_not_be_shown_is_not_approved(name, told):
    case = make_case()
    make_consent(case, scope_name=False)
    text = acts.write_text(case.pk, "en", person("author"), 1, {"name": name, "story": told}, [])
    with pytest.raises(acts.TellsTooMuch):
        review(text)
    acts.write_text(case.pk, "en", person("author"), 2, {"name": name, "story": "They."}, [])
    review(text)


def test_a_source_whose_title_tells_the_name_is_caught_too():
    case = make_case()
    make_consent(case, scope_name=False)
    source = SOURCE | {"url": "https://example.org/sample-prisoner-seen"}
    acts.write_facts(case.pk, person("author"), 1, FACTS, [source])
    with pytest.raises(acts.TellsTooMuch):
        decide(case.texts.get(), "first")
