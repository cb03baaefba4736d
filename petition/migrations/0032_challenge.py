"""Whether the browser solved what the form asked."""

from django.db import migrations, models

from petition.ground import schema

REASONS = [
    ("disposable", "disposable addresses"),
    ("automated", "filled in by a program"),
    ("repeated", "one person with several mailboxes"),
    ("name", "not the name of a person"),
    ("challenge", "signed without the check of the browser"),
    ("owner", "asked by the owner of the mailbox"),
    ("alias", "another spelling of a mailbox that has signed"),
    ("other", "another reason"),
]


def column(model: str, table: str) -> migrations.SeparateDatabaseAndState:
    return migrations.SeparateDatabaseAndState(
        database_operations=[schema.column(table, "passed_challenge", "boolean", "true")],
        state_operations=[
            migrations.AddField(
                model_name=model,
                name="passed_challenge",
                field=models.BooleanField(default=True, db_default=True, editable=False),
            )
        ],
    )


class Migration(migrations.Migration):
    atomic = False  # Each column waits for its table briefly, and tries again.
    dependencies = [("petition", "0031_index_of_what_the_log_lacks")]

    operations = [
        column("signature", "petition_signature"),
        column("attempt", "petition_attempt"),
        migrations.AlterField(
            "signature",
            "reason",
            models.CharField(
                "why held or rejected", max_length=10, choices=REASONS, blank=True, default=""
            ),
        ),
        migrations.AlterField(
            "sweep", "reason", models.CharField("reason", max_length=10, choices=REASONS)
        ),
        migrations.AlterField(
            "sweepmove",
            "was_reason",
            models.CharField(max_length=10, choices=REASONS, blank=True),
        ),
    ]
