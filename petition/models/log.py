"""The log that anyone can check, as it is stored."""

from django.db import models
from django.utils import timezone


class LogEvent(models.Model):
    """A change of the count that waits to become an entry: written in the transaction that makes
    the change, and deleted in the one that appends it."""

    line = models.CharField(max_length=160)
    # What the entry's commitment hides, sealed; none where it binds a mailbox.
    opening = models.BinaryField(null=True)

    class Meta:
        default_permissions = ()

    def __str__(self):
        return self.line


class LogTile(models.Model):
    """256 hashes of a level of the tree, or as many as there are yet; at level -1 a bundle of
    entries, each behind its length in two bytes."""

    ENTRIES = -1

    level = models.SmallIntegerField()
    number = models.BigIntegerField()
    data = models.BinaryField()
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ()
        constraints = [models.UniqueConstraint(fields=["level", "number"], name="one_tile_a_place")]

    def __str__(self):
        return f"{self.level}/{self.number}"


class LogHead(models.Model):
    """Where the log stands; one row. `online` and `paper` are the sums of its entries."""

    size = models.BigIntegerField(default=0)
    online = models.BigIntegerField(default=0)
    paper = models.BigIntegerField(default=0)
    rules = models.PositiveSmallIntegerField(default=0)
    total_at = models.DateTimeField(null=True)
    signed_at = models.DateTimeField(null=True)
    checkpoint = models.TextField(blank=True)  # A signed note, with its cosignatures.

    class Meta:
        default_permissions = ()

    def __str__(self):
        return f"{self.size} entries"


class LogOpening(models.Model):
    """What the commitment of an entry hides, for an auditor: sealed with the data keys."""

    index = models.BigIntegerField(primary_key=True)
    sealed = models.BinaryField()

    class Meta:
        default_permissions = ()

    def __str__(self):
        return str(self.index)


class LogWitness(models.Model):
    """How far a witness has followed the log."""

    url = models.CharField(max_length=200, unique=True)
    size = models.BigIntegerField(default=0)

    class Meta:
        default_permissions = ()

    def __str__(self):
        return self.url
