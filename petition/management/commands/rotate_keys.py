"""Moves all personal data to the first data key."""

from django.core.management.base import BaseCommand, CommandError

from petition import privacy


class Command(BaseCommand):
    help = "Encrypts every signature again under the first of DATA_KEYS; then the others may go."

    def handle(self, **options):
        done = privacy.rotate_keys()
        self.stdout.write(f"Signatures moved to the first key: {done['moved']}.")
        if done["doubles"]:
            self.stdout.write(f"Second signatures of one mailbox taken off: {done['doubles']}.")
        if done["unreadable"]:
            raise CommandError(
                f"Signatures that no key in DATA_KEYS reads: {done['unreadable']}. "
                "Put their key back in the list and run this again."
            )
