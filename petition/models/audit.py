"""The record of what coordinators did: appended to, read, and never changed."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Entry(models.Model):
    """One act. `hash` covers all of it and the hash before, so that nothing can be taken out, put
    in or altered without every later hash being wrong. PostgreSQL refuses updates and deletions."""

    class Act(models.TextChoices):
        COUNT = "count", _("counted a signature")
        HOLD = "hold", _("suspended a signature")
        REJECT = "reject", _("rejected a signature")
        ERASE = "erase", _("erased the personal data of a signature")
        RESEND = "resend", _("sent an e-mail again")
        REVEAL = "reveal", _("looked at a name and an address")
        LOOK_UP = "look up", _("looked for an address")
        PREVIEW = "preview", _("looked at the preview of a bulk removal")
        SWEEP = "sweep", _("started a bulk removal")
        SWEEP_STOP = "sweep stop", _("stopped a bulk removal")
        SWEEP_GO_ON = "sweep go on", _("let a bulk removal go on")
        SWEEP_UNDO = "sweep undo", _("undid a bulk removal")
        SWEEP_END = "sweep end", _("a bulk removal came to its end")
        DOMAIN = "domain", _("judged a mail domain")
        PRINT = "print", _("printed sheets")
        ENTER = "enter", _("entered a sheet")
        IMPORT = "import", _("imported sheets")
        SETTLE = "settle", _("settled a sheet")
        VOID = "void", _("cancelled a sheet")
        EXPORT = "export", _("started an export")
        EXPORT_END = "export end", _("an export came to its end")
        TEXT = "text", _("changed a text")
        CASE = "case", _("changed a prisoner case")
        CASE_ERASE = "case erase", _("erased a prisoner case")
        CONSENT = "consent", _("recorded a consent")
        CONSENT_WITHDRAW = "consent withdraw", _("noted that a consent was withdrawn")
        REVIEW = "review", _("reviewed the text of a case")
        APPROVE = "approve", _("approved a prisoner case")
        RISK = "risk", _("reviewed the risk of a case")
        TAKE_DOWN = "take down", _("took a case off the site")
        PUT_BACK = "put back", _("agreed to put a case back")
        ACCOUNT = "account", _("changed an account")
        TWO_FACTOR = "two factor", _("changed two-step sign-in")
        NEWS = "news", _("wrote news")
        NEWS_PUBLISH = "news publish", _("published news")
        NEWS_TAKE_BACK = "news take back", _("unpublished news")
        MAILING = "mailing", _("started a mailing")
        MAILING_STOP = "mailing stop", _("stopped a mailing")
        MAILING_GO_ON = "mailing go on", _("let a mailing go on")
        MAILING_END = "mailing end", _("a mailing came to its end")

    number = models.PositiveBigIntegerField(_("number"), primary_key=True)
    at = models.DateTimeField(_("when"))
    actor = models.CharField(_("who"), max_length=150)
    act = models.CharField(_("what"), max_length=20, choices=Act)
    subject = models.CharField(_("on what"), max_length=60, blank=True)
    detail = models.JSONField(_("details"), default=dict)
    previous = models.CharField(_("hash before"), max_length=64)
    hash = models.CharField(_("hash"), max_length=64)

    class Meta:
        verbose_name = _("audit entry")
        verbose_name_plural = _("audit")
        default_permissions = ["view"]
        ordering = ["-number"]
        indexes = [models.Index(fields=["subject", "number"], name="audit_by_subject")]

    def __str__(self):
        return str(self.number)


class AuditHead(models.Model):
    """Up to where the audit is sealed; one row. Whoever writes to the database without the data
    keys can write the whole chain anew, but not this."""

    number = models.PositiveBigIntegerField()
    seal = models.BinaryField()

    class Meta:
        default_permissions = ()

    def __str__(self):
        return str(self.number)
