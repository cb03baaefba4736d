"""What names a letter outside, on its envelope and in its head: nobody else can make one up, and it
is of letters and digits that no mail server changes."""

import re
from collections.abc import Iterable

from django.conf import settings

from petition.ground import encryption
from petition.models import Letter

HEADER = "X-Letter"  # A complaint brings the head of a letter back, not its envelope.
TOKEN = re.compile(r"(?<![0-9a-z])[0-9a-f]{32}(?![0-9a-z])", re.IGNORECASE)
PURPOSE = "letter"
# The head line that each mail service gives back with its events (petition/letters/services.py).
OF_SERVICE = {
    "brevo": ("X-Mailin-custom", '{"letter": "{}"}'),
    "mailgun": ("X-Mailgun-Variables", '{"letter": "{}"}'),
    "mailjet": ("X-MJ-CustomID", "{}"),
    "postmark": ("X-PM-Metadata-letter", "{}"),
    "sparkpost": ("X-MSYS-API", '{"metadata": {"letter": "{}"}}'),
}


def token(letter: int, tries: int) -> str:
    """Of a try of a letter. Its number would tell how many letters there were before it."""
    return encryption.concealed(letter << 8 | min(tries, 255), PURPOSE)


def of_next_try(letter: Letter) -> str:
    return token(letter.pk, letter.tries + 1)


def headers(mark: str) -> dict[str, str]:
    """What names a try of a letter in its head: for whoever sends its head back, and for the mail
    service."""
    found = {HEADER: mark}
    if settings.MAIL_SERVICE:
        name, value = OF_SERVICE[settings.MAIL_SERVICE]
        found[name] = value.replace("{}", mark)
    return found


def sender(mark: str) -> str | None:
    """Where a report about a try of a letter goes to; None without BOUNCE_ADDRESS."""
    if not settings.BOUNCE_ADDRESS:
        return None
    local, _, domain = settings.BOUNCE_ADDRESS.rpartition("@")
    return f"{local}+{mark}@{domain}"


def found_in(texts: Iterable[str]) -> tuple[int, int]:
    """The letter and the try of the first token that is ours; (0, 0) where none is."""
    for text in texts:
        for found in TOKEN.findall(text):
            number = encryption.revealed(found, PURPOSE)
            if number is not None:
                return number >> 8, number & 255
    return 0, 0
