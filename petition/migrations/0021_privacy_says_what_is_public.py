"""The privacy text says which figures are public, where nobody has edited the former one."""

from django.db import migrations

from petition.campaign import texts

# SHA-256 of what was shipped before.
FORMER = {
    "ar": "cc2b29ebe100c3e72d36d6851537088d53a9743cbdacd8c63d179b61b8989f59",
    "fr": "23f8ec91509a2b350152fa5c37f5a33f741bd892ca7322febf680ebe9b73a243",
    "en": "3e424f4c661330af0c6327118f4a609921b94ab247d92f8bea198638c60d8f9a",
}


def lay(apps, schema_editor):
    texts.replace_shipped_text(apps, "privacy", FORMER)


class Migration(migrations.Migration):
    dependencies = [("petition", "0020_milestones")]

    operations = [migrations.RunPython(lay, migrations.RunPython.noop, elidable=False)]
