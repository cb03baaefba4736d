"""Portraits of prisoners, re-encoded. They live in the database: whoever asks for one is asked
first whether it may be shown, and a backup holds all or nothing."""

import secrets

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from petition.models.cases import Case


def new_token() -> str:
    """128 random bits: the name of a picture says nothing and cannot be guessed."""
    return secrets.token_hex(16)


class Portrait(models.Model):
    """The picture of a case; the file that was sent is not kept."""

    case = models.OneToOneField(Case, models.CASCADE, related_name="portrait")
    token = models.CharField(max_length=32, unique=True, default=new_token)
    made_at = models.DateTimeField(_("made"), default=timezone.now)

    class Meta:
        verbose_name = _("portrait")
        default_permissions = []

    def __str__(self):
        return self.token


class Rendition(models.Model):
    """A portrait in one size and format."""

    class Format(models.TextChoices):
        AVIF = "avif"
        WEBP = "webp"
        JPEG = "jpeg"

    portrait = models.ForeignKey(
        Portrait, models.CASCADE, related_name="renditions", db_index=False
    )
    width = models.PositiveSmallIntegerField()
    height = models.PositiveSmallIntegerField()
    format = models.CharField(max_length=4, choices=Format)
    data = models.BinaryField()

    class Meta:
        default_permissions = []
        ordering = ["width"]
        constraints = [
            models.UniqueConstraint(
                fields=["portrait", "width", "format"], name="one_rendition_a_size_and_format"
            )
        ]

    def __str__(self):
        return f"{self.width}.{self.format}"
