"""The counters: each total is the sum of a few slots, so that writers rarely meet."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Tally(models.Model):
    """How many signatures of a channel have `value` in `dimension`, as far as one slot knows.

    All dimensions but `state` and `left` are about counted ones. `left` only grows: how many were
    counted and are not any more, by what became of them. A slot alone means nothing and may be
    negative: only sums over the slots are figures.
    """

    # What became of signatures that nobody confirmed in time: they are deleted, their number stays.
    EXPIRED = "expired"
    # What became of what left the count besides the states: a sheet taken out, a counter mended.
    TAKEN_OUT = "void"
    RECOUNTED = "recount"

    class Channel(models.TextChoices):
        ONLINE = "online", _("online")
        PAPER = "paper", _("on paper")

    class Dimension(models.TextChoices):
        TOTAL = "total", _("all")
        COUNTRY = "country", _("country")
        DAY = "day", _("day")
        LANGUAGE = "language", _("language")
        TRACK = "track", _("track")
        STATE = "state", _("state, where not counted")
        LEFT = "left", _("no longer counted")

    channel = models.CharField(_("channel"), max_length=8, choices=Channel, default=Channel.ONLINE)
    dimension = models.CharField(_("dimension"), max_length=8, choices=Dimension)
    value = models.CharField(_("value"), max_length=20, blank=True)
    slot = models.PositiveSmallIntegerField(_("slot"))
    count = models.BigIntegerField(_("count"), default=0)
    changed_at = models.DateTimeField(_("changed"), default=timezone.now)

    class Meta:
        verbose_name = _("tally")
        verbose_name_plural = _("tallies")
        default_permissions = []
        permissions = [("export_tally", _("Can export the tallies"))]
        constraints = [
            models.UniqueConstraint(
                fields=["channel", "dimension", "value", "slot"], name="one_row_a_channel_and_slot"
            )
        ]

    def __str__(self):
        return f"{self.channel} {self.dimension} {self.value} [{self.slot}]"
