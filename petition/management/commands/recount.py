"""Compares every counter with the signatures it counts."""

from django.core.management.base import BaseCommand

from petition.ground import replica
from petition.signing import tallies


class Command(BaseCommand):
    help = "Compares every counter with the signatures it counts; exits 1 where they differ."

    def add_arguments(self, parser):
        parser.add_argument("--fix", action="store_true", help="set the counters right")

    def handle(self, *, fix: bool, verbosity: int, **options):
        differences = tallies.mend() if fix else tallies.recount(replica.source().alias)
        for d in differences:
            name = f"{d.channel} {d.dimension} {d.value}".strip()
            verb = "said" if fix else "says"
            self.stdout.write(
                f"{name}: the counter {verb} {d.counter}, the signatures {d.signatures}"
            )
        if not differences and verbosity == 0:
            return  # For cron: what is right needs no mail.
        if not differences:
            self.stdout.write(f"All counters agree: {tallies.read_counter().total} signatures.")
        elif fix:
            self.stdout.write(f"{len(differences)} counters set right.")
        else:
            self.stderr.write(f"{len(differences)} counters differ. Mend them with: recount --fix")
            raise SystemExit(1)
