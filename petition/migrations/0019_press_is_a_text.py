"""How the number is made, on the page for the press, becomes a text that editors can change."""

from django.db import migrations, models

from petition.campaign import texts


def lay(apps, schema_editor):
    texts.lay_shipped_texts(apps)


class Migration(migrations.Migration):
    dependencies = [("petition", "0018_history")]

    operations = [
        migrations.AlterField(
            model_name="text",
            name="slug",
            field=models.CharField(
                choices=[
                    ("site", "Name of the campaign, on every page"),
                    ("appeal", "The appeal"),
                    ("tracks", "The three tracks"),
                    ("fate", "Track: fate"),
                    ("legislation", "Track: legislation"),
                    ("protection", "Track: protection"),
                    ("asks", "What is asked, on the pages of the tracks"),
                    ("counting", "Who runs it, on the home page"),
                    ("thanks", "Thanks after the confirmation"),
                    ("cases", "Beginning of the page of profiles"),
                    ("news", "Beginning of the page of news"),
                    ("press", "Press: how the number is made"),
                    ("about", "About"),
                    ("privacy", "Privacy"),
                ],
                max_length=20,
                verbose_name="where it stands",
            ),
        ),
        migrations.RunPython(lay, migrations.RunPython.noop, elidable=False),
    ]
