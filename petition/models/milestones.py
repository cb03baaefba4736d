"""Shares of the goal that were reached, kept for good."""

from django.db import models
from django.utils import timezone

from petition.models.news import News


class Milestone(models.Model):
    """A share of the goal, and the count that was first seen to have reached it. It stays where
    the count falls again: it says what was so then."""

    percent = models.PositiveSmallIntegerField(unique=True)
    figure = models.BigIntegerField()
    goal = models.BigIntegerField()
    reached_at = models.DateTimeField(default=timezone.now)
    # Drafted for the editors; those that were reached at one moment share it.
    story = models.ForeignKey(News, models.SET_NULL, null=True, related_name="+")

    class Meta:
        default_permissions = []
        constraints = [
            models.CheckConstraint(
                name="a_milestone_was_reached",
                condition=models.Q(figure__gte=models.F("percent") * models.F("goal") / 100),
            )
        ]

    def __str__(self):
        return f"{self.percent} %"
