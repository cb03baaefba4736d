"""Addresses outside ASCII (RFC 6531): whether our mail server carries them, and how they are sent.

Django's backend would write such an address as an encoded word, which is another mailbox.
"""

import smtplib

from django.conf import settings
from django.core.cache import caches
from django.core.mail import EmailMessage, get_connection
from django.core.mail.backends import smtp
from django.core.mail.message import sanitize_address

ASKED_AGAIN_SECONDS, SILENT_SECONDS = 3600, 60
PATIENCE_SECONDS = 3  # A signer waits for the answer.
EXTENSION = "smtputf8"
_PLACE = "to-an-address-outside-ascii"


class EmailBackend(smtp.EmailBackend):
    """Django's, which sends to addresses outside ASCII where the server has the extension, and
    letters as they are written (`compose.Mail`)."""

    def _send(self, email_message: EmailMessage) -> bool:
        recipients = email_message.recipients()
        connection = self.connection
        assert connection  # noqa: S101 - open: Django calls this within a conversation.
        if not recipients or all(address.isascii() for address in recipients):
            if not (written := getattr(email_message, "written", b"")):
                return super()._send(email_message)  # type: ignore[misc]  # Not in the stubs.
            sender = email_message.from_email
            if not sender.isascii():
                sender = sanitize_address(sender, "utf-8")
            connection.sendmail(sender, recipients, written)
            return True
        connection.ehlo_or_helo_if_needed()
        if not connection.has_extn(EXTENSION):
            # It did when the address was typed: try again later, and delay nobody else (RFC 6531).
            raise smtplib.SMTPRecipientsRefused(dict.fromkeys(recipients, (450, b"4.6.7")))
        email_message.extra_headers["To"] = _PLACE
        raw = email_message.message().as_bytes(linesep="\r\n")
        told = f"To: {', '.join(recipients)}".encode()
        connection.sendmail(
            email_message.from_email,
            recipients,
            raw.replace(f"To: {_PLACE}".encode(), told, 1),
            mail_options=["SMTPUTF8", "BODY=8BITMIME"],
        )
        return True


def carries_unicode() -> bool:
    """Whether the mail server takes addresses outside ASCII; asked once an hour in a process. Where
    it does not answer, no."""
    if f"{__name__}.EmailBackend" != settings.EMAIL_BACKEND:
        return bool(settings.EMAIL_BACKEND)  # What keeps letters in files takes any address.
    known = caches["process"].get("smtputf8")
    if known is None:
        answer = _ask()
        known = bool(answer)
        seconds = ASKED_AGAIN_SECONDS if answer is not None else SILENT_SECONDS
        caches["process"].set("smtputf8", known, seconds)
    return known


def _ask() -> bool | None:
    """None where the server does not answer."""
    connection = get_connection(timeout=PATIENCE_SECONDS)
    try:
        connection.open()
        connection.connection.ehlo_or_helo_if_needed()
        return bool(connection.connection.has_extn(EXTENSION))
    except (smtplib.SMTPException, OSError):
        return None
    finally:
        connection.close()
