"""The campaign's words as editors change them: nothing typed is lost, nothing said is forgotten."""

import hashlib
import re
from datetime import timedelta

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission
from django.core.cache import caches
from django.utils import timezone
from django.utils.translation import override

from petition import audit
from petition.campaign import editing, texts
from petition.models import ConsentText, Entry, Text, TextVersion, Words
from tests.making import make_coordinator

pytestmark = pytest.mark.django_db

LIST = "/admin/petition/text/"
TYPED = Words("A title", "A summary", "Words.\n\n## A heading\n\n- one")


def about(language="en", slug="about") -> Text:
    return Text.objects.get(slug=slug, language=language)


def address(text: Text, rest: str = "change/") -> str:
    return f"{LIST}{text.pk}/{rest}"


def typed(words: Words = TYPED, seen: int = 1, **other) -> dict:
    return words._asdict() | {"seen": seen} | other


@pytest.fixture
def editor(client):
    user = make_coordinator("editor", username="editor")
    client.force_login(user)
    return user


def content(response) -> str:
    return response.content.decode()


# --- Acts -------------------------------------------------------------------------------------


def test_what_is_saved_is_a_version_and_an_entry(editor):
    saved = editing.save(about(), editor, TYPED, seen=1)
    assert about().words == TYPED
    assert (saved.number, saved.words, saved.origin, saved.by) == (2, TYPED, "edited", "editor")
    entry = Entry.objects.get()
    assert (entry.act, entry.actor, entry.subject) == ("text", "editor", "text about en")
    assert entry.detail == {"version": 2}
    assert audit.broken() == []


def test_saving_what_is_there_already_leaves_no_trace(editor):
    same = about().words
    spaced = same._replace(title=f" {same.title}  ", body=same.body.replace("\n", "\r\n") + "\r\n")
    assert editing.save(about(), editor, spaced, seen=1) is None
    assert TextVersion.objects.filter(text=about()).count() == 1
    assert not Entry.objects.exists()


def test_the_second_of_two_editors_is_refused(editor):
    editing.save(about(), editor, TYPED, seen=1)
    with pytest.raises(editing.ChangedMeanwhile):
        editing.save(about(), editor, TYPED._replace(title="Another"), seen=1)
    with pytest.raises(editing.ChangedMeanwhile):
        editing.restore_shipped(about(), editor, seen=1)
    assert about().words == TYPED
    assert Entry.objects.count() == 1


@pytest.mark.parametrize("field", ["title", "summary", "body"])
def test_a_text_is_not_left_without_one_of_its_parts(editor, field):
    with pytest.raises(editing.Missing) as refusal:
        editing.save(about(), editor, TYPED._replace(**{field: " \n "}), seen=1)
    assert refusal.value.field == field
    assert TextVersion.objects.filter(text=about()).count() == 1


@pytest.mark.parametrize("slug", ["site", "tracks"])
def test_a_text_of_which_the_page_shows_no_body_has_none(editor, slug):
    saved = editing.save(about(slug=slug), editor, TYPED, seen=1)
    assert saved.words == TYPED._replace(body="")


@pytest.mark.parametrize("body", ["# Top", "Words\n=====", "> # Top", "- # Top"])
def test_a_heading_of_the_pages_own_level_is_refused(editor, body):
    with pytest.raises(editing.HeadingTooHigh):
        editing.save(about(), editor, TYPED._replace(body=body), seen=1)


def test_restoring_says_again_what_was_said_and_forgets_nothing(editor):
    shipped = about().words
    editing.save(about(), editor, TYPED, seen=1)
    again = editing.restore(about().versions.get(number=1), editor, seen=2)
    assert (again.number, again.origin, about().words) == (3, "restored", shipped)
    editing.restore(about().versions.get(number=2), editor, seen=3)
    editing.restore_shipped(about(), editor, seen=4)
    assert about().words == shipped
    assert [v.number for v in about().versions.all()] == [5, 4, 3, 2, 1]
    details = [e.detail for e in Entry.objects.order_by("number")][1:]
    assert [d["restores"] for d in details] == [1, 2, "shipped"]


# --- Shipped texts and releases -----------------------------------------------------------------


def test_every_text_begins_with_the_shipped_one_as_its_first_version():
    assert Text.objects.count() == len(Text.Slug.values) * 3
    for text in Text.objects.all():
        first = text.versions.get()
        shipped = texts.shipped(text.slug, text.language)
        assert (first.number, first.origin, first.by) == (1, "shipped", "")
        assert first.words == text.words == shipped


def test_words_from_before_the_history_are_its_second_version():
    TextVersion.objects.filter(text=about()).delete()
    Text.objects.filter(pk=about().pk).update(title="Edited before")
    texts.lay_shipped_texts(apps)
    second, first = about().versions.all()
    assert (first.origin, second.origin, second.by) == ("shipped", "found", "")
    assert first.words == texts.shipped("about", "en")
    assert second.title == "Edited before"
    texts.lay_shipped_texts(apps)
    assert about().versions.count() == 2


def test_a_release_replaces_what_nobody_edited_and_nothing_else(editor):
    Text.objects.filter(slug="about").update(body="Shipped before.")
    editing.save(about("fr"), editor, TYPED, seen=1)
    digest = hashlib.sha256(b"Shipped before.").hexdigest()
    texts.replace_shipped_text(apps, "about", dict.fromkeys(("ar", "fr", "en"), digest))
    assert about("fr").words == TYPED
    assert about("en").words == texts.shipped("about", "en")
    newest = about("en").versions.first()
    assert (newest.number, newest.origin, newest.words) == (2, "shipped", about("en").words)


def test_a_false_summary_is_replaced_with_its_text(editor):
    former = Words(title="Privacy", summary="It encrypts what it keeps.", body="Before.")
    Text.objects.filter(slug="privacy", language="en").update(**former._asdict())
    digest = hashlib.sha256("\n".join(former).encode()).hexdigest()
    texts.replace_shipped_text(apps, "privacy", {"en": digest}, Words._fields)
    text = Text.objects.get(slug="privacy", language="en")
    assert text.words == texts.shipped("privacy", "en")
    assert "encrypts names and e-mail addresses" in text.summary


def test_the_newest_consent_says_that_the_country_is_not_encrypted():
    for language, unencrypted in (
        ("ar", "بلدي من غير تشفير"),
        ("fr", "mon pays sans chiffrement"),
        ("en", "my country unencrypted"),
    ):
        newest = ConsentText.objects.filter(language=language).order_by("-version").first()
        assert newest.version == 4
        assert unencrypted in newest.body


# --- Beside their translations -------------------------------------------------------------------


def standing(language, slug="about"):
    with override("en"):
        return next(s for s in editing.standings()[slug] if s.text.language == language)


def test_a_translation_is_marked_where_another_language_was_changed_later(editor):
    assert not any(s.newer or s.edited for rows in editing.standings().values() for s in rows)
    editing.save(about("ar"), editor, TYPED, seen=1)
    assert standing("ar").edited
    assert standing("ar").newer == []
    assert (standing("fr").newer, standing("fr").edited) == (["Arabic"], False)
    editing.save(about("fr"), editor, TYPED, seen=1)
    assert (standing("fr").newer, standing("ar").newer) == ([], ["French"])
    assert standing("en").newer == ["Arabic", "French"]


def test_translations_that_are_all_as_shipped_are_not_marked(editor):
    editing.save(about("ar"), editor, TYPED, seen=1)
    editing.restore_shipped(about("ar"), editor, seen=2)
    assert [s.newer for s in editing.standings()["about"]] == [[], [], []]


def test_the_list_says_how_each_text_stands(client, editor, django_assert_max_num_queries):
    editing.save(about("ar"), editor, TYPED, seen=1)
    with django_assert_max_num_queries(12):
        page = content(client.get(LIST, headers={"Accept-Language": "en"}))
    for text in Text.objects.all():
        assert address(text) in page
    row = re.search(rf'<a href="{address(about("ar"))}".*?</li>', page, re.S)[0]
    assert "Edited" in row
    assert "editor" in row
    row = re.search(rf'<a href="{address(about("fr"))}".*?</li>', page, re.S)[0]
    assert "Original text" in row
    assert "Arabic" in row


# --- The screens ---------------------------------------------------------------------------------


def test_an_editor_saves_and_the_page_says_it(client, editor):
    response = client.post(address(about()), typed(), follow=True)
    assert about().words == TYPED
    assert "editor" in content(response)
    caches["process"].clear()
    page = content(client.get("/en/about/"))
    assert "<h1>A title</h1>" in page
    assert "<h2>A heading</h2>" in page


def test_a_form_is_typed_in_the_direction_of_its_text(client, editor):
    page = content(client.get(address(about("ar")), headers={"Accept-Language": "fr"}))
    assert '<html lang="fr"' in page
    assert re.search(r'<textarea name="body"[^>]* lang="ar" dir="rtl"', page)
    assert re.search(r'<input type="hidden" name="seen" value="1"', page)


def test_the_second_editor_keeps_what_they_typed_and_sees_what_the_other_wrote(client, editor):
    editing.save(about(), make_coordinator(username="first"), TYPED, seen=1)
    mine = Words("A title", "A summary", "Words of the second.")
    page = content(client.post(address(about()), typed(mine), headers={"Accept-Language": "en"}))
    assert "Nothing was saved." in page
    assert re.search(r"<textarea name=\"body\"[^>]*>\s*Words of the second\.</textarea>", page)
    assert re.search(r"<ins>[^<]*second\.</ins>", page)
    assert re.search(r"<del>[^<]*A heading[^<]*</del>", page)
    assert about().words == TYPED
    # Whoever has seen that may save on top of it.
    seen = re.search(r'name="seen" value="(\d+)"', page)[1]
    assert client.post(address(about()), typed(mine, seen)).status_code == 302
    assert about().words == mine


def test_what_a_browser_makes_of_line_ends_is_no_difference(client, editor):
    editing.save(about(), editor, TYPED, seen=1)
    mine = TYPED._replace(summary="Mine", body=TYPED.body.replace("\n", "\r\n"))
    page = content(client.post(address(about()), typed(mine, seen=1)))
    assert page.count('class="desk-difference"') == 1
    assert "<ins>Mine</ins>" in page


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"title": ""}, "title"),
        ({"summary": " "}, "summary"),
        ({"body": "# Top"}, "body"),
        ({"title": "x" * 121}, "title"),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_the_rest_stays_typed(client, editor, wrong, field):
    response = client.post(address(about()), typed(**wrong))
    page = content(response)
    assert response.status_code == 200
    assert f'id="id_{field}_error"' in page
    assert "A summary" in page or field == "summary"
    assert about().versions.count() == 1


def test_a_preview_is_the_public_page_with_words_that_are_not_saved(client, editor):
    response = client.post(
        address(about("ar"), "preview/"), typed(Words("عنوان جديد", "ملخّص", "نصّ 12."))
    )
    page = content(response)
    assert '<html lang="ar" dir="rtl">' in page
    assert '<p class="preview"' in page
    assert "<h1>عنوان جديد</h1>" in page
    assert "نصّ <bdi>12</bdi>" in page
    assert "no-store" in response["Cache-Control"]
    assert "public" not in response["Cache-Control"]
    assert "stale" not in response["Cache-Control"]
    assert response["X-Robots-Tag"] == "noindex"
    assert response["Content-Language"] == "ar"
    assert "عنوان جديد" not in content(client.get("/ar/about/"))
    assert '<p class="preview"' not in content(client.get("/ar/about/"))
    assert about("ar").versions.count() == 1


@pytest.mark.parametrize("slug", Text.Slug.values)
@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_every_text_has_a_preview_that_shows_it(client, editor, language, slug):
    words = Words("Zz title", "Zz summary", "Zz <b>body</b>")
    page = content(client.post(address(about(language, slug), "preview/"), typed(words)))
    shown = {"site": words[:2], "tracks": words[:2]}.get(slug, [*words[:2], "Zz &lt;b&gt;body"])
    assert [part for part in shown if part not in page] == []


def test_a_preview_takes_what_is_not_finished(client, editor):
    response = client.post(address(about(), "preview/"), {"title": "", "body": "# Half"})
    assert response.status_code == 200
    assert client.get(address(about(), "preview/")).status_code == 405


def test_the_history_shows_who_changed_what(client, editor):
    editing.save(about("ar"), editor, TYPED._replace(title="عن حملتنا"), seen=1)
    page = content(client.get(address(about("ar"))))
    assert address(about("ar"), "versions/2/") in page
    page = content(client.get(address(about("ar"), "versions/2/")))
    assert '<div class="desk-difference" lang="ar" dir="rtl">' in page
    assert re.search(r"<del>الحملة</del><ins>حملتنا</ins>", page)
    assert client.get(address(about("ar"), "versions/9/")).status_code == 404


def test_a_version_and_the_shipped_text_are_restored_on_the_desk(client, editor):
    shipped = about().words
    editing.save(about(), editor, TYPED, seen=1)
    assert client.post(address(about(), "versions/1/"), {"seen": 2}).status_code == 302
    assert about().words == shipped
    editing.restore(about().versions.get(number=2), editor, seen=3)
    assert client.post(address(about(), "shipped/"), {"seen": 3}).status_code == 302
    assert about().words == TYPED  # The page that was looked at was an older one.
    assert client.post(address(about(), "shipped/"), {"seen": 4}).status_code == 302
    assert about().words == shipped


def test_who_may_only_read_texts_changes_none(client):
    user = make_coordinator()
    user.user_permissions.add(Permission.objects.get(codename="view_text"))
    client.force_login(user)
    editing.save(about(), make_coordinator(username="other"), TYPED, seen=1)
    page = content(client.get(address(about())))
    assert "A summary" in page
    assert 'name="body"' not in page
    for rest in ("change/", "preview/", "versions/1/", "shipped/"):
        assert client.post(address(about(), rest), typed(seen=2)).status_code == 403
    assert 'name="seen"' not in content(client.get(address(about(), "versions/1/")))
    assert about().versions.count() == 2


def test_nobody_writes_into_the_history(client, editor):
    for act in ("add/", f"{about().pk}/delete/"):
        assert client.post(LIST + act, {"post": "yes"}).status_code == 403
    assert client.get("/admin/petition/textversion/").status_code == 404
    assert client.post(f"{LIST}x/change/", typed()).status_code == 404


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_every_screen_of_texts_opens_in_every_language(client, editor, language):
    editing.save(about("ar"), editor, TYPED, seen=1)
    for path in (
        "",
        *(f"{about('ar').pk}/{rest}" for rest in ("change/", "versions/2/", "shipped/")),
    ):
        response = client.get(LIST + path, headers={"Accept-Language": language})
        assert response.status_code == 200
        assert f'lang="{language}"' in content(response)


def test_a_consent_text_has_no_way_to_be_changed_here(client, editor):
    text = ConsentText.objects.get(language="ar", version=2)
    assert client.post(f"/admin/petition/consenttext/{text.pk}/change/").status_code == 403


def test_an_older_change_does_not_mark_a_newer_translation(editor):
    editing.save(about("ar"), editor, TYPED, seen=1)
    editing.save(about("fr"), editor, TYPED, seen=1)
    TextVersion.objects.filter(text=about("fr")).update(at=timezone.now() - timedelta(days=1))
    assert standing("ar").newer == []
    assert standing("fr").newer == ["Arabic"]
