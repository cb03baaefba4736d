"""How many letters a signature got lately, counted as of the moment of the call.

A statement sees the database as it was when the statement began. One that waited for another to
end, as for a second post with the same mailbox, would not see that one's letter, and the cap on
letters would not hold. Within a volatile function each query sees what is committed by then.
"""

from django.db import migrations

CREATE = """
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


def create(apps, editor):
    if editor.connection.vendor == "postgresql":
        editor.execute(CREATE)


def drop(apps, editor):
    if editor.connection.vendor == "postgresql":
        editor.execute("DROP FUNCTION IF EXISTS petition_recent_letters(bigint, timestamptz)")


class Migration(migrations.Migration):
    dependencies = [("petition", "0024_plainer_words")]
    operations = [migrations.RunPython(create, drop)]
