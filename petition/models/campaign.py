"""The campaign's voice: its tracks, its texts, and the words that signers consent to."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from petition import languages


class Track(models.Model):
    """One of the three things the campaign works for."""

    slug = models.SlugField(_("address"), primary_key=True, max_length=20)
    position = models.PositiveSmallIntegerField(_("position"))

    class Meta:
        verbose_name = _("track")
        verbose_name_plural = _("tracks")
        ordering = ["position"]

    def __str__(self):
        return self.slug


class Text(models.Model):
    """A text of the campaign in one language."""

    class Slug(models.TextChoices):
        APPEAL = "appeal", _("The appeal")
        FATE = "fate", _("Track: fate")
        LEGISLATION = "legislation", _("Track: legislation")
        PROTECTION = "protection", _("Track: protection")
        ABOUT = "about", _("About")
        PRIVACY = "privacy", _("Privacy")

    slug = models.CharField(_("where it stands"), max_length=20, choices=Slug)
    language = models.CharField(_("language"), max_length=2, choices=languages.CHOICES)
    title = models.CharField(_("title"), max_length=120)
    summary = models.TextField(_("summary"))
    body = models.TextField(
        _("text"), help_text=_("Markdown: ## heading, - list, blank line between.")
    )

    class Meta:
        verbose_name = _("text")
        verbose_name_plural = _("texts")
        constraints = [
            models.UniqueConstraint(
                fields=["slug", "language"], name="one_text_a_slug_and_language"
            )
        ]

    def __str__(self):
        return f"{self.title} ({self.get_language_display()})"


class ConsentText(models.Model):
    """What a signer agrees to, word for word. Never edited: another wording is another version."""

    # The first version that speaks of handing the name over, for those who tick the box.
    DELIVERY_SINCE = 2

    version = models.PositiveSmallIntegerField(_("version"))
    language = models.CharField(_("language"), max_length=2, choices=languages.CHOICES)
    body = models.TextField(_("text"))

    class Meta:
        verbose_name = _("consent text")
        verbose_name_plural = _("consent texts")
        ordering = ["-version", "language"]
        constraints = [
            models.UniqueConstraint(
                fields=["version", "language"], name="one_consent_a_version_and_language"
            )
        ]

    def __str__(self):
        return f"{self.version} ({self.get_language_display()})"
