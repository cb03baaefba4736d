"""Lay the tracks, the texts, the consents, and a counter that stands at zero."""

from django.db import migrations

from petition.campaign.texts import lay_shipped_texts


def lay(apps, schema_editor):
    lay_shipped_texts(apps)
    apps.get_model("petition", "Tally").objects.get_or_create(dimension="total", value="", slot=0)


class Migration(migrations.Migration):
    dependencies = [("petition", "0001_signatures_letters_tallies_texts")]

    operations = [migrations.RunPython(lay, migrations.RunPython.noop, elidable=False)]
