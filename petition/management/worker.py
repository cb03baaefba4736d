"""What the commands that work until they are stopped have in common."""

import logging
import signal
import time
from abc import ABC, abstractmethod

from django.core.management.base import BaseCommand
from django.db import DatabaseError, connection

from petition.web import heartbeats

logger = logging.getLogger(__name__)


class Worker(ABC, BaseCommand):
    """Takes turns until SIGTERM or SIGINT, and tells the database every few seconds that it lives.

    Subclasses have `name`, `look_every` (seconds between turns), `what_waits` for the log, and
    `turn`, in which long work asks `is_stopped` between its parts.
    """

    name: str
    look_every: float
    what_waits: str
    stopped = False

    @abstractmethod
    def turn(self) -> float | None:
        """Do what is due; the seconds until the next turn, or None for `look_every`."""

    def until_stopped(self) -> None:
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        while not self.is_stopped():
            pause = None
            try:
                pause = self.turn()
            except DatabaseError as error:
                logger.warning("%s %s", type(error).__name__, self.what_waits)
                connection.close()
            self._sleep(pause or self.look_every)

    def is_stopped(self) -> bool:
        heartbeats.beat(self.name)
        return self.stopped

    def _stop(self, *_) -> None:
        """What is in hand is still finished and written down."""
        self.stopped = True

    def _sleep(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while not self.stopped and time.monotonic() < until:
            time.sleep(0.2)
            heartbeats.beat(self.name)
