"""Checks the chain of audit entries."""

from django.core.management.base import BaseCommand, CommandError

from petition import audit


class Command(BaseCommand):
    help = "Checks that no audit entry was altered, taken out or put in; exits 1 where one was."

    def add_arguments(self, parser):
        parser.add_argument(
            "--head", metavar="NUMBER:HASH", help="what an earlier run printed and was kept since"
        )

        parser.add_argument(
            "--mark",
            metavar="MARK",
            help="what a checkpoint of the public log said, kept elsewhere",
        )

    def handle(self, *, head: str | None, mark: str | None = None, **options):
        if wrong := audit.broken():
            numbers = ", ".join(map(str, wrong[:10]))
            raise CommandError(f"The audit was altered at {len(wrong)} entries: {numbers}.")
        try:
            audit.check_seal()
        except audit.WrongSeal as error:
            raise CommandError(f"The audit does not end as the site sealed it: {error}.") from None
        if head:
            try:
                audit.check_head(head)
            except audit.NoSuchHead:
                raise CommandError(
                    f"The audit does not hold {head}: entries were rewritten or cut off."
                ) from None
        if mark:
            try:
                number = audit.check_mark(mark)
            except audit.NoSuchHead:
                raise CommandError(
                    f"The audit holds no entry with the mark {mark}: entries were rewritten or cut "
                    "off, or DATA_KEYS lacks the key of that day."
                ) from None
            self.stdout.write(f"The mark is that of entry {number}.")
        self.stdout.write(f"The chain is whole. Keep its head elsewhere: {audit.head()}")
