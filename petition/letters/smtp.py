"""Sends letters as they are written, with as few waits for the mail server as it allows.

And addresses outside ASCII (RFC 6531): whether our mail server carries them, and how they are sent.
Django's backend would write such an address as an encoded word, which is another mailbox.
"""

import re
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
# The replies to MAIL, RCPT and DATA with which a server goes on.
ACCEPTS = ((250,), (250, 251), (354,))


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
            _deliver(connection, sender, recipients, written)
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


def _deliver(connection: smtplib.SMTP, sender: str, recipients: list[str], written: bytes) -> None:
    """A mail whose commands go together where there is one recipient and the server offers that
    (RFC 2920): one wait instead of three. Raises as `sendmail` does, whose work it does otherwise.
    """
    if re.search(r"[\r\n]", sender + "".join(recipients)):
        raise ValueError("an address breaks its line")
    connection.ehlo_or_helo_if_needed()
    if not connection.has_extn("pipelining") or len(recipients) > 1:
        connection.sendmail(sender, recipients, written)
        return
    recipient = recipients[0]
    commands = [
        f"MAIL FROM:{smtplib.quoteaddr(sender)} {_size(connection, written)}".strip(),
        f"RCPT TO:{smtplib.quoteaddr(recipient)}",
        "DATA",
    ]
    connection.send("".join(f"{command}\r\n" for command in commands))
    replies: list[tuple[int, bytes]] = []
    broke_off = None
    try:
        for _ in commands:
            replies.append(connection.getreply())
    except smtplib.SMTPServerDisconnected as error:
        broke_off = error  # Whom it refused before, it has refused.
    accepted = [code in good for (code, _), good in zip(replies, ACCEPTS, strict=False)]
    if not all(accepted):
        if accepted[2:] == [True]:
            connection.close()  # It would take whatever comes next for the text.
        refused = replies[accepted.index(False)]
        if not accepted[0]:
            raise smtplib.SMTPSenderRefused(*refused, sender)
        if not accepted[1]:
            raise smtplib.SMTPRecipientsRefused({recipient: refused})
        raise smtplib.SMTPDataError(*refused)
    if broke_off:
        raise broke_off
    connection.send(written.replace(b"\n.", b"\n..") + b"\r\n.\r\n")
    code, reply = connection.getreply()
    if code != 250:
        raise smtplib.SMTPDataError(code, reply)


def _size(connection: smtplib.SMTP, written: bytes) -> str:
    return f"SIZE={len(written)}" if connection.has_extn("size") else ""


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
