"""Prisoner cases: the facts, what is told in each language, and the sources.

`petition.cases.rules` alone says what of it is public; `petition.cases.acts` alone writes.
"""

import secrets

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from petition.ground import languages
from petition.models.campaign import Track

SLUG_ALPHABET = "23456789abcdefghjkmnpqrstvwxyz"
SLUG_LENGTH = 8


def new_slug() -> str:
    """Random: an address that tells a name could not be called back when consent is."""
    return "".join(secrets.choice(SLUG_ALPHABET) for _ in range(SLUG_LENGTH))


class Certainty(models.TextChoices):
    CONFIRMED = "confirmed", pgettext_lazy("how sure it is", "confirmed")
    REPORTED = "reported", pgettext_lazy("how sure it is", "reported")


class Case(models.Model):
    """One prisoner's case: what is the same in every language."""

    class Naming(models.TextChoices):
        NAME = "name", _("by name")
        PSEUDONYM = "pseudonym", _("by a pseudonym")
        WITHHELD = "withheld", _("name withheld")

    class AgeBand(models.TextChoices):
        CHILD = "child", _("under 18")
        YOUNG = "18-29", _("18 to 29")
        ADULT = "30-44", _("30 to 44")
        MIDDLE = "45-59", _("45 to 59")
        ELDERLY = "60+", _("60 or older")

    class Nationality(models.TextChoices):
        PALESTINIAN = "palestinian", _("Palestinian")
        LEBANESE = "lebanese", _("Lebanese")
        OTHER = "other", _("other nationality")

    class Situation(models.TextChoices):
        ARRESTED = "arrested", _("arrested")
        SENTENCED = "sentenced", _("sentenced")
        ADMINISTRATIVE = "administrative", _("in administrative detention")
        DISAPPEARED = "disappeared", _("forcibly disappeared")
        RELEASED = "released", _("released")
        DIED = "died", _("died")

    # Of these a consent that was given before does not speak any more.
    EVENTS = (Situation.RELEASED, Situation.DIED)

    slug = models.CharField(_("address"), max_length=20, unique=True, default=new_slug)
    naming = models.CharField(
        _("how the person is named"), max_length=10, choices=Naming, default=Naming.WITHHELD
    )
    age_band = models.CharField(
        _("age"), max_length=10, choices=AgeBand, help_text=_("In doubt the younger one.")
    )
    nationality = models.CharField(_("nationality"), max_length=12, choices=Nationality)
    is_woman = models.BooleanField(_("woman or girl"), default=False)
    is_sick = models.BooleanField(
        _("sick"), default=False, help_text=_("Shown only where the consent covers health.")
    )
    track = models.ForeignKey(Track, models.PROTECT, verbose_name=_("track"))
    situation = models.CharField(_("situation"), max_length=15, choices=Situation)
    situation_as_of = models.DateField(_("situation as of"))
    situation_certainty = models.CharField(
        _("the situation is"), max_length=10, choices=Certainty, default=Certainty.REPORTED
    )
    since = models.DateField(_("detained since"), null=True, blank=True)
    since_as_of = models.DateField(_("date of detention as of"), null=True, blank=True)
    since_certainty = models.CharField(
        _("the date of detention is"), max_length=10, choices=Certainty, default=Certainty.REPORTED
    )
    place_as_of = models.DateField(_("place of detention as of"), null=True, blank=True)
    place_certainty = models.CharField(
        _("the place of detention is"), max_length=10, choices=Certainty, default=Certainty.REPORTED
    )
    sample = models.BooleanField(default=False, editable=False)

    made_at = models.DateTimeField(_("made"), default=timezone.now)
    # Counts every change of what is the same in all languages; an approval is of one revision.
    revision = models.PositiveIntegerField(_("revision"), default=1)
    changed_at = models.DateTimeField(_("changed"), default=timezone.now)
    authors = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="+")
    # How often the person was released or died: a consent is of what was true when it was given.
    events = models.PositiveSmallIntegerField(default=0)
    event_on = models.DateField(null=True)  # The day of the last.
    # The newest of each; what was before stays as history.
    consent = models.OneToOneField("Consent", models.RESTRICT, null=True, related_name="+")
    risk_review = models.OneToOneField("RiskReview", models.RESTRICT, null=True, related_name="+")
    # The one that holds now.
    take_down = models.OneToOneField("TakeDown", models.RESTRICT, null=True, related_name="+")

    class Meta:
        verbose_name = _("prisoner case")
        verbose_name_plural = _("prisoner cases")
        default_permissions = ["view", "change"]
        permissions = [
            ("review_case", _("Can review and approve prisoner cases")),
            ("erase_case", _("Can erase prisoner cases")),
            ("restore_case", _("Can put back prisoner cases that were taken down")),
        ]
        indexes = [
            models.Index(fields=["nationality", "id"], name="cases_by_nationality"),
            models.Index(fields=["track", "id"], name="cases_by_track"),
            models.Index(fields=["age_band", "id"], name="cases_by_age"),
            models.Index(fields=["id"], condition=models.Q(is_woman=True), name="cases_of_women"),
            models.Index(fields=["id"], condition=models.Q(is_sick=True), name="cases_of_the_sick"),
        ]

    def __str__(self):
        return self.slug

    @property
    def is_child(self) -> bool:
        return self.age_band == Case.AgeBand.CHILD


class CaseText(models.Model):
    """What is told of a case in one language, with the review and approvals of its own."""

    case = models.ForeignKey(
        Case, models.CASCADE, related_name="texts", db_index=False, verbose_name=_("prisoner case")
    )
    language = models.CharField(_("language"), max_length=2, choices=languages.CHOICES)
    name = models.CharField(_("name"), max_length=120, blank=True)
    pseudonym = models.CharField(_("pseudonym"), max_length=120, blank=True)
    place = models.CharField(_("place of detention"), max_length=160, blank=True)
    charges = models.TextField(_("charges"), blank=True, max_length=2_000)
    health = models.TextField(_("health"), blank=True, max_length=2_000)
    story = models.TextField(
        _("the story"),
        max_length=20_000,
        help_text=_("Markdown: ## heading, - list, blank line between."),
    )
    portrait_alt = models.CharField(
        _("what the portrait shows, for who cannot see it"), max_length=250, blank=True
    )
    revision = models.PositiveIntegerField(_("revision"), default=1)
    changed_at = models.DateTimeField(_("changed"), default=timezone.now)
    authors = models.ManyToManyField(settings.AUTH_USER_MODEL, related_name="+")
    # Which revision somebody has read and found right; 0 for none.
    reviewed_revision = models.PositiveIntegerField(default=0)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    reviewed_at = models.DateTimeField(_("reviewed"), null=True)

    class Meta:
        verbose_name = _("text of a case")
        verbose_name_plural = _("texts of cases")
        default_permissions = []
        constraints = [
            models.UniqueConstraint(
                fields=["case", "language"], name="one_text_a_case_and_language"
            )
        ]

    def __str__(self):
        return f"{self.case_id} ({self.language})"


class CaseUpdate(models.Model):
    """What has happened since, told in one language; a part of its text's revision."""

    text = models.ForeignKey(CaseText, models.CASCADE, related_name="updates")
    day = models.DateField(_("day"))
    body = models.TextField(_("what happened"), max_length=2_000)

    class Meta:
        default_permissions = []
        ordering = ["-day", "-pk"]

    def __str__(self):
        return f"{self.text_id}: {self.day}"


class Source(models.Model):
    """Where something about a case can be read."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="sources")
    title = models.CharField(_("title"), max_length=250)
    publisher = models.CharField(_("publisher"), max_length=120)
    url = models.URLField(_("address on the web"), max_length=500, blank=True)
    day = models.DateField(_("published on"))
    supports = models.CharField(_("what it supports"), max_length=250)
    language = models.CharField(_("language"), max_length=2, choices=languages.CHOICES)

    class Meta:
        verbose_name = _("source")
        verbose_name_plural = _("sources")
        default_permissions = []
        ordering = ["-day", "pk"]

    def __str__(self):
        return f"{self.case_id}: {self.pk}"
