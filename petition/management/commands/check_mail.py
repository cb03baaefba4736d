"""Sends one letter to an address of the operator's own, and says what is missing in DNS."""

import smtplib

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.core.management.base import BaseCommand, CommandError
from django.core.validators import validate_email

from petition.letters import dns_records

TEXT = (
    "This is a test of the mail server. Look at the head of this mail: spf, dkim and dmarc should "
    "each say pass.\n"
)


class Command(BaseCommand):
    help = "Sends one letter to ADDRESS and says what is missing in DNS; exits 1 where anything is."

    def add_arguments(self, parser):
        parser.add_argument("address", help="a mailbox of yours, best at a large provider")
        parser.add_argument("--selector", default="", help="the DKIM key of the mail server")

    def handle(self, *, address: str, selector: str, **options):
        if not settings.EMAIL_BACKEND:
            raise CommandError("EMAIL_URL is not set. Set it to smtp+tls://user:password@host:587.")
        try:
            validate_email(address)
        except ValidationError:
            raise CommandError("Write one e-mail address, such as you@example.org.") from None
        try:
            EmailMessage(
                "Test of the mail server", TEXT, settings.BOUNCE_ADDRESS or None, [address],
                headers={"From": settings.DEFAULT_FROM_EMAIL, "Auto-Submitted": "auto-generated"},
            ).send()  # fmt: skip
        except (smtplib.SMTPException, OSError) as error:
            said = f"{type(error).__name__} {getattr(error, 'smtp_code', '')}".strip()
            raise CommandError(f"The mail server does not take it: {said}.") from None
        self.stdout.write("The mail server took it. Look whether it arrives, and where.")
        sender = settings.DEFAULT_FROM_EMAIL.rpartition("<")[2].rstrip(">")
        wrong = list(dns_records.missing(sender, settings.BOUNCE_ADDRESS, selector))
        for line in wrong:
            self.stdout.write(line)
        if wrong:
            raise CommandError(f"{len(wrong)} things to mend.")
        self.stdout.write("SPF, DKIM and DMARC are there.")
