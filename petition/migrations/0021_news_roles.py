"""Editors get what news brought."""

from django.db import migrations

from petition import roles


def lay_roles(apps, schema_editor):
    roles.lay(apps)


class Migration(migrations.Migration):
    dependencies = [("petition", "0020_news")]

    operations = [migrations.RunPython(lay_roles, migrations.RunPython.noop, elidable=False)]
