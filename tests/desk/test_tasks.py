"""The desk's front page is ordered by what people came to do, and says what waits for them."""

import re

import pytest
from django.contrib import admin

from petition.cases import acts
from petition.desk import roles, tasks
from petition.models import Entry
from petition.paper import sheets
from petition.signing import lifecycle, moderation
from tests.cases.deciding import review, written
from tests.making import State, make_coordinator, make_person, make_signature

pytestmark = pytest.mark.django_db


def front_page(client, user, language="en") -> str:
    client.force_login(user)
    return client.get("/admin/", headers={"Accept-Language": language}).content.decode()


def waiting(page: str) -> list[str]:
    own = page.partition('class="desk-own"')[2].partition("</section>")[0]
    return [re.sub(r"</?bdi>", "", each) for each in re.findall(r"<li><a[^>]*>(.*?)</a>", own)]


def headings(page: str) -> list[str]:
    return re.findall(r'class="desk-task"[^>]*>\s*<h2[^>]*>([^<]+)</h2>', page)


def test_every_list_of_the_desk_belongs_to_one_task():
    lists = [model._meta.model_name for model in admin.site._registry]
    assert sorted(lists) == sorted(name for task in tasks.TASKS for name in task.models)


@pytest.mark.once
@pytest.mark.parametrize("role", roles.ROLES)
def test_each_role_finds_its_screens_under_its_tasks_and_no_others(client, role):
    page = front_page(client, make_coordinator(role))
    for task in tasks.TASKS:
        for door in task.doors:
            has = not door.permission or f"petition.{door.permission}" in roles.ROLES[role]
            assert (f'class="button" href="{door.address}"' in page) == has, door.title
    main = page.partition('id="content-main"')[2]
    for model in admin.site._registry:
        names = {
            f"{model._meta.app_label}.{act}_{model._meta.model_name}" for act in ("view", "change")
        }
        listed = f'/admin/{model._meta.app_label}/{model._meta.model_name}/">' in main
        assert listed == bool(names & set(roles.ROLES[role])), model


@pytest.mark.parametrize(
    ("language", "first"),
    [
        ("en", "Moderate signatures"),
        ("fr", "Modérer les signatures"),
        ("ar", "الإشراف على التوقيعات"),
    ],
)
def test_tasks_have_their_names_in_each_language(client, language, first):
    assert headings(front_page(client, make_coordinator("moderator"), language))[0] == first


def test_a_second_count_waits_for_whoever_has_not_counted(client):
    first, second = (make_coordinator("paper", username=name) for name in ("first", "second"))
    (sheet,) = sheets.make("ar", 1, first)
    assert waiting(front_page(client, second)) == []
    sheets.enter(sheet.number, first, country="MA", date="2026-03-01", valid=5, struck=0)
    assert waiting(front_page(client, second)) == ["Sheets to count again (1)"]
    assert waiting(front_page(client, first)) == []


def test_reviews_and_approvals_wait_for_those_who_may_give_them(client):
    author, other = make_person("author"), make_coordinator("cases", username="other")
    reader = make_coordinator("cases", username="reader")
    text = written(author)
    assert waiting(front_page(client, reader)) == ["Texts of profiles to review (1)"]
    review(text, "other")
    assert waiting(front_page(client, reader)) == ["Profiles to approve (1)"]
    text.refresh_from_db()
    acts.approve(text.pk, reader, (text.case.revision, text.revision))
    assert waiting(front_page(client, reader)) == []
    assert waiting(front_page(client, other)) == ["Profiles to approve (1)"]


def test_who_wrote_a_case_is_not_asked_to_decide_about_it(client):
    author = make_coordinator("cases", username="author")
    written(author)
    assert waiting(front_page(client, author)) == []


def test_what_somebody_suspended_waits_for_them_until_it_is_decided(client):
    mine, theirs = (make_coordinator("moderator", username=name) for name in ("mine", "theirs"))
    signature = make_signature(state=State.COUNTED)
    moderation.hold(signature, mine, "automated", "")
    assert Entry.objects.get().act == "hold"
    assert waiting(front_page(client, mine)) == ["Signatures that you suspended (1)"]
    assert waiting(front_page(client, theirs)) == []
    signature.refresh_from_db()
    lifecycle.move(signature, State.COUNTED)
    assert waiting(front_page(client, mine)) == []
