"""When a worker last said that it lives."""

from django.db import models


class Heartbeat(models.Model):
    """One row for each kind of worker and host."""

    worker = models.CharField(max_length=20)
    host = models.CharField(max_length=60)
    at = models.DateTimeField()

    class Meta:
        default_permissions = ()
        constraints = [
            models.UniqueConstraint(fields=["worker", "host"], name="one_heartbeat_a_host")
        ]

    def __str__(self):
        return f"{self.worker} {self.host}"
