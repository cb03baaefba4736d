"""What the sequencer of the log looks for; made while people sign."""

from django.db import migrations, models

from petition.ground import schema

INDEX = "counted_not_in_log"
ON = "petition_signature (id) WHERE NOT in_log AND state = 'counted'"


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("petition", "0030_reminders")]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[schema.index(INDEX, ON)],
            state_operations=[
                migrations.AddIndex(
                    model_name="signature",
                    index=models.Index(
                        condition=models.Q(("in_log", False), ("state", "counted")),
                        fields=["id"],
                        name="counted_not_in_log",
                    ),
                ),
            ],
        ),
    ]
