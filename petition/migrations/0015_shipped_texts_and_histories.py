"""Lay the texts that are new, say in the one about privacy what is kept of news and of consents
where nobody has edited it, and begin the history of each text."""

from django.db import migrations

from petition.campaign import lay_shipped_texts, replace_shipped_text

FORMER_PRIVACY = {
    "ar": "d353d049131d7477e861885f319479f9e959046e3ed2c12fbcc4a0be9a3eb9b8",
    "fr": "da87bdb9a2f2ad1ca44cd5111378e2a94ece5ca6cead8eacf6e6959471d50618",
    "en": "ecbacf3fda739048e97c895a6f61d615d7754db51b7381e989f3f33f77f0c7c8",
}


def lay(apps, schema_editor):
    # In this order: the former shipped text would else be taken for an edited one.
    replace_shipped_text(apps, "privacy", FORMER_PRIVACY)
    lay_shipped_texts(apps)


class Migration(migrations.Migration):
    dependencies = [("petition", "0014_texts_have_a_history")]

    operations = [migrations.RunPython(lay, migrations.RunPython.noop, elidable=False)]
