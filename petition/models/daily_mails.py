"""To whom the desk writes once a day what waits for them."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from petition.ground.fields import EncryptedField


class DailyMail(models.Model):
    """A coordinator's wish for one e-mail a day. The account itself has no address: this one is
    sealed, and goes with the wish."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, models.CASCADE, primary_key=True)
    email = EncryptedField(_("e-mail address"), purpose="daily mail", row="user_id")
    language = models.CharField(max_length=2)
    asked_at = models.DateTimeField()
    # When its owner opened the link that was sent there; nothing else is sent before.
    confirmed_at = models.DateTimeField(null=True)
    # The day (UTC) of the last e-mail, that with the link included.
    sent_on = models.DateField(null=True)

    class Meta:
        verbose_name = _("daily e-mail")
        verbose_name_plural = _("daily e-mails")
        default_permissions = ()

    def __str__(self):
        return str(self.user_id)
