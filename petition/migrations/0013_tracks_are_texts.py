"""What a track says becomes a text as all others are; its own model goes."""

from django.db import migrations, models


def copy(apps, schema_editor):
    text = apps.get_model("petition", "Text")
    for row in apps.get_model("petition", "TrackText").objects.all():
        words = {"title": row.title, "summary": row.summary, "body": row.body}
        text.objects.update_or_create(slug=row.track_id, language=row.language, defaults=words)


def forget(apps, schema_editor):
    """With its content type go its permissions, also from the roles that had them."""
    types = apps.get_model("contenttypes", "ContentType")
    types.objects.filter(app_label="petition", model="tracktext").delete()


class Migration(migrations.Migration):
    dependencies = [
        ("petition", "0012_about_says_how_paper_counts"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        # Its entries point to content types.
        ("admin", "0003_logentry_add_action_flag_choices"),
    ]

    operations = [
        migrations.AlterField(
            model_name="text",
            name="slug",
            field=models.CharField(
                choices=[
                    ("appeal", "The appeal"),
                    ("fate", "Track: fate"),
                    ("legislation", "Track: legislation"),
                    ("protection", "Track: protection"),
                    ("about", "About"),
                    ("privacy", "Privacy"),
                ],
                max_length=20,
                verbose_name="where it stands",
            ),
        ),
        migrations.RunPython(copy, migrations.RunPython.noop, elidable=False),
        migrations.DeleteModel("TrackText"),
        migrations.RunPython(forget, migrations.RunPython.noop, elidable=False),
    ]
