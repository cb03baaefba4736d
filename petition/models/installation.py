"""What a database knows of the installation that it belongs to."""

from django.db import models


class Installation(models.Model):
    """One row: which data key is in use, by its fingerprint; which database this was when letters
    were last sent from it; whether pages stand still."""

    keys = models.BinaryField(null=True)
    database = models.CharField(max_length=60, blank=True)
    # Since when pages stand still (`manage.py crisis`).
    crisis_since = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ()

    def __str__(self):
        return self.database
