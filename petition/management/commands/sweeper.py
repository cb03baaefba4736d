"""Runs the sweeps that coordinators started."""

import logging
import signal
import time

from django.core.management.base import BaseCommand
from django.db import DatabaseError, connection

from petition.signing import sweeps

logger = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 2


class Command(BaseCommand):
    help = "Runs sweeps, until stopped; several may run at once."

    def add_arguments(self, parser):
        parser.add_argument("--once", action="store_true", help="run what waits now, then exit")

    def handle(self, *, once: bool, **options):
        self.stopped = False
        if once:
            self.stdout.write(f"Sweeps that came to their end: {sweeps.run()}.")
            return
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        while not self.stopped:
            try:
                sweeps.run(lambda: self.stopped)
            except DatabaseError as error:
                logger.warning("%s Sweeps wait.", type(error).__name__)
                connection.close()
            self._sleep()

    def _stop(self, *_):
        """The batch in hand is still finished and written down."""
        self.stopped = True

    def _sleep(self):
        until = time.monotonic() + LOOK_EVERY_SECONDS
        while not self.stopped and time.monotonic() < until:
            time.sleep(0.2)
