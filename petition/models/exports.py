"""What was exported, by whom, and how far it came."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Export(models.Model):
    """One export. It holds none of what was exported."""

    class Kind(models.TextChoices):
        TALLIES = "tallies", _("tallies")
        CASES = "cases", _("public prisoner cases")
        SIGNATURES = "signatures", _("signatures for delivery")

    class State(models.TextChoices):
        RUNNING = "running", _("running")
        FINISHED = "finished", _("finished")
        STOPPED = "stopped", _("stopped")

    kind = models.CharField(_("kind"), max_length=10, choices=Kind)
    by = models.CharField(_("by"), max_length=150)
    reason = models.CharField(_("reason"), max_length=200, blank=True)
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.RUNNING)
    expected = models.PositiveIntegerField(_("rows expected"))
    rows = models.PositiveIntegerField(_("rows"), default=0)
    # Rows that no data key reads: left out, and said.
    unreadable = models.PositiveIntegerField(_("unreadable rows"), default=0)
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    beat_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)

    class Meta:
        verbose_name = _("export")
        verbose_name_plural = _("exports")
        default_permissions = ["view"]

    def __str__(self):
        return str(self.pk)
