"""Reads what came back: reports of letters that did not arrive, and complaints."""

import imaplib
import sys
from collections import Counter

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from petition.letters import bounces

TIMEOUT_SECONDS = 30


class Command(BaseCommand):
    help = "Reads reports from BOUNCE_MAILBOX (IMAP), or one from a pipe, and exits."

    def add_arguments(self, parser):
        parser.add_argument("--pipe", action="store_true", help="read one mail from standard input")

    def handle(self, *, pipe: bool, **options):
        if pipe:
            found = Counter([bounces.take(sys.stdin.buffer.read(bounces.MOST_BYTES))])
        elif settings.BOUNCE_MAILBOX:
            found = self._mailbox()
        else:
            raise CommandError(
                "BOUNCE_MAILBOX is not set. Set it to imap+ssl://user:password@host/INBOX, or let "
                "the mail server run manage.py bounces --pipe."
            )
        kinds = Counter(report.kind for report in found.elements())
        said = ", ".join(f"{kind.value}: {kinds[kind]}" for kind in bounces.Kind if kinds[kind])
        self.stdout.write(said or "Nothing came back.")

    def _mailbox(self) -> Counter[bounces.Report]:
        """Each mail that was not read before; it is marked as read once what follows is stored."""
        box = settings.BOUNCE_MAILBOX
        found: Counter[bounces.Report] = Counter()
        try:
            make = imaplib.IMAP4_SSL if box["ssl"] else imaplib.IMAP4
            with make(box["host"], box["port"], timeout=TIMEOUT_SECONDS) as server:
                server.login(box["user"], box["password"])
                server.select(box["folder"])
                for number in server.search(None, "UNSEEN")[1][0].split():
                    for part in server.fetch(number, "(BODY.PEEK[])")[1]:
                        if isinstance(part, tuple):
                            found[bounces.take(part[1])] += 1
                    server.store(number, "+FLAGS", "\\Seen")
        except (imaplib.IMAP4.error, OSError) as error:
            raise CommandError(f"BOUNCE_MAILBOX cannot be read: {type(error).__name__}.") from None
        return found
