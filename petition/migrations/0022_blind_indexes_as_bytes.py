"""Blind indexes of mailbox and domain as 16 bytes instead of 32 characters, while people sign.

On PostgreSQL the former columns stay, and a trigger keeps both the same: processes of the former
release find and refuse a known mailbox during the change and after a rollback. The next release
drops them. A new database has the new columns alone.
"""

from django.db import migrations, models

from petition.ground import schema
from petition.ground.fields import BlindIndexField

TABLE = "petition_signature"
BATCH = 2000
FORMER = ("by_language", "by_track", "by_confirmation", "by_state_but_counted")

# Whoever writes, writes one of the two columns: the one that changed tells the other.
SYNC = f"""
CREATE OR REPLACE FUNCTION petition_blind_indexes_agree() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.mailbox_index IS NULL THEN NEW.mailbox_index := decode(NEW.mailbox, 'hex'); END IF;
    IF NEW.domain_index IS NULL THEN NEW.domain_index := decode(nullif(NEW.domain, ''), 'hex');
    END IF;
  ELSE
    IF NEW.mailbox IS DISTINCT FROM OLD.mailbox THEN
      NEW.mailbox_index := decode(NEW.mailbox, 'hex');
    END IF;
    IF NEW.domain IS DISTINCT FROM OLD.domain THEN
      NEW.domain_index := decode(nullif(NEW.domain, ''), 'hex');
    END IF;
  END IF;
  NEW.mailbox := encode(NEW.mailbox_index, 'hex');
  NEW.domain := coalesce(encode(NEW.domain_index, 'hex'), '');
  RETURN NEW;
END $$;
CREATE OR REPLACE TRIGGER blind_indexes_agree BEFORE INSERT OR UPDATE ON {TABLE}
  FOR EACH ROW EXECUTE FUNCTION petition_blind_indexes_agree();
"""
END_SYNC = f"""
DROP TRIGGER IF EXISTS blind_indexes_agree ON {TABLE};
DROP FUNCTION IF EXISTS petition_blind_indexes_agree();
"""
ERASED = """(state = 'withdrawn' AND mailbox_index IS NULL AND name IS NULL AND email IS NULL
  AND domain_index IS NULL AND country = '')
  OR (state <> 'withdrawn' AND mailbox_index IS NOT NULL)"""


def to_bytes(apps, editor):
    if editor.connection.vendor == "postgresql":
        _add_columns(editor)
        return
    _convert(editor, lambda text: bytes.fromhex(text or "") or None)


def _convert(editor, convert):
    """SQLite keeps in a column whatever is written: the values change in place."""
    with editor.connection.cursor() as cursor:
        cursor.execute(f"SELECT id, mailbox_index, domain_index FROM {TABLE}")
        for pk, *values in cursor.fetchall():
            cursor.execute(
                f"UPDATE {TABLE} SET mailbox_index = %s, domain_index = %s WHERE id = %s",
                [*map(convert, values), pk],
            )


def _add_columns(editor):
    schema.alter(
        editor,
        f"ALTER TABLE {TABLE} ADD COLUMN IF NOT EXISTS mailbox_index bytea,"
        " ADD COLUMN IF NOT EXISTS domain_index bytea",
    )
    schema.alter(editor, SYNC)
    for span in schema.spans(editor, TABLE, BATCH):
        with editor.connection.cursor() as cursor:
            cursor.execute(
                f"UPDATE {TABLE} SET mailbox_index = decode(mailbox, 'hex'),"
                " domain_index = decode(nullif(domain, ''), 'hex')"
                " WHERE id BETWEEN %s AND %s AND mailbox_index IS NULL AND mailbox IS NOT NULL",
                span,
            )
    schema.create_index(editor, "one_signature_a_mailbox", f"{TABLE} (mailbox_index)", unique=True)
    schema.create_index(editor, "by_mail_domain", f"{TABLE} (domain_index)")
    schema.create_index(
        editor,
        "confirmed_by_time",
        f"{TABLE} (confirmed_at, id) WHERE confirmed_at IS NOT NULL",
    )
    schema.create_index(
        editor,
        "not_counted_by_state",
        f"{TABLE} (state, signed_at, id) INCLUDE (country, language, track_id, reason)"
        " WHERE state <> 'counted'",
    )
    _constrain(editor, "one_signature_a_mailbox", "UNIQUE USING INDEX one_signature_a_mailbox")
    _constrain(editor, "withdrawn_is_erased", f"CHECK ({ERASED}) NOT VALID")
    schema.alter(editor, f"ALTER TABLE {TABLE} VALIDATE CONSTRAINT withdrawn_is_erased")
    for name in (*FORMER, *_pattern_indexes(editor)):
        schema.drop_index(editor, name)
    if not _has_rows(editor):
        schema.alter(editor, f"{END_SYNC} ALTER TABLE {TABLE} DROP mailbox, DROP domain")


def _constrain(editor, name, rule):
    with editor.connection.cursor() as cursor:
        cursor.execute("SELECT 1 FROM pg_constraint WHERE conname = %s", [name])
        if not cursor.fetchone():
            schema.alter(editor, f"ALTER TABLE {TABLE} ADD CONSTRAINT {name} {rule}")


def _pattern_indexes(editor):
    """Django's index for LIKE on the mailbox, under the name that it made up; nothing used it."""
    with editor.connection.cursor() as cursor:
        cursor.execute(
            "SELECT indexname FROM pg_indexes WHERE tablename = %s AND indexname LIKE %s",
            [TABLE, r"%\_like"],
        )
        return [name for (name,) in cursor.fetchall()]


def _has_rows(editor):
    with editor.connection.cursor() as cursor:
        cursor.execute(f"SELECT EXISTS (SELECT FROM {TABLE})")
        return cursor.fetchone()[0]


def to_text(apps, editor):
    if editor.connection.vendor == "postgresql":
        _drop_columns(editor)
        return
    _convert(editor, lambda value: value and value.hex())


def _drop_columns(editor):
    """Back to text, for a rollback with `migrate`; by then nobody signs under the new release."""
    schema.alter(
        editor,
        f"{END_SYNC}"
        f"ALTER TABLE {TABLE} ADD COLUMN IF NOT EXISTS mailbox varchar(32) UNIQUE,"
        " ADD COLUMN IF NOT EXISTS domain varchar(32) NOT NULL DEFAULT '';"
        f"ALTER TABLE {TABLE} ALTER domain DROP DEFAULT;"
        f"UPDATE {TABLE} SET mailbox = encode(mailbox_index, 'hex'),"
        " domain = coalesce(encode(domain_index, 'hex'), '')"
        " WHERE mailbox IS DISTINCT FROM encode(mailbox_index, 'hex');"
        f"ALTER TABLE {TABLE} DROP mailbox_index, DROP domain_index",
    )
    schema.create_index(editor, "by_language", f"{TABLE} (language, signed_at, id)")
    schema.create_index(editor, "by_track", f"{TABLE} (track_id, signed_at, id)")
    schema.create_index(editor, "by_domain", f"{TABLE} (domain, signed_at, id)")
    schema.create_index(editor, "by_confirmation", f"{TABLE} (confirmed_at, id)")
    schema.create_index(
        editor,
        "by_state_but_counted",
        f"{TABLE} (state, signed_at, id) WHERE state <> 'counted'",
    )
    for name in ("confirmed_by_time", "not_counted_by_state"):
        schema.drop_index(editor, name)
    former = ERASED.replace("mailbox_index", "mailbox").replace(
        "domain_index IS NULL", "domain = ''"
    )
    _constrain(editor, "who_withdrew_is_erased", f"CHECK ({former})")


class NotOnPostgreSQL:
    """There `to_bytes` and `to_text` do it, without a long lock."""

    def database_forwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)

    def database_backwards(self, app_label, schema_editor, from_state, to_state):
        if schema_editor.connection.vendor != "postgresql":
            super().database_backwards(app_label, schema_editor, from_state, to_state)


class RemoveConstraint(NotOnPostgreSQL, migrations.RemoveConstraint):
    pass


class RemoveIndex(NotOnPostgreSQL, migrations.RemoveIndex):
    pass


class AlterField(NotOnPostgreSQL, migrations.AlterField):
    pass


class AddIndex(NotOnPostgreSQL, migrations.AddIndex):
    pass


class AddConstraint(NotOnPostgreSQL, migrations.AddConstraint):
    pass


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("petition", "0021_privacy_says_what_is_public")]

    operations = [
        RemoveConstraint("signature", "who_withdrew_is_erased"),
        RemoveIndex("signature", "by_language"),
        RemoveIndex("signature", "by_track"),
        RemoveIndex("signature", "by_domain"),
        RemoveIndex("signature", "by_confirmation"),
        RemoveIndex("signature", "by_state_but_counted"),
        AlterField(
            "signature",
            "domain",
            BlindIndexField("index of the mail domain", db_column="domain_index", null=True),
        ),
        AlterField(
            "signature",
            "mailbox",
            BlindIndexField(
                "index of the mailbox", db_column="mailbox_index", unique=True, null=True
            ),
        ),
        migrations.RunPython(to_bytes, to_text),
        AddIndex(
            "signature",
            models.Index(fields=["domain"], name="by_mail_domain"),
        ),
        AddIndex(
            "signature",
            models.Index(
                fields=["confirmed_at", "id"],
                condition=models.Q(confirmed_at__isnull=False),
                name="confirmed_by_time",
            ),
        ),
        AddIndex(
            "signature",
            models.Index(
                fields=["state", "signed_at", "id"],
                include=["country", "language", "track", "reason"],
                condition=~models.Q(state="counted"),
                name="not_counted_by_state",
            ),
        ),
        AddConstraint(
            "signature",
            models.CheckConstraint(
                name="withdrawn_is_erased",
                condition=models.Q(
                    state="withdrawn", mailbox=None, name=None, email=None, domain=None, country=""
                )
                | (~models.Q(state="withdrawn") & models.Q(mailbox__isnull=False)),
            ),
        ),
    ]
