"""The page about privacy says how news is sent, where nobody has edited it."""

from django.db import migrations

from petition.campaign import replace_shipped_text

FORMER_PRIVACY = {
    "ar": "d353d049131d7477e861885f319479f9e959046e3ed2c12fbcc4a0be9a3eb9b8",
    "fr": "da87bdb9a2f2ad1ca44cd5111378e2a94ece5ca6cead8eacf6e6959471d50618",
    "en": "ecbacf3fda739048e97c895a6f61d615d7754db51b7381e989f3f33f77f0c7c8",
}


def replace(apps, schema_editor):
    replace_shipped_text(apps, "privacy", FORMER_PRIVACY)


class Migration(migrations.Migration):
    dependencies = [("petition", "0021_news_roles")]

    operations = [migrations.RunPython(replace, migrations.RunPython.noop, elidable=False)]
