"""The figures as they were published, hour by hour, kept for good."""

from django.db import models
from django.utils import timezone


class Hour(models.Model):
    """The public figures of one moment, the first of its hour at which somebody drew them up.

    `came` and what left (`withdrawn`, `set_aside`, `taken_out`) are sums since the first signature:
    online + paper = came − all that left. `tables` are those of `disclosure.Table`, by dimension,
    exactly as they were published; empty where a row was reconstructed from the counters by day, as
    for all days before the first drawing.
    """

    hour = models.DateTimeField(unique=True)
    at = models.DateTimeField(default=timezone.now)
    online = models.BigIntegerField()
    paper = models.BigIntegerField()
    came = models.BigIntegerField()
    withdrawn = models.BigIntegerField(default=0)
    set_aside = models.BigIntegerField(default=0)
    taken_out = models.BigIntegerField(default=0)
    tables = models.JSONField(default=dict)
    # The first of its day (UTC): what it says is how the day before ended.
    opens_day = models.BooleanField(default=False)
    # Signatures that are not counted, by state, in tens; drawn up with the first of a day.
    states = models.JSONField(null=True)

    class Meta:
        default_permissions = []
        indexes = [
            models.Index(
                fields=["hour"], name="hours_that_open_a_day", condition=models.Q(opens_day=True)
            )
        ]
        constraints = [
            models.CheckConstraint(
                name="what_came_is_counted_or_left",
                condition=models.Q(
                    came=models.F("online")
                    + models.F("paper")
                    + models.F("withdrawn")
                    + models.F("set_aside")
                    + models.F("taken_out")
                ),
            )
        ]

    def __str__(self):
        return f"{self.hour:%Y-%m-%d %H}"

    @property
    def total(self) -> int:
        return self.online + self.paper


class Mend(models.Model):
    """By how much `recount --fix` changed the public figure."""

    made_at = models.DateTimeField(default=timezone.now)
    count = models.BigIntegerField()
    rules = models.PositiveSmallIntegerField()

    class Meta:
        default_permissions = []

    def __str__(self):
        return f"{self.count:+}"
