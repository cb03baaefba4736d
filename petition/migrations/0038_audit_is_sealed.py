"""The end of the audit is sealed with the data keys."""

from django.db import migrations, models

from petition.ground import encryption


def seal(apps, editor):
    """What is there is taken as it is: its head has been compared every day."""
    last = apps.get_model("petition", "Entry").objects.order_by("-number").first()
    if last:
        apps.get_model("petition", "AuditHead").objects.create(
            pk=1,
            number=last.number,
            seal=encryption.index(f"{last.number}:{last.hash}", "audit head"),
        )


class Migration(migrations.Migration):
    dependencies = [("petition", "0037_plainer_words_of_the_desk")]

    operations = [
        migrations.CreateModel(
            name="AuditHead",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveBigIntegerField()),
                ("seal", models.BinaryField()),
            ],
            options={"default_permissions": ()},
        ),
        migrations.RunPython(seal, migrations.RunPython.noop, elidable=True),
    ]
