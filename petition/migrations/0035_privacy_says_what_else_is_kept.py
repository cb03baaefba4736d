"""The privacy text says what versions, challenge and log keep, and that a copy can be had.

Where nobody has edited the former text.
"""

from django.db import migrations

from petition.campaign import texts

# SHA-256 of the body as it was shipped before.
FORMER = {
    "ar": "07b3913be0348fddc0c3f5ac85df765e6c85cbcf5b69ae03bc8ede60dbd07c96",
    "fr": "3ba6b47ccf5e269cd2890a4f74e5a9efd8d0a386376c7debf203e08f1b6342de",
    "en": "e192291ee57a982bdbcda7c733d1ff274af2993f75c8c718727092285571608d",
}


def lay(apps, schema_editor):
    texts.replace_shipped_text(apps, "privacy", FORMER)


class Migration(migrations.Migration):
    dependencies = [("petition", "0034_no_letters_after_a_complaint")]

    operations = [migrations.RunPython(lay, migrations.RunPython.noop, elidable=False)]
