"""A signature: who, from where, and what has become of it."""

import uuid
from datetime import timedelta
from typing import cast

from django.db import models, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from petition.ground import addresses, encryption, languages
from petition.ground.fields import BlindIndexField, EncryptedField
from petition.models.campaign import ConsentText, Track

# What the keys of the sealed fields are derived for; never changed once data is stored.
NAME, EMAIL, RECEIPT = "signature name", "signature email", "signature receipt"


class SignatureQuerySet(models.QuerySet):
    def counted(self):
        return self.filter(state=Signature.State.COUNTED)

    def pending(self):
        return self.filter(state=Signature.State.PENDING)

    def want_news(self):
        """Whose owner asked for news, confirmed it and has not stopped it, in a fixed order."""
        return self.counted().filter(updates=True).order_by("pk")

    def unconfirmed(self):
        """Whose owner has not confirmed, also those that somebody has set aside meanwhile."""
        return self.filter(confirmed_at=None).exclude(state=Signature.State.WITHDRAWN)

    def of_mailbox(self, address: str):
        """The signature of the mailbox behind a parsed address, whichever data key indexed it."""
        return self.filter(mailbox__in=Signature.mailbox_indexes(address))


class Signature(models.Model):
    """One person's signature. `petition.signing.lifecycle` alone changes its state."""

    class State(models.TextChoices):
        PENDING = "pending", _("pending")
        COUNTED = "counted", _("counted")
        HELD = "held", _("suspended")
        REJECTED = "rejected", _("rejected")
        WITHDRAWN = "withdrawn", _("withdrawn")

    class Reason(models.TextChoices):
        """Why a signature is held or rejected; what a public list of corrections may say."""

        DISPOSABLE = "disposable", _("disposable addresses")
        AUTOMATED = "automated", _("filled in by a program")
        REPEATED = "repeated", _("one person with several mailboxes")
        NAME = "name", _("not the name of a person")
        CHALLENGE = "challenge", _("signed without the check of the browser")
        OWNER = "owner", _("asked by the owner of the mailbox")
        ALIAS = "alias", _("another spelling of a mailbox that has signed")
        OTHER = "other", _("another reason")

    # How long a signature that nobody confirms is kept. The privacy page says it.
    PENDING_FOR = timedelta(days=14)

    # What takes the person out of a row. The state, its times and the reference stay.
    ERASED = {
        "name": None,
        "email": None,
        "mailbox": None,
        "domain": None,
        "country": "",
        "track": None,
        "updates": False,
        "delivery": False,
        "receipt": None,
    }

    # What ends on the day of IDENTITIES_END; what figures are made of stays.
    NAMELESS = {
        "name": None,
        "email": None,
        "domain": None,
        "updates": False,
        "delivery": False,
        "receipt": None,
    }

    # Random, and all that mailed links carry. A sequence would tell how many signed before.
    reference = models.UUIDField(_("reference"), unique=True, default=uuid.uuid4, editable=False)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.PENDING)
    name = EncryptedField(_("name"), purpose=NAME, row="reference", null=True)
    email = EncryptedField(_("e-mail address"), purpose=EMAIL, row="reference", null=True)
    mailbox = BlindIndexField(
        _("index of the mailbox"), db_column="mailbox_index", unique=True, null=True
    )
    domain = BlindIndexField(_("index of the mail domain"), db_column="domain_index", null=True)
    country = models.CharField(_("country"), max_length=2, blank=True)
    track = models.ForeignKey(
        Track,
        models.PROTECT,
        null=True,
        blank=True,
        db_index=False,
        verbose_name=_("track that matters most"),
    )
    updates = models.BooleanField(_("wants news by e-mail"), default=False)
    delivery = models.BooleanField(_("name may be shared"), default=False)
    consent = models.ForeignKey(
        ConsentText, models.PROTECT, db_index=False, verbose_name=_("consent")
    )
    language = models.CharField(_("language"), max_length=2, choices=languages.CHOICES)
    signed_at = models.DateTimeField(_("signed"), default=timezone.now)
    confirmed_at = models.DateTimeField(_("confirmed"), null=True, blank=True)
    moved_at = models.DateTimeField(_("state since"), default=timezone.now)
    reason = models.CharField(
        _("why suspended or rejected"), max_length=10, choices=Reason, blank=True, default=""
    )

    # Whether the browser solved what the form asked; else a volunteer looks at it.
    passed_challenge = models.BooleanField(default=True, db_default=True, editable=False)

    # Whether the log has counted it, and the secret bytes of its commitment there, sealed.
    in_log = models.BooleanField(default=False, db_default=False, editable=False)
    receipt = models.BinaryField(null=True, editable=False)

    objects = SignatureQuerySet.as_manager()

    class Meta:
        verbose_name = _("signature")
        verbose_name_plural = _("signatures")
        default_permissions = ["view"]
        permissions = [
            ("moderate_signature", _("Can count, suspend and reject signatures")),
            ("erase_signature", _("Can erase the personal data of a signature")),
            ("reveal_signature", _("Can see the name and address of a signature")),
            ("deliver_signature", _("Can export signatures for delivery")),
        ]
        constraints = [
            models.CheckConstraint(
                name="signature_state_is_known",
                condition=models.Q(
                    state__in=["pending", "counted", "held", "rejected", "withdrawn"]
                ),
            ),
            models.CheckConstraint(
                name="what_is_counted_was_confirmed",
                condition=~models.Q(state="counted") | models.Q(confirmed_at__isnull=False),
            ),
            models.CheckConstraint(
                name="what_was_confirmed_is_not_pending",
                condition=~models.Q(state="pending") | models.Q(confirmed_at=None),
            ),
            models.CheckConstraint(
                name="withdrawn_is_erased",
                condition=models.Q(
                    state="withdrawn", mailbox=None, name=None, email=None, domain=None, country=""
                )
                | (~models.Q(state="withdrawn") & models.Q(mailbox__isnull=False)),
            ),
            models.CheckConstraint(
                name="a_reason_is_of_held_or_rejected",
                condition=models.Q(reason="") | models.Q(state__in=["held", "rejected"]),
            ),
        ]
        # Each of these ends with what lists are ordered by: whatever a list is narrowed to, a page
        # is one stretch of one index, as cheap at a million as at ten thousand. Languages and
        # tracks are few: their rows are picked out of `by_time`, which holds both.
        indexes = [
            models.Index(
                fields=["signed_at", "id"],
                include=["state", "country", "language", "track", "reason"],
                name="by_time",
            ),
            models.Index(fields=["country", "signed_at", "id"], name="by_country"),
            # For sweeps alone, which sort what they find: equal keys are stored once.
            models.Index(fields=["domain"], name="by_mail_domain"),
            models.Index(
                fields=["state", "signed_at", "id"],
                include=["country", "language", "track", "reason"],
                condition=~models.Q(state="counted"),
                name="not_counted_by_state",
            ),
            models.Index(
                fields=["reason", "signed_at", "id"],
                condition=~models.Q(reason=""),
                name="by_reason",
            ),
            models.Index(
                fields=["confirmed_at", "id"],
                condition=models.Q(confirmed_at__isnull=False),
                name="confirmed_by_time",
            ),
            models.Index(fields=["moved_at"], condition=models.Q(state="held"), name="held_by_age"),
            # What the log has not counted yet.
            models.Index(
                fields=["id"],
                condition=models.Q(state="counted", in_log=False),
                name="counted_not_in_log",
            ),
            # Who gets the next letter of a mailing: the rest of the millions is not in it.
            models.Index(
                fields=["id"],
                condition=models.Q(state="counted", updates=True),
                name="wants_news",
            ),
            # What `purge` looks for; the counted millions are not in it.
            models.Index(
                fields=["signed_at"],
                condition=models.Q(confirmed_at=None) & ~models.Q(state="withdrawn"),
                name="unconfirmed_by_age",
            ),
        ]

    def __str__(self):
        return str(self.reference)

    @staticmethod
    def mailbox_indexes(address: str) -> list[bytes]:
        """Blind indexes of the mailbox behind a parsed address, the current one first."""
        former = addresses.with_tag(address)
        return [
            index
            for mailbox in filter(None, (addresses.canonical(address), former))
            for index in encryption.indexes(mailbox, "mailbox")
        ]

    @staticmethod
    def domain_index(address: str) -> bytes:
        """Blind index of a parsed address's mail domain."""
        return encryption.index(addresses.domain(address), "domain")

    def sealed(self, **texts: str | None) -> dict:
        """`name` and `email` as a query's `update` takes them for this row."""
        fields = {name: cast(EncryptedField, self._meta.get_field(name)) for name in texts}
        return {name: fields[name].sealed(text, self) for name, text in texts.items()}

    def reseal(self) -> bool:
        """Write the person again under the current data key; false where somebody was first.

        Raises IntegrityError where the mailbox has another signature under that key already.
        """
        with transaction.atomic():
            held = Signature.objects.select_for_update().filter(pk=self.pk, mailbox=self.mailbox)
            fresh = held.first()
            if fresh is None:
                return False
            held.update(
                **fresh.sealed(name=fresh.name, email=fresh.email),
                mailbox=self.mailbox_indexes(fresh.email)[0],
                domain=self.domain_index(fresh.email),
                receipt=encryption.sealed_again(fresh.receipt, RECEIPT, self.reference.bytes),
            )
        return True
