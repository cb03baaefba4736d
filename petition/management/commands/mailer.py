"""Sends the letters that are due."""

import logging

from django.conf import settings
from django.core.management.base import CommandError
from django.db import DatabaseError, connection

from petition.desk import daily
from petition.letters import owing, sending
from petition.management.worker import Worker
from petition.web import installation

logger = logging.getLogger(__name__)

LONGEST_PAUSE_SECONDS = 300


class Command(Worker):
    name, look_every = "mailer", 1
    what_waits = "Letters wait."
    pause: float = look_every
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
            self.until_stopped()

    def _once(self):
        try:
            sent = sending.send_due()
            daily.send_due()
        except sending.ServerUnavailable as error:
            raise CommandError(f"{error} {owing.waiting()} letters wait.") from None
        self.stdout.write(f"Letters sent: {sent}. Letters that wait: {owing.waiting()}.")

    def turn(self):
        """A mail server that is down is asked less and less often; the database, as ever."""
        try:
            sending.send_due(self.is_stopped)
            daily.send_due()
            self.pause = self.look_every
        except sending.ServerUnavailable as error:
            longer = min(self.pause * 2, LONGEST_PAUSE_SECONDS)
            self.pause = self.look_every if error.sent else longer
            logger.warning("%s Letters wait; the next try is in %s s.", error, self.pause)
            connection.close()
        return self.pause
