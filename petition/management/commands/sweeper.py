"""Runs the sweeps that coordinators started."""

from petition.management.worker import Worker
from petition.signing import sweeps


class Command(Worker):
    name, look_every = "sweeper", 2
    what_waits = "Sweeps wait."
    help = "Runs sweeps, until stopped; several may run at once."

    def add_arguments(self, parser):
        parser.add_argument("--once", action="store_true", help="run what waits now, then exit")

    def handle(self, *, once: bool, **options):
        if once:
            self.stdout.write(f"Sweeps that came to their end: {sweeps.run()}.")
        else:
            self.until_stopped()

    def turn(self):
        sweeps.run(self.is_stopped)
