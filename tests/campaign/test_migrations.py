"""A site that stood before: its words, edited or not, come through the migrations."""

import pytest
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

from petition.models import Text

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("committed")]

BEFORE = [("petition", "0012_about_says_how_paper_counts")]


def migrate(targets):
    """To a state of before, or to the newest; returns the registry of that state."""
    executor = MigrationExecutor(connection)
    executor.migrate(targets or executor.loader.graph.leaf_nodes())
    return executor.loader.project_state(targets).apps if targets else None


@pytest.fixture
def before():
    """The database as the release before left it, in which tracks had texts of their own."""
    apps = migrate(BEFORE)
    text, track_text = apps.get_model("petition", "Text"), apps.get_model("petition", "TrackText")
    for row in text.objects.filter(slug__in=["fate", "legislation", "protection"]):
        words = {"title": row.title, "summary": row.summary, "body": row.body}
        track_text.objects.create(track_id=row.slug, language=row.language, **words)
    text.objects.exclude(slug__in=["appeal", "about", "privacy"]).delete()
    yield apps
    migrate(None)


def test_what_was_edited_of_a_track_is_kept(before):
    texts = before.get_model("petition", "TrackText").objects
    texts.filter(track_id="fate", language="ar").update(title="عنوان من قبل", body="نصّ من قبل")
    migrate(None)
    kept = Text.objects.get(slug="fate", language="ar")
    assert (kept.title, kept.body) == ("عنوان من قبل", "نصّ من قبل")
    assert Text.objects.filter(slug="fate").count() == 3


def test_nothing_is_left_of_the_former_model(before):
    kind, _ = before.get_model("contenttypes", "ContentType").objects.get_or_create(
        app_label="petition", model="tracktext"
    )
    permission = before.get_model("auth", "Permission").objects.create(
        content_type=kind, codename="view_tracktext", name="Can view text of a track"
    )
    before.get_model("auth", "Group").objects.get(name="editor").permissions.add(permission)
    migrate(None)
    assert not ContentType.objects.filter(model="tracktext").exists()
    assert not Permission.objects.filter(codename="view_tracktext").exists()
    assert not Group.objects.filter(permissions=permission.pk).exists()
