"""What coordinators do to a prisoner case, and what has to be so before it is public."""

from datetime import date, timedelta

import pytest
from django.db import connection
from django.utils import timezone

from petition.cases import acts, profiles, rules
from petition.cases.rules import Missing
from petition.models import Approval, Case, Consent, Entry, Portrait, Rendition
from tests.cases.deciding import FACTS, SOURCE, WORDS, decide, missing, person, review, written
from tests.making import (
    drawn_picture,
    make_case,
    make_consent,
)
from tests.signing.test_races import at_once

pytestmark = pytest.mark.django_db


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
