"""Moves all personal data to the first data key."""

from django.core.management.base import BaseCommand, CommandError

from petition import audit
from petition.desk import daily, two_factor
from petition.signing import privacy
from petition.web import installation


class Command(BaseCommand):
    help = "Encrypts all personal data again under the first of DATA_KEYS; then the others may go."

    def handle(self, **options):
        accounts = two_factor.rotate_keys()
        daily.rotate_keys()
        done = privacy.rotate_keys()
        self.stdout.write(f"Signatures moved to the first key: {done['moved']}.")
        if done["doubles"]:
            self.stdout.write(f"Second signatures of one mailbox taken off: {done['doubles']}.")
        if done["held"]:
            self.stdout.write(
                f"Signatures held, since only a tag (+) told them from another: {done['held']}. "
                "The desk lists them by their reason."
            )
        if done["nameless"]:
            self.stdout.write(
                f"Signatures whose address has ended: {done['nameless']}. The indexes of their "
                "mailboxes stay under the key of then: leave it in DATA_KEYS."
            )
        unreadable = {"Signatures": done["unreadable"], "Second factors": accounts["unreadable"]}
        if any(unreadable.values()):
            said = [f"{what} that no key in DATA_KEYS reads: {n}." for what, n in unreadable.items()
                    if n]  # fmt: skip
            raise CommandError(
                f"{' '.join(said)} Put their key back in the list and run this again."
            )
        try:
            audit.reseal()
        except audit.WrongSeal as error:
            raise CommandError(
                f"The audit keeps its old seal, which does not fit: {error}."
            ) from None
        installation.keys_are_rotated()
