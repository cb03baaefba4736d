"""What was typed again for a mailbox whose signature waits for its owner."""

import uuid

from django.db import models
from django.utils import timezone

from petition.ground import languages
from petition.ground.fields import EncryptedField
from petition.models.campaign import ConsentText, Track
from petition.models.signatures import NAME, Signature


class Attempt(models.Model):
    """A later version of an unconfirmed signature, with a letter, a link and a code of its own.

    It changes nothing of the first version: somebody else may have typed it. Whichever version the
    owner confirms is the one that counts.
    """

    # What takes the person out of a row once one version was confirmed; links to it still answer.
    ERASED = {"name": None, "country": "", "track": None, "updates": False, "delivery": False}

    reference = models.UUIDField(unique=True, default=uuid.uuid4, editable=False)
    signature = models.ForeignKey(Signature, models.CASCADE, related_name="attempts")
    name = EncryptedField(purpose=NAME, row="reference", null=True)
    country = models.CharField(max_length=2, blank=True)
    track = models.ForeignKey(Track, models.PROTECT, null=True, blank=True, db_index=False)
    updates = models.BooleanField(default=False)
    delivery = models.BooleanField(default=False)
    consent = models.ForeignKey(ConsentText, models.PROTECT, db_index=False)
    language = models.CharField(max_length=2, choices=languages.CHOICES)
    passed_challenge = models.BooleanField(default=True, db_default=True, editable=False)
    signed_at = models.DateTimeField(default=timezone.now, db_index=True)

    class Meta:
        default_permissions = ()

    def __str__(self):
        return str(self.reference)

    def typed(self) -> dict:
        """The fields of a signature that this version has."""
        return {
            "name": self.name,
            "country": self.country,
            "track_id": self.track_id,
            "updates": self.updates,
            "delivery": self.delivery,
            "consent_id": self.consent_id,
            "language": self.language,
            "passed_challenge": self.passed_challenge,
        }
