"""Moderators get what judging mail domains brought."""

from django.db import migrations

from petition.desk import roles


def lay_roles(apps, schema_editor):
    roles.lay(apps)


class Migration(migrations.Migration):
    dependencies = [("petition", "0040_judged_mail_domains")]

    operations = [migrations.RunPython(lay_roles, migrations.RunPython.noop, elidable=False)]
