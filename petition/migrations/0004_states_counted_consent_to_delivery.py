"""Count the states that there are; lay the consent that speaks of delivery."""

from django.db import migrations
from django.db.models import Count

from petition.campaign.texts import lay_shipped_texts, replace_shipped_text

FORMER_PRIVACY = {
    "ar": "c31fddab275d7c4f4bfd5c594660c4b9262f31b315080df9c4dc3d2b1c5a0c01",
    "fr": "268e3bdc61b32fff8bfa5523b556ecb5deaba212ccc3c72cbceee65f91562bde",
    "en": "a5a3d4b6afac8f8652d0fb6632d1106eb1661fdabe10abf03a6856b9e5fed445",
}


def count_states(apps, schema_editor):
    tally = apps.get_model("petition", "Tally")
    states = apps.get_model("petition", "Signature").objects.exclude(state="counted")
    for row in states.values("state").annotate(count=Count("*")).order_by():
        tally.objects.create(dimension="state", value=row["state"], slot=0, count=row["count"])


def lay_texts(apps, schema_editor):
    lay_shipped_texts(apps)
    replace_shipped_text(apps, "privacy", FORMER_PRIVACY)


class Migration(migrations.Migration):
    dependencies = [("petition", "0003_states_channels_delivery")]

    operations = [
        migrations.RunPython(count_states, migrations.RunPython.noop, elidable=False),
        migrations.RunPython(lay_texts, migrations.RunPython.noop, elidable=False),
    ]
