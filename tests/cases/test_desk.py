"""Prisoner cases at the desk: what a volunteer types, is told, and never loses."""

from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse
from django.utils import timezone, translation

from petition.cases import acts
from petition.cases.rules import Missing
from petition.models import Case, Consent, Portrait
from tests.cases.deciding import FACTS, SOURCE, WORDS, hide_name_and_place, person, written
from tests.making import make_case, make_consent, make_coordinator, make_text

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(client):
    user = make_coordinator("cases")
    client.force_login(user)
    client.user = user
    return client


def path(name: str, *args) -> str:
    return reverse(f"admin:petition_case_{name}", args=args)


def formset(prefix: str, *rows: dict, initial: int = 0) -> dict:
    posted = {f"{prefix}-TOTAL_FORMS": len(rows), f"{prefix}-INITIAL_FORMS": initial}
    for number, row in enumerate(rows):
        posted |= {f"{prefix}-{number}-{name}": value for name, value in row.items()}
    return posted


def test_a_case_is_opened_written_and_given_a_consent_at_the_desk(desk):
    facts = {name: value for name, value in FACTS.items() if name != "track_id"}
    posted = facts | {"track": "fate", "seen": 0} | formset("sources", SOURCE)
    posted |= {"since_certainty": "reported", "place_certainty": "reported"}
    posted = {name: value for name, value in posted.items() if value is not False}
    response = desk.post(path("new"), posted)
    case = Case.objects.get()
    assert response["Location"] == path("change", case.pk)
    assert (case.track_id, case.sources.get().title) == ("fate", "Sample report")
    words = WORDS | {"seen": 0} | formset("updates", {"day": "2026-04-01", "body": "Moved."})
    assert desk.post(path("text", case.pk, "ar"), words).status_code == 302
    assert case.texts.get().updates.get().body == "Moved."
    given = timezone.now().strftime("%Y-%m-%dT%H:%M")
    consent = {
        "giver": "parent", "why_not_person": "Held without contact", "method": "call",
        "language": "ar", "given_at": given, "valid_until": "2099-01-01T12:00",
        "explained_copies": "on", "explained_worst_case": "on", "explained_withdrawal": "on",
        "scope_story": "on", "evidence": "F-1",
    }  # fmt: skip
    assert desk.post(path("consent", case.pk), consent).status_code == 302
    case.refresh_from_db()
    assert case.consent.scopes == (False, False, False, False, False, True, False)
    page = desk.get(path("change", case.pk)).content.decode()
    with translation.override("ar"):
        assert str(Missing.REVIEW.label) in page


def test_a_consent_that_was_not_explained_is_not_recorded_and_nothing_typed_is_lost(desk):
    case = make_case()
    posted = {"giver": "parent", "method": "call", "evidence": "F-2", "explained_copies": "on"}
    page = desk.post(path("consent", case.pk), posted).content.decode()
    assert 'value="F-2"' in page
    assert Consent.objects.count() == 1


def test_who_writes_over_another_is_told_and_keeps_what_they_typed(desk):
    case = make_case()
    acts.write_text(case.pk, "en", person("author"), 1, WORDS, [])
    posted = {"story": "What I typed.", "seen": 1} | formset("updates")
    response = desk.post(path("text", case.pk, "en"), posted)
    assert "What I typed." in response.content.decode()
    assert str(acts.ChangedMeanwhile.says) in response.content.decode()
    assert case.texts.get().story == "A sample story."
    # Having looked, they save once more, on purpose.
    assert 'name="seen" value="2"' in response.content.decode()


def test_an_author_is_told_at_the_desk_that_others_decide(desk):
    text = written(desk.user)
    posted = {"case_seen": 1, "text_seen": 1}
    page = desk.post(path("review", text.case_id, "en"), posted).content.decode()
    assert str(acts.IsAnAuthor.says) in page
    assert text.approvals.count() == 0


def test_a_file_that_is_no_picture_is_refused_in_words(desk):
    case = make_case()
    file = SimpleUploadedFile("portrait.jpg", b"\x7fELF not a picture", "image/jpeg")
    response = desk.post(path("portrait", case.pk), {"file": file, "seen": 1})
    assert response.status_code == 200
    assert "JPEG" in response.content.decode()
    assert not Portrait.objects.exists()


@pytest.mark.parametrize(
    "pasted",
    [
        "https://petition.example.org/ar/cases/{}/?x=1",
        "https://petition.example.org/ar/cases/{}/share.png",
        "/en/cases/{}/#main",
        "{}",
        "\u2066https://petition.example.org/ar/cases/{}\u2069.",
        "({})",
    ],
)
def test_any_coordinator_takes_a_profile_down_by_its_address(client, pasted):
    case = make_case()
    client.force_login(make_coordinator("press", username="somebody"))
    address = pasted.format(case.slug)
    response = client.post(path("down"), {"address": address, "reason": "danger"})
    assert response["Location"] == reverse("admin:index")
    case.refresh_from_db()
    assert case.take_down.reason == "danger"


def test_the_front_page_says_what_waits_and_what_is_about_to_disappear(desk):
    case = make_case()
    make_consent(case, valid_until=timezone.now() + timedelta(days=3))
    make_text(case, "fr", revision=2, reviewed_revision=1)
    page = desk.get("/admin/").content.decode()
    for state in ("waiting", "lapsing"):
        assert f"{path('changelist')}?state={state}" in page
        listed = desk.get(path("changelist"), {"state": state}).content.decode()
        assert case.slug in listed
    assert case.slug not in desk.get(path("changelist"), {"state": "down"}).content.decode()


def test_the_list_names_nobody_whose_name_may_not_be_shown(desk):
    case = make_case(age_band="child")
    page = desk.get(path("changelist")).content.decode()
    assert case.slug in page
    assert "Sample Prisoner" not in page


def test_words_of_a_hidden_place_that_stand_alone_are_shown_to_who_reviews(desk):
    case = make_case()
    hide_name_and_place(case)
    case.texts.update(place="Megiddo Prison", story="He is held in Megiddo.")
    page = desk.get(path("review", case.pk, "en")).content.decode()
    assert "<bdi>megiddo</bdi>" in page


def test_the_second_who_agrees_reads_that_the_profile_is_no_longer_taken_down(client):
    case = make_case("ar")
    acts.take_down(case.pk, make_coordinator(username="taker"), "danger")
    said = []
    for name in ("one", "another"):
        client.force_login(make_coordinator("cases", username=name))
        english = {"Accept-Language": "en"}
        answer = client.post(
            path("put-back", case.pk), {"agree": "on"}, follow=True, headers=english
        )
        page = answer.content.decode()
        said += [("back when two have agreed" in page, "no longer taken down" in page)]
    assert said == [(True, False), (False, True)]


def test_the_preview_of_a_saved_text_says_who_sees_it_and_is_not_passed_on(desk):
    case = make_case("en")
    page = desk.get(path("preview", case.pk, "en")).content.decode()
    assert "Preview: seen by you alone." in page
    assert "Pass the address on" not in page
