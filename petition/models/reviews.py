"""What coordinators decide about a prisoner case: approvals, risk reviews, take-downs."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from petition.models.cases import Case, CaseText


class Approval(models.Model):
    """One coordinator's yes to a case in one language, exactly as it stood then."""

    text = models.ForeignKey(CaseText, models.CASCADE, related_name="approvals", db_index=False)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    case_revision = models.PositiveIntegerField()
    text_revision = models.PositiveIntegerField()
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = []
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["text", "text_revision", "case_revision", "by"],
                name="one_approval_a_person_and_revision",
            )
        ]

    def __str__(self):
        return str(self.pk)


class RiskReview(models.Model):
    """Whether it endangers anybody that a case is public, as judged on a day."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="risk_reviews")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(_("when"), default=timezone.now)
    may_be_public = models.BooleanField(_("It may be public."))
    note = models.CharField(_("what was considered"), max_length=500)

    class Meta:
        default_permissions = []
        ordering = ["-pk"]

    def __str__(self):
        return str(self.pk)


class TakeDown(models.Model):
    """A case taken off the site at once by one coordinator, until two others put it back."""

    case = models.ForeignKey(Case, models.CASCADE, related_name="take_downs")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+")
    at = models.DateTimeField(_("when"), default=timezone.now)
    reason = models.CharField(_("reason"), max_length=500)
    first = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+")
    second = models.ForeignKey(
        settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+"
    )
    lifted_at = models.DateTimeField(_("put back"), null=True)

    class Meta:
        default_permissions = []
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["case"],
                condition=models.Q(lifted_at=None),
                name="a_case_is_taken_down_once_at_a_time",
            ),
            models.CheckConstraint(
                name="two_others_put_a_case_back",
                condition=models.Q(lifted_at=None)
                | models.Q(first__isnull=False, second__isnull=False),
            ),
            models.CheckConstraint(
                name="who_puts_back_is_another",
                condition=(models.Q(first=None) | ~models.Q(first=models.F("by")))
                & (
                    models.Q(second=None)
                    | (~models.Q(second=models.F("by")) & ~models.Q(second=models.F("first")))
                ),
            ),
        ]

    def __str__(self):
        return str(self.pk)
