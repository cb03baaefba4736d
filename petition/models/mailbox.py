"""The letters that we owe."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from petition.ground import languages
from petition.models.news import Mailing
from petition.models.signatures import Signature


class Letter(models.Model):
    """A mail that we owe. It holds no address and no text: both are made at sending time."""

    class Kind(models.TextChoices):
        CONFIRM = "confirm", _("asks to confirm")
        COUNTED = "counted", _("says that it is counted already")
        HELD = "held", _("says that it is set aside")
        NEWS = "news", _("news")
        REMIND = "remind", _("reminds to confirm")

    class State(models.TextChoices):
        DUE = "due", _("due")
        SENT = "sent", _("sent")
        REFUSED = "refused", _("refused for good")
        GIVEN_UP = "given up", _("given up after many tries")
        WITHHELD = "withheld", _("withheld: too many to one address")

    signature = models.ForeignKey(
        Signature, models.CASCADE, related_name="letters", verbose_name=_("signature")
    )
    # The version of the signature that it asks to confirm; null is the first.
    attempt = models.UUIDField(null=True, blank=True, editable=False)
    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    language = models.CharField(_("language"), max_length=2, choices=languages.CHOICES)
    mailing = models.ForeignKey(
        Mailing,
        models.PROTECT,
        related_name="letters",
        null=True,
        blank=True,
        db_index=False,
        verbose_name=_("mailing"),
    )
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.DUE)
    created_at = models.DateTimeField(_("owed at"), default=timezone.now)
    due_at = models.DateTimeField(_("due at"), default=timezone.now)
    # The mailer that has it in its hands, and since when; empty while nobody has.
    mailer = models.CharField(_("mailer"), max_length=100, blank=True)
    claimed_at = models.DateTimeField(_("being sent since"), null=True, blank=True)
    tries = models.PositiveSmallIntegerField(_("tries"), default=0)
    # The server's code alone, such as "550 5.1.1": its words often repeat the address.
    reply = models.CharField(_("last reply of the mail server"), max_length=20, blank=True)
    ended_at = models.DateTimeField(_("sent or given up"), null=True, blank=True)

    # Whether the signature is as the database had it a moment ago; not stored.
    owner_was_asked = False

    class Meta:
        verbose_name = _("e-mail")
        verbose_name_plural = _("e-mails")
        default_permissions = ["view"]
        constraints = [
            models.CheckConstraint(
                name="news_and_only_news_has_a_mailing",
                condition=models.Q(kind="news", mailing__isnull=False)
                | (~models.Q(kind="news") & models.Q(mailing=None)),
            ),
            # Nobody gets the same story twice, whatever else goes wrong.
            models.UniqueConstraint(
                fields=["mailing", "signature"],
                condition=models.Q(mailing__isnull=False),
                name="one_letter_a_mailing_and_signature",
            ),
            models.UniqueConstraint(
                fields=["signature"],
                condition=models.Q(kind="remind"),
                name="one_reminder_a_signature",
            ),
        ]
        indexes = [
            models.Index(
                fields=["state", "id"],
                condition=~models.Q(state="sent"),
                name="letters_by_state_but_sent",
            ),
            # Apart, so that what somebody waits for is found at once among any amount of news.
            models.Index(
                fields=["due_at"],
                condition=models.Q(state="due", mailing=None),
                name="letters_due",
            ),
            models.Index(
                fields=["mailing", "due_at"],
                condition=models.Q(state="due", mailing__isnull=False),
                name="news_due",
            ),
            models.Index(
                fields=["ended_at"],
                condition=models.Q(ended_at__isnull=False),
                name="letters_ended",
            ),
        ]

    def __str__(self):
        return f"{self.pk} ({self.get_kind_display()})"
