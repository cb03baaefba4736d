"""Who called a letter spam gets no more: what is owed to them is withheld, as beyond the cap."""

from django.db import migrations

FORMER = """
CREATE OR REPLACE FUNCTION petition_recent_letters(signature bigint, since timestamptz)
RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN (
        SELECT count(*) FROM petition_letter
        WHERE signature_id = signature AND created_at > since
          AND mailing_id IS NULL AND state <> 'withheld'
    );
END $$
"""
PRESENT = """
CREATE OR REPLACE FUNCTION petition_recent_letters(signature bigint, since timestamptz)
RETURNS bigint LANGUAGE plpgsql VOLATILE AS $$
BEGIN
    RETURN (
        SELECT CASE WHEN bool_or(reply = 'complaint') THEN 1000 ELSE
          count(*) FILTER (
            WHERE created_at > since AND mailing_id IS NULL AND state <> 'withheld'
          ) END
        FROM petition_letter WHERE signature_id = signature
    );
END $$
"""


def run(statement):
    def change(apps, editor):
        if editor.connection.vendor == "postgresql":
            editor.execute(statement)

    return change


class Migration(migrations.Migration):
    dependencies = [("petition", "0033_heartbeats")]
    operations = [migrations.RunPython(run(PRESENT), run(FORMER))]
