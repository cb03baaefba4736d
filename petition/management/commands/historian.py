"""Draws up the public figures on the hour, notes milestones, and keeps the log."""

import logging

from petition.figures import history, milestones
from petition.log import copies, sequencer, witnesses
from petition.management.worker import Worker
from petition.signing import tallies

logger = logging.getLogger(__name__)


def _published() -> tuple[int, int]:
    counter = tallies.read_counter()
    return counter.online, counter.paper


class Command(Worker):
    name, look_every = "historian", 5
    what_waits = "The figures of this hour wait."
    help = (
        "Draws up the public figures of each hour, notes milestones and appends to the log, until "
        "stopped; several may run at once."
    )

    def add_arguments(self, parser):
        parser.add_argument("--once", action="store_true", help="draw up this hour's, then exit")

    def handle(self, *, once: bool, **options):
        if once:
            drawn = history.draw_up()
            self._log()
            for milestone in milestones.note():
                self.stdout.write(f"Reached: {milestone.percent} % of the goal.")
            self.stdout.write(f"Drawn up: {drawn.at:%Y-%m-%d %H:%M} UTC." if drawn else "Done.")
            return
        self.until_stopped()

    def turn(self):
        history.draw_up()
        milestones.note()
        self._log()

    def _log(self):
        """Everything that waits; what is more than a batch goes in several."""
        while sequencer.append(_published, tallies.RULES) >= sequencer.BATCH:
            if self.is_stopped():
                return
        witnesses.ask()
        try:
            copies.keep()
        except OSError as error:
            logger.warning("%s The log's files are not copied to this host.", type(error).__name__)
