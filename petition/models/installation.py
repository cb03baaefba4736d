"""What a database knows of the installation that it belongs to."""

from django.db import models


class Installation(models.Model):
    """One row: which data key is in use, by its fingerprint, and which database this was when
    letters were last sent from it."""

    keys = models.BinaryField(null=True)
    database = models.CharField(max_length=60, blank=True)

    class Meta:
        default_permissions = ()

    def __str__(self):
        return self.database
