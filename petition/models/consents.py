"""Consent to tell a prisoner's case, as data: who gave it, how, until when, and to what."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from petition.models.cases import Case


class Consent(models.Model):
    """One consent, never edited: another one takes its place. It holds no name and no evidence,
    only where the evidence is kept."""

    class Giver(models.TextChoices):
        PERSON = "person", _("the person")
        SPOUSE = "spouse", _("wife or husband")
        PARENT = "parent", _("mother or father")
        CHILD = "child", _("daughter or son")
        SIBLING = "sibling", _("sister or brother")
        RELATIVE = "relative", _("another relative")

    class Method(models.TextChoices):
        WRITING = "writing", _("in writing")
        MEETING = "meeting", _("spoken, in a meeting")
        CALL = "call", _("spoken, in a call")
        RECORDING = "recording", _("recorded in sound or picture")

    class Language(models.TextChoices):
        AR = "ar", _("Arabic")
        FR = "fr", _("French")
        EN = "en", _("English")
        OTHER = "other", _("another language")

    # What may be shown, field by field; `scope_search` is whether search engines may know of it.
    SCOPES = ("name", "portrait", "place", "health", "charges", "story", "search")

    case = models.ForeignKey(Case, models.CASCADE, related_name="consents")
    giver = models.CharField(_("given by"), max_length=10, choices=Giver)
    why_not_person = models.CharField(
        _("why not by the person"),
        max_length=250,
        blank=True,
        help_text=_("Such as: is held without contact. No names."),
    )
    method = models.CharField(_("given how"), max_length=10, choices=Method)
    language = models.CharField(_("explained and given in"), max_length=5, choices=Language)
    given_at = models.DateTimeField(_("given at (UTC)"))
    valid_until = models.DateTimeField(_("valid until (UTC)"))
    explained_copies = models.BooleanField(
        _("It was explained that copies on the web cannot be called back.")
    )
    explained_worst_case = models.BooleanField(
        _("The worst that could come of it was talked through.")
    )
    explained_withdrawal = models.BooleanField(
        _("It was explained that consent can be withdrawn at any time.")
    )
    scope_name = models.BooleanField(_("the name"), default=False)
    scope_portrait = models.BooleanField(_("a portrait"), default=False)
    scope_place = models.BooleanField(_("the place of detention"), default=False)
    scope_health = models.BooleanField(_("health"), default=False)
    scope_charges = models.BooleanField(_("charges"), default=False)
    scope_story = models.BooleanField(_("the story"), default=False)
    scope_search = models.BooleanField(_("search engines may list it"), default=False)
    evidence = models.CharField(
        _("where the evidence is kept"),
        max_length=120,
        help_text=_("A reference, such as a file number. The evidence itself stays elsewhere."),
    )
    # `Case.events` when it was recorded.
    events = models.PositiveSmallIntegerField(default=0)
    recorded_by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    recorded_at = models.DateTimeField(_("recorded"), default=timezone.now)
    withdrawn_at = models.DateTimeField(
        pgettext_lazy("a consent", "withdrawn"), null=True, blank=True
    )

    class Meta:
        verbose_name = _("consent")
        verbose_name_plural = _("consents")
        default_permissions = []
        ordering = ["-pk"]
        constraints = [
            models.CheckConstraint(
                name="a_consent_was_explained",
                condition=models.Q(
                    explained_copies=True, explained_worst_case=True, explained_withdrawal=True
                ),
            ),
            models.CheckConstraint(
                name="a_consent_of_a_relative_says_why",
                condition=models.Q(giver="person") | ~models.Q(why_not_person=""),
            ),
            models.CheckConstraint(
                name="a_consent_ends_after_it_was_given",
                condition=models.Q(valid_until__gt=models.F("given_at")),
            ),
        ]

    def __str__(self):
        return str(self.pk)

    def covers(self, scope: str) -> bool:
        return getattr(self, f"scope_{scope}")

    @property
    def scopes(self) -> tuple[bool, ...]:
        return tuple(self.covers(scope) for scope in Consent.SCOPES)
