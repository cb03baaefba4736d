"""The page about the campaign says how paper is counted, where nobody has edited it."""

from django.db import migrations

from petition.campaign.texts import replace_shipped_text

FORMER_ABOUT = {
    "ar": "ea0e7dbd70f2cabe53abadc962e8568d69c2c8dab0816eefaf50d8d1949f6f9e",
    "fr": "2cbfda498d7ddabf654b2e4a078f3fe168b95ae83c64ec32e19ab1a06f495a63",
    "en": "d3978a1e26dafabda6fc89f0a62babcf703eb3084e116468afef50b9836e7003",
}


def replace(apps, schema_editor):
    replace_shipped_text(apps, "about", FORMER_ABOUT)


class Migration(migrations.Migration):
    dependencies = [("petition", "0011_audit_of_texts")]

    operations = [migrations.RunPython(replace, migrations.RunPython.noop, elidable=False)]
