"""Sends the letters that are due."""

import logging
import signal
import time

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, connection

from petition.letters import sending
from petition.web import installation

logger = logging.getLogger(__name__)

LOOK_EVERY_SECONDS = 1
LONGEST_PAUSE_SECONDS = 300


class Command(BaseCommand):
    help = "Sends what is due, until stopped; several may run at once."

    def add_arguments(self, parser):
        parser.add_argument("--once", action="store_true", help="send what is due now, then exit")
        parser.add_argument(
            "--adopt", action="store_true", help="send from a database that was restored"
        )

    def handle(self, *, once: bool, adopt: bool = False, **options):
        if not settings.EMAIL_BACKEND:
            raise CommandError(
                "EMAIL_URL is not set: letters wait. Set it to smtp+tls://user:password@host:587."
            )
        try:
            installation.check_keys()
            installation.check_database(adopt=adopt)
        except installation.Wrong as error:
            raise CommandError(str(error)) from None
        except DatabaseError:
            if once:
                raise
        if once:
            self._once()
        else:
            self._until_stopped()

    def _once(self):
        try:
            sent = sending.send_due()
        except sending.ServerUnavailable as error:
            raise CommandError(f"{error} {sending.waiting()} letters wait.") from None
        self.stdout.write(f"Letters sent: {sent}. Letters that wait: {sending.waiting()}.")

    def _until_stopped(self):
        self.stopped = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._stop)
        pause = LOOK_EVERY_SECONDS
        while not self.stopped:
            try:
                sending.send_due(lambda: self.stopped)
                pause = LOOK_EVERY_SECONDS
            except (sending.ServerUnavailable, DatabaseError) as error:
                went_out = getattr(error, "sent", 0)
                pause = LOOK_EVERY_SECONDS if went_out else min(pause * 2, LONGEST_PAUSE_SECONDS)
                said = (
                    error if isinstance(error, sending.ServerUnavailable) else type(error).__name__
                )
                logger.warning("%s Letters wait; the next try is in %s s.", said, pause)
                connection.close()
            self._sleep(pause)

    def _stop(self, *_):
        """The letter in hand is still sent and marked."""
        self.stopped = True

    def _sleep(self, seconds: float):
        until = time.monotonic() + seconds
        while not self.stopped and time.monotonic() < until:
            time.sleep(0.2)
