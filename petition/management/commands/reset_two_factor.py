"""The way back in from the shell for who has lost phone and recovery codes."""

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError

from petition.desk import two_factor


class Command(BaseCommand):
    help = "Takes an account's second factor away; its next sign-in sets up a new one."

    def add_arguments(self, parser):
        parser.add_argument("username", metavar="USERNAME")

    def handle(self, *, username: str, **options):
        user = User.objects.filter(username=username).first()
        if user is None:
            raise CommandError("There is no account of this name.")
        two_factor.reset(None, user)
        self.stdout.write("Done: its sessions have ended, and its next sign-in sets up a new one.")
