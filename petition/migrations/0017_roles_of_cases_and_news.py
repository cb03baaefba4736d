"""The roles get what prisoner cases and news brought."""

from django.db import migrations

from petition.desk import roles


def lay_roles(apps, schema_editor):
    roles.lay(apps)


class Migration(migrations.Migration):
    dependencies = [("petition", "0016_cases_and_news")]

    operations = [migrations.RunPython(lay_roles, migrations.RunPython.noop, elidable=False)]
