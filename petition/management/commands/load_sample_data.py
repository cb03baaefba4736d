"""Loads fictional, labelled data, or takes it away again."""

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from petition.management import samples


class Command(BaseCommand):
    help = "Loads fictional, labelled data for a development machine; --remove takes it away."

    def add_arguments(self, parser):
        parser.add_argument("--remove", action="store_true", help="take all of it away")

    def handle(self, *, remove: bool, **options):
        if remove:
            samples.remove()
            self.stdout.write("The sample data is gone. The audit keeps its entries.")
            return
        if not settings.DEBUG:
            raise CommandError("DEBUG is 0: sample data is for development machines only.")
        try:
            samples.load()
        except samples.LoadedAlready:
            raise CommandError("It is loaded already. Take it away first: --remove") from None
        except samples.RealSignatures:
            raise CommandError(
                "There are signatures in this database. Sample data is never mixed with them: "
                "use another database."
            ) from None
        self.stdout.write(
            f"Loaded {len(samples.CASES)} cases, news, {samples.SIGNATURES} signatures and "
            "sheets. Every page says that they are samples. Take them away with: "
            "load_sample_data --remove"
        )
