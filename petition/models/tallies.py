"""The counters: each total is the sum of a few slots, so that writers rarely meet."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Tally(models.Model):
    """How many counted signatures have `value` in `dimension`, as far as one slot knows.

    A slot alone means nothing and may be negative: only sums over the slots are figures.
    """

    class Dimension(models.TextChoices):
        TOTAL = "total", _("all")
        COUNTRY = "country", _("country")
        DAY = "day", _("day")
        LANGUAGE = "language", _("language")
        TRACK = "track", _("track")

    dimension = models.CharField(_("dimension"), max_length=8, choices=Dimension)
    value = models.CharField(_("value"), max_length=20, blank=True)
    slot = models.PositiveSmallIntegerField(_("slot"))
    count = models.BigIntegerField(_("count"), default=0)
    changed_at = models.DateTimeField(_("changed"), default=timezone.now)

    class Meta:
        verbose_name = _("tally")
        verbose_name_plural = _("tallies")
        constraints = [
            models.UniqueConstraint(fields=["dimension", "value", "slot"], name="one_row_a_slot")
        ]

    def __str__(self):
        return f"{self.dimension} {self.value} [{self.slot}]"
