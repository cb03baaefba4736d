"""Sweeps: bulk acts with conditions, a preview and a record."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from petition.ground import languages
from petition.models.signatures import Signature


class Sweep(models.Model):
    """Holds or rejects every signature that its rule names. The record of it stays for good."""

    class Task(models.TextChoices):
        APPLY = "apply", _("setting aside")
        UNDO = "undo", _("undo")

    class State(models.TextChoices):
        WAITING = "waiting", _("waiting")
        RUNNING = "running", _("running")
        STOPPED = "stopped", _("stopped")
        DONE = "done", _("done")

    class To(models.TextChoices):
        HELD = Signature.State.HELD, _("suspend")
        REJECTED = Signature.State.REJECTED, _("reject")

    domain = models.CharField(
        _("mail domain"), max_length=255, blank=True, help_text=_("Such as example.org.")
    )
    country = models.CharField(_("country"), max_length=2, blank=True)
    language = models.CharField(_("language"), max_length=2, blank=True, choices=languages.CHOICES)
    since = models.DateTimeField(_("signed from"), null=True, blank=True)
    until = models.DateTimeField(_("signed before"), null=True, blank=True)
    to = models.CharField(_("what to do"), max_length=10, choices=To, default=To.HELD)
    reason = models.CharField(_("reason"), max_length=10, choices=Signature.Reason)
    note = models.CharField(
        _("note"), max_length=200, blank=True, help_text=_("No names and no addresses.")
    )
    by = models.CharField(_("by"), max_length=150)
    # That of its preview: who signs later is not swept.
    made_at = models.DateTimeField(_("started"), default=timezone.now)
    expected = models.PositiveIntegerField(_("expected"))
    task = models.CharField(_("task"), max_length=5, choices=Task, default=Task.APPLY)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.WAITING)
    moved = models.PositiveIntegerField(_("set aside"), default=0)
    restored = models.PositiveIntegerField(_("restored"), default=0)
    # For the public ledger: since when it runs; how many of those were counted, and are again;
    # under which rules of counting; since when it is undone.
    begun_at = models.DateTimeField(null=True)
    lowered = models.PositiveIntegerField(default=0)
    raised = models.PositiveIntegerField(default=0)
    rules = models.PositiveSmallIntegerField(default=1)
    undo_at = models.DateTimeField(null=True)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    # The process that has it in its hands, its last sign of life, and how far it has come.
    worker = models.CharField(max_length=100, blank=True)
    beat_at = models.DateTimeField(null=True, blank=True)
    reached_at = models.DateTimeField(null=True, blank=True)
    reached_pk = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("bulk removal")
        verbose_name_plural = _("bulk removals")
        default_permissions = ["view"]
        permissions = [("run_sweep", _("Can run, stop and undo bulk removals"))]
        constraints = [
            models.CheckConstraint(
                name="a_sweep_has_a_condition",
                condition=~models.Q(domain="", country="", language="", since=None, until=None),
            ),
            # Of one preview comes one sweep, however often its button is pressed.
            models.UniqueConstraint(fields=["by", "made_at"], name="one_sweep_a_preview"),
        ]

    def __str__(self):
        return str(self.pk)


class SweepMove(models.Model):
    """What a sweep did to one signature, so that it can be undone exactly."""

    sweep = models.ForeignKey(Sweep, models.CASCADE, related_name="moves")
    signature = models.ForeignKey(Signature, models.CASCADE, related_name="sweep_moves")
    was = models.CharField(max_length=10, choices=Signature.State)
    was_reason = models.CharField(max_length=10, choices=Signature.Reason, blank=True)
    was_since = models.DateTimeField()
    at = models.DateTimeField()
    restored_at = models.DateTimeField(null=True)
    # It was restored to be counted.
    raised = models.BooleanField(default=False)

    class Meta:
        default_permissions = []
        constraints = [
            models.UniqueConstraint(
                fields=["sweep", "signature"], name="a_sweep_moves_a_signature_once"
            )
        ]

    def __str__(self):
        return f"{self.sweep_id}: {self.signature_id}"
