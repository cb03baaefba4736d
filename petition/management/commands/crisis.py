"""Lets pages stand still on a bad day."""

from django.core.management.base import BaseCommand

from petition.web import installation


class Command(BaseCommand):
    help = (
        "on: every page but signing stands still, five minutes at a time, and says of when it is. "
        "off: pages are made anew as usual. Without a word: says which."
    )

    def add_arguments(self, parser):
        parser.add_argument("state", nargs="?", choices=["on", "off"])

    def handle(self, *, state: str | None, **options):
        if state:
            installation.set_crisis(on=state == "on")
        self.stdout.write(f"Crisis: {'on' if installation.is_crisis() else 'off'}.")
