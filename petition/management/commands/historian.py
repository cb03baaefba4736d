"""Draws up the public figures on the hour, notes milestones, and keeps the log."""

import logging
import signal
import time

from django.core.management.base import BaseCommand
from django.db import DatabaseError, connection

from petition.figures import history, milestones
from petition.log import sequencer, witnesses
from petition.signing import tallies

logger = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 5


def _published() -> tuple[int, int]:
    counter = tallies.read_counter()
    return counter.online, counter.paper


class Command(BaseCommand):
    help = (
        "Draws up the public figures of each hour, notes milestones and appends to the log, until "
        "stopped; several may run at once."
    )

    def add_arguments(self, parser):
        parser.add_argument("--once", action="store_true", help="draw up this hour's, then exit")

    def handle(self, *, once: bool, **options):
        self.stopped = False
        if once:
            drawn = history.draw_up()
            self._log()
            for milestone in milestones.note():
                self.stdout.write(f"Reached: {milestone.percent} % of the goal.")
            self.stdout.write(f"Drawn up: {drawn.at:%Y-%m-%d %H:%M} UTC." if drawn else "Done.")
            return
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        while not self.stopped:
            try:
                history.draw_up()
                milestones.note()
                self._log()
            except DatabaseError as error:
                logger.warning("%s The figures of this hour wait.", type(error).__name__)
                connection.close()
            self._sleep()

    def _log(self):
        """Everything that waits; what is more than a batch goes in several."""
        while sequencer.append(_published, tallies.RULES) >= sequencer.BATCH:
            if self.stopped:
                return
        witnesses.ask()

    def _stop(self, *_):
        self.stopped = True

    def _sleep(self):
        until = time.monotonic() + LOOK_EVERY_SECONDS
        while not self.stopped and time.monotonic() < until:
            time.sleep(0.2)
