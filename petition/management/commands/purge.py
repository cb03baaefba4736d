"""Deletes what is no longer needed."""

from django.core.management.base import BaseCommand

from petition.signing import privacy


class Command(BaseCommand):
    help = (
        "Deletes signatures that nobody confirmed in time, old letters, and names once their day "
        "has come. Run it every day."
    )

    def handle(self, **options):
        done = privacy.purge()
        self.stdout.write(f"Deleted {done['signatures']} signatures and {done['letters']} letters.")
        if done["identities"]:
            self.stdout.write(f"Erased {done['identities']} names and addresses (IDENTITIES_END).")
