"""The campaign's voice: its tracks, its texts, and the words that signers consent to."""

from typing import NamedTuple

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from petition.ground import languages


class Track(models.Model):
    """One of the three things the campaign works for."""

    slug = models.SlugField(_("address"), primary_key=True, max_length=20)
    position = models.PositiveSmallIntegerField(_("position"))

    class Meta:
        verbose_name = _("track")
        verbose_name_plural = _("tracks")
        ordering = ["position"]

    def __str__(self):
        return str(Text.Slug(self.slug).label)


class Words(NamedTuple):
    """What a text says; `body` is Markdown."""

    title: str
    summary: str
    body: str


class Wording(models.Model):
    """The columns of `Words`."""

    title = models.CharField(_("title"), max_length=120)
    summary = models.TextField(_("summary"))
    body = models.TextField(
        _("text"),
        blank=True,
        help_text=_("Markdown: ## heading, - list, blank line between."),
    )

    class Meta:
        abstract = True

    @property
    def words(self) -> Words:
        return Words(self.title, self.summary, self.body)


class Text(Wording):
    """A text of the campaign in one language, as it stands now; its versions tell how it came."""

    class Slug(models.TextChoices):
        SITE = "site", _("Name of the campaign, on every page")
        APPEAL = "appeal", _("The appeal")
        TRACKS = "tracks", _("The three tracks")
        FATE = "fate", _("Track: fate")
        LEGISLATION = "legislation", _("Track: legislation")
        PROTECTION = "protection", _("Track: protection")
        ASKS = "asks", _("What is asked, on the pages of the tracks")
        COUNTING = "counting", _("Who runs it, on the home page")
        THANKS = "thanks", _("Thanks after the confirmation")
        CASES = "cases", _("Beginning of the page of profiles")
        NEWS = "news", _("Beginning of the page of news")
        PRESS = "press", _("Press: how the number is made")
        ABOUT = "about", _("About")
        PRIVACY = "privacy", _("Privacy")

    slug = models.CharField(_("where it stands"), max_length=20, choices=Slug)
    language = models.CharField(_("language"), max_length=2, choices=languages.CHOICES)

    class Meta:
        verbose_name = _("text")
        verbose_name_plural = _("texts")
        constraints = [
            models.UniqueConstraint(
                fields=["slug", "language"], name="one_text_a_slug_and_language"
            )
        ]

    def __str__(self):
        return f"{self.get_slug_display()} ({self.get_language_display()})"


class TextVersion(Wording):
    """A text as it stood at a time. Never edited and never deleted: restoring adds another."""

    class Origin(models.TextChoices):
        SHIPPED = "shipped", _("the original text")
        FOUND = "found", _("edited before the history began")
        EDITED = "edited", _("edited")
        RESTORED = "restored", _("brought back")

    text = models.ForeignKey(Text, models.PROTECT, related_name="versions", verbose_name=_("text"))
    number = models.PositiveIntegerField(_("version"))
    origin = models.CharField(_("how it came"), max_length=10, choices=Origin)
    by = models.CharField(_("who"), max_length=150, blank=True)
    at = models.DateTimeField(_("when"), default=timezone.now)

    class Meta:
        verbose_name = _("version of a text")
        verbose_name_plural = _("versions of texts")
        default_permissions = []
        ordering = ["-number"]
        constraints = [
            models.UniqueConstraint(fields=["text", "number"], name="one_version_a_text_and_number")
        ]

    def __str__(self):
        return f"{self.text} {self.number}"


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
