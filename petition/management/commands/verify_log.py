"""Compares the log, the counters and the signatures."""

from django.core.management.base import BaseCommand

from petition.log import verify
from petition.log.sequencer import snapshot
from petition.signing import tallies


class Command(BaseCommand):
    help = "Compares log, counters and signatures in one moment; exits 1 where they differ."

    def handle(self, **options):
        with snapshot():
            found, counter = verify.figures(), tallies.read_counter()
            problems = verify.problems()
        counted = (counter.online, counter.paper)
        for name, figures in (("log", found.log), ("signatures", found.rows)):
            if figures != counted:
                problems.append(f"The counters say {counted} online and on paper, the {name} "
                                f"{figures}.")  # fmt: skip
        for problem in problems:
            self.stderr.write(problem)
        if problems:
            raise SystemExit(1)
        self.stdout.write(f"Log, counters and signatures agree: {sum(counted)} signatures.")
