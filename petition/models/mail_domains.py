"""Mail domains that coordinators judge otherwise than the list of throw-away domains does."""

from datetime import date, timedelta

from django.core.validators import MaxLengthValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

FOR_DAYS = 90
AT_MOST_DAYS = 366


def in_some_months() -> date:
    return timezone.now().date() + timedelta(days=FOR_DAYS)


class MailDomain(models.Model):
    """An addition to the list of throw-away domains, or an exception from what the desk warns of.

    It holds up to and with its last day (UTC): a domain that is misused today has another owner in
    a year. Nothing is done to a signature because of it.
    """

    class Judged(models.TextChoices):
        THROW_AWAY = "throw-away", _("throw-away addresses")
        HONEST = "honest", _("people’s own addresses: no warning")

    domain = models.CharField(
        _("mail domain"), max_length=255, unique=True, help_text=_("Such as example.org.")
    )
    judged = models.CharField(_("has"), max_length=10, choices=Judged)
    until = models.DateField(_("last day (UTC)"), default=in_some_months)
    note = models.TextField(
        _("note"),
        blank=True,
        validators=[MaxLengthValidator(500)],
        help_text=_("How you know. No names and no addresses of signers."),
    )

    class Meta:
        verbose_name = _("mail domain")
        verbose_name_plural = _("mail domains")
        default_permissions = ["view", "add", "change"]
        ordering = ["-until", "domain"]
        constraints = [
            models.CheckConstraint(
                name="a_domain_is_judged",
                condition=models.Q(judged__in=["throw-away", "honest"]),
            )
        ]

    def __str__(self):
        return self.domain
