"""Lay the texts that are new, put the newer wording where nobody has edited the former one, and
begin the history of each text."""

from django.db import migrations

from petition.campaign import texts

# SHA-256 of what was shipped before.
FORMER = {
    "privacy": {
        "ar": "d353d049131d7477e861885f319479f9e959046e3ed2c12fbcc4a0be9a3eb9b8",
        "fr": "da87bdb9a2f2ad1ca44cd5111378e2a94ece5ca6cead8eacf6e6959471d50618",
        "en": "ecbacf3fda739048e97c895a6f61d615d7754db51b7381e989f3f33f77f0c7c8",
    },
    "about": {
        "ar": "7e86f77ad754cd8418b77852f497b95bbf44c61f9b106afbdfd12fd93843b889",
        "fr": "ba75db4cfe4b74f156f544df1c5d3096672d9fee8b9bfca0f0232b8402ccbc98",
        "en": "91f41dd5d1d2c16311e9b5cb23fd4b7e819d42b44aeaac4ed290980729148e5c",
    },
    "appeal": {
        "ar": "eac488caa038fedbae529ee9c74720501c5eaecdc27ac053cb5ef2cc81defb7c",
        "fr": "f3428ae27b228b8e280ab5ab88cd460be6044f0d91863c765072db9bd0ba6fb5",
        "en": "ed4408900df0fd56f074255032cab082bfd7b681c7713655abc9b1de19ecd587",
    },
    "legislation": {
        "ar": "47dd3014797343a34770815a48326cbd5b96424389815ba04dfd07a4de34ac6f",
        "fr": "a7b42423fdc84359de0f1f2129b376cd57c68c7c5a857566755cdd88c6e8dca8",
        "en": "4ea2eb57307e7010f7727ae298b5de3ca121384c7c71551378a5cd937c690e75",
    },
}
FORMER_SUMMARY = "من أجل الكشف عن مصير آلاف المعتقلين وضحايا الاختفاء القسري، وعن أماكن وجودهم."


def lay(apps, schema_editor):
    # In this order: the former shipped text would else be taken for an edited one.
    for slug, former in FORMER.items():
        texts.replace_shipped_text(apps, slug, former)
    fate = apps.get_model("petition", "Text").objects.filter(slug="fate", language="ar")
    fate.filter(summary=FORMER_SUMMARY).update(summary=texts.shipped("fate", "ar").summary)
    texts.lay_shipped_texts(apps)


class Migration(migrations.Migration):
    dependencies = [("petition", "0014_texts_have_a_history")]

    operations = [migrations.RunPython(lay, migrations.RunPython.noop, elidable=False)]
