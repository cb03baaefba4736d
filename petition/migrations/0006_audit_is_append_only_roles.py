"""PostgreSQL itself refuses to change what was appended to the audit; the roles as groups."""

from django.db import migrations

from petition.desk import roles

GUARD = """
CREATE OR REPLACE FUNCTION petition_audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN RAISE EXCEPTION 'The audit is append-only.'; END $$;
CREATE TRIGGER audit_is_not_changed BEFORE UPDATE OR DELETE ON petition_entry
  FOR EACH ROW EXECUTE FUNCTION petition_audit_is_append_only();
CREATE TRIGGER audit_is_not_emptied BEFORE TRUNCATE ON petition_entry
  FOR EACH STATEMENT EXECUTE FUNCTION petition_audit_is_append_only();
"""


UNGUARD = """
DROP TRIGGER audit_is_not_changed ON petition_entry;
DROP TRIGGER audit_is_not_emptied ON petition_entry;
DROP FUNCTION petition_audit_is_append_only();
"""


def unguard(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(UNGUARD)


def guard(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(GUARD)


def lay_roles(apps, schema_editor):
    roles.lay(apps)


class Migration(migrations.Migration):
    dependencies = [
        ("petition", "0005_audit"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]

    operations = [
        migrations.RunPython(guard, unguard, elidable=False),
        migrations.RunPython(lay_roles, migrations.RunPython.noop, elidable=False),
    ]
