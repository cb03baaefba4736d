"""What a mail server means where it refuses a letter (RFC 5321, RFC 3463)."""

import re
from dataclasses import dataclass

# RFC 3463: the address is unknown, malformed, moved or disabled. Other codes are about us or today.
DEAD_ADDRESS = {"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"}


@dataclass(frozen=True)
class Refusal:
    """The server's answer to one letter."""

    reply: str
    for_good: bool


def read(code: int, text: bytes | str) -> Refusal:
    """What a reply to a recipient means.

    Refused for good is a dead address, or a plain 550, 551 or 553 that explains nothing. Everything
    else, "your server is on a blocklist" (5.7.1) among it, is tried again.
    """
    text = text.decode("ascii", "replace") if isinstance(text, bytes) else text
    enhanced = re.match(r"([245]\.\d{1,3}\.\d{1,3})\b", text.strip())
    status = enhanced[1] if enhanced else ""
    unexplained = bool(text.strip()) and not status and code in (550, 551, 553)
    return Refusal(f"{code} {status}".strip(), status in DEAD_ADDRESS or unexplained)
