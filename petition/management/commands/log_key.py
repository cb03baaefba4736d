"""Makes a key for the log, and says which verifier key belongs to the one in use."""

import base64
import secrets

from django.core.management.base import BaseCommand

from petition.log import sequencer


class Command(BaseCommand):
    help = "Prints a new LOG_KEY, or with --verifier the verifier key of the one in use."

    def add_arguments(self, parser):
        parser.add_argument("--verifier", action="store_true", help="print the verifier key")

    def handle(self, *, verifier: bool, **options):
        if verifier:
            key = sequencer.verifier()
            self.stdout.write(str(key) if key else "LOG_KEY is not set.")
            return
        self.stdout.write(base64.urlsafe_b64encode(secrets.token_bytes(32)).decode())
