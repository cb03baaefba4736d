"""Writes a static copy of the public site."""

from pathlib import Path

from django.core.management.base import BaseCommand, CommandError
from django.core.wsgi import get_wsgi_application

from petition.web import mirror


class Command(BaseCommand):
    help = (
        "Writes the public pages, figures and log into a directory that any web server can serve; "
        "profiles of prisoners and forms are not in it."
    )

    def add_arguments(self, parser):
        parser.add_argument("directory", type=Path)

    def handle(self, *, directory: Path, **options):
        try:
            written = mirror.write(get_wsgi_application(), directory)
        except mirror.Unwritten as error:
            raise CommandError(f"{error} cannot be read: the copy is not complete.") from None
        self.stdout.write(f"{written} files are in {directory}.")
