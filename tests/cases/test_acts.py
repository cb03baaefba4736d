"""What coordinators do to a prisoner case, and what has to be so before it is public."""

from datetime import date, timedelta

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone

from petition.cases import acts, profiles, rules
from petition.cases.rules import Missing
from petition.models import Approval, Case, CaseText, Consent, Entry, Portrait, Rendition
from tests.making import (
    drawn_picture,
    make_case,
    make_consent,
    make_person,
)
from tests.signing.test_races import at_once

pytestmark = pytest.mark.django_db

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


@pytest.fixture
def author():
    return make_person("author")


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


def test_a_case_becomes_public_when_each_has_done_their_part(author):
    text = written(author)
    assert missing(text.case) == [Missing.RISK, Missing.REVIEW, Missing.APPROVALS]
    review(text)
    acts.review_risk(text.case_id, person("reviewer"), may_be_public=True, note="weighed")
    decide(text, "first")
    assert missing(text.case) == [Missing.APPROVALS]
    assert not rules.public().exists()
    decide(text, "second")
    assert missing(text.case) == []
    assert profiles.profile(text.case.slug, "en").title == "Sample Prisoner"
    done = list(Entry.objects.order_by("number").values_list("act", flat=True))
    assert done == ["case", "case", "review", "risk", "approve", "approve"]


def test_an_author_reviews_and_approves_nothing_of_their_own(author):
    text = written(author)
    with pytest.raises(acts.IsAnAuthor):
        acts.review(text.pk, author, 1)
    review(text)
    with pytest.raises(acts.IsAnAuthor):
        acts.approve(text.pk, author, (1, 1))
    assert not Approval.objects.exists()


def test_who_wrote_the_facts_does_not_approve_the_words_of_another(author):
    text = written(author)
    case = text.case
    acts.write_facts(case.pk, person("second author"), 1, FACTS, [SOURCE])
    review(text)
    with pytest.raises(acts.IsAnAuthor):
        decide(text, "second author")


def test_the_same_person_approves_once(author):
    text = written(author)
    review(text)
    decide(text, "first")
    with pytest.raises(acts.ApprovedAlready):
        decide(text, "first")
    assert Approval.objects.count() == 1


def test_nothing_is_approved_that_nobody_has_reviewed(author):
    text = written(author)
    with pytest.raises(acts.NotReviewed):
        decide(text, "first")


def test_a_change_of_the_story_voids_its_review_and_approvals():
    case = make_case("en", "fr")
    text = case.texts.get(language="en")
    acts.write_text(case.pk, "en", person("author"), 1, WORDS | {"story": "Another."}, [])
    assert missing(case) == [Missing.REVIEW, Missing.APPROVALS]
    assert missing(case, "fr") == []
    review(text)
    decide(text, "first", "second")  # The same two may approve what is new.
    assert missing(case) == []


def test_a_change_of_the_facts_voids_the_approvals_in_every_language():
    case = make_case("en", "fr")
    acts.write_facts(case.pk, person("author"), 1, FACTS, [SOURCE])
    assert missing(case) == missing(case, "fr") == [Missing.APPROVALS]


def test_what_was_changed_meanwhile_is_not_written_over_nor_approved(author):
    text = written(author)
    acts.write_text(text.case_id, "en", author, 1, WORDS | {"story": "Newer."}, [])
    with pytest.raises(acts.ChangedMeanwhile):
        acts.write_text(text.case_id, "en", author, 1, WORDS | {"story": "Older."}, [])
    with pytest.raises(acts.ChangedMeanwhile):
        acts.review(text.pk, person("reviewer"), 1)
    with pytest.raises(acts.ChangedMeanwhile):
        acts.approve(text.pk, person("first"), (1, 1))
    with pytest.raises(acts.ChangedMeanwhile):
        acts.write_facts(text.case_id, author, 7, FACTS, [])
    with pytest.raises(acts.ChangedMeanwhile):
        acts.set_portrait(text.case_id, author, 7, drawn_picture())
    text.refresh_from_db()
    assert text.story == "Newer."


def test_without_a_source_it_is_not_public():
    case = make_case()
    case.sources.all().delete()
    assert missing(case) == [Missing.SOURCE]


def test_a_risk_review_holds_for_ninety_days():
    case = make_case()
    text, reviewed = case.texts.get(), case.risk_review.at
    assert rules.why_not(text, reviewed + timedelta(days=90, seconds=-1)) == []
    assert rules.why_not(text, reviewed + timedelta(days=90)) == [Missing.RISK]


def test_a_risk_that_is_too_high_hides_at_once():
    case = make_case()
    acts.review_risk(case.pk, person("author"), may_be_public=False, note="not now")
    assert missing(case) == [Missing.RISK, Missing.APPROVALS]
    with pytest.raises(acts.IsAnAuthor):
        acts.review_risk(case.pk, person("author"), may_be_public=True, note="but now")
    acts.review_risk(case.pk, person("reviewer"), may_be_public=True, note="weighed again")
    assert missing(case) == [Missing.APPROVALS]


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


def hide_name_and_place(case: Case) -> None:
    make_consent(case, scope_name=False, scope_place=False)


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


def test_one_takes_down_and_two_others_put_back():
    case = make_case()
    acts.take_down(case.pk, person("anybody"), "a call from the family")
    assert missing(case) == [Missing.NOT_TAKEN_DOWN]
    with pytest.raises(profiles.TakenDown):
        profiles.profile(case.slug, "en")
    with pytest.raises(acts.TookItDown):
        acts.put_back(case.pk, person("anybody"))
    assert not acts.put_back(case.pk, person("first"))
    with pytest.raises(acts.AgreedAlready):
        acts.put_back(case.pk, person("first"))
    assert missing(case) == [Missing.NOT_TAKEN_DOWN]
    # Somebody knows more: who has agreed has to agree again, knowing it too.
    acts.take_down(case.pk, person("third"), "another call")
    case.refresh_from_db()
    assert case.take_down.reason == "a call from the family · another call"
    assert not acts.put_back(case.pk, person("second"))
    assert acts.put_back(case.pk, person("first"))
    assert missing(case) == []
    with pytest.raises(acts.NotTakenDown):
        acts.put_back(case.pk, person("second"))
    assert not Entry.objects.filter(detail__icontains="family").exists()


def test_what_lapses_within_a_fortnight_is_said_before():
    case = make_case()
    assert not rules.lapsing().exists()
    make_consent(case, valid_until=timezone.now() + timedelta(days=13))
    assert rules.lapsing().get() == case
    make_consent(case)
    lapse = case.risk_review.at + timedelta(days=90)
    assert rules.lapses_at(case) == lapse
    assert rules.lapsing(lapse - timedelta(days=13)).get() == case
    assert not rules.lapsing(lapse).exists()  # It has disappeared.


def test_a_portrait_is_kept_as_clean_copies_and_replaced_as_a_whole():
    case = make_case()
    acts.set_portrait(case.pk, person("author"), 1, drawn_picture())
    former = Portrait.objects.get().token
    assert set(Rendition.objects.values_list("format", flat=True)) == {"avif", "webp", "jpeg"}
    acts.set_portrait(case.pk, person("author"), 2, drawn_picture(800, 1000))
    assert Portrait.objects.get().token != former
    assert missing(case) == [Missing.APPROVALS]
    acts.remove_portrait(case.pk, person("author"))
    assert not Rendition.objects.exists()


def test_a_removed_portrait_voids_approvals():
    case = make_case()
    acts.set_portrait(case.pk, person("author"), 1, drawn_picture())
    decide(case.texts.get(), "first", "second")
    acts.remove_portrait(case.pk, person("author"))
    assert missing(case) == [Missing.APPROVALS]


def test_what_is_erased_meanwhile_is_said_to_be_gone():
    case = make_case()
    text = case.texts.get()
    acts.erase(case.pk, person("administrator"), "asked")
    for act in (
        lambda: acts.take_down(case.pk, person("first"), "danger"),
        lambda: acts.approve(text.pk, person("first"), (1, 1)),
    ):
        with pytest.raises(acts.Gone):
            act()


def test_an_erased_case_is_gone_with_all_that_was_known():
    case = make_case()
    acts.take_down(case.pk, person("anybody"), "asked for")
    acts.erase(case.pk, person("administrator"), "asked by the family")
    assert not Case.objects.exists()
    assert not Consent.objects.exists()
    assert Entry.objects.last().subject == acts.subject(case)


@pytest.mark.postgres
@pytest.mark.usefixtures("committed")
@pytest.mark.django_db(transaction=True)
def test_an_approval_at_the_moment_of_a_change_is_of_what_was_seen_or_refused():
    case = make_case()
    text = case.texts.get()
    Approval.objects.filter(by__username="second").delete()

    def approve():
        try:
            acts.approve(text.pk, person("second"), (1, 1))
        except acts.Refused:
            return "refused"
        return "approved"

    def change():
        acts.write_text(case.pk, "en", person("author"), 1, WORDS, [])
        return "changed"

    at_once([approve, change])
    assert Missing.APPROVALS in missing(case)
    assert not rules.public().exists()


# --- Read and changed at the same moment ---------------------------------------------------------


def test_what_is_saved_while_a_profile_is_read_is_not_shown_unapproved():
    case = make_case()
    done = []

    def save_meanwhile(execute, sql, *args):
        if 'FROM "petition_caseupdate"' in sql and not done:
            done.append(True)
            update = {"day": date(2026, 4, 1), "body": "Nobody has read this."}
            acts.write_text(case.pk, "en", person("author"), 1, WORDS, [update])
        return execute(sql, *args)

    with connection.execute_wrapper(save_meanwhile), pytest.raises(profiles.Unknown):
        profiles.profile(case.slug, "en")
    assert done
