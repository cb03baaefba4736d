"""One reminder a signature."""

from django.db import migrations, models

from petition.ground import schema

INDEX = "one_reminder_a_signature"
ON = "petition_letter (signature_id) WHERE kind = 'remind'"


class Migration(migrations.Migration):
    atomic = False  # The index is made while letters are owed.
    dependencies = [("petition", "0029_installation")]

    operations = [
        migrations.AlterField(
            model_name="letter",
            name="kind",
            field=models.CharField(
                choices=[
                    ("confirm", "asks to confirm"),
                    ("counted", "says that it is counted already"),
                    ("held", "says that it is set aside"),
                    ("news", "news"),
                    ("remind", "reminds to confirm"),
                ],
                max_length=10,
                verbose_name="kind",
            ),
        ),
        migrations.SeparateDatabaseAndState(
            database_operations=[schema.index(INDEX, ON, unique=True)],
            state_operations=[
                migrations.AddConstraint(
                    model_name="letter",
                    constraint=models.UniqueConstraint(
                        condition=models.Q(("kind", "remind")),
                        fields=("signature",),
                        name=INDEX,
                    ),
                ),
            ],
        ),
    ]
