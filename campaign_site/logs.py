"""Keeps mailed tokens out of the log: who reads the log must not be able to confirm or withdraw."""

import logging
import re

MAILED_LINK = re.compile(r"/(confirm|withdraw)/[^/\s'\"?]+")


class HideMailedTokens(logging.Filter):
    """Cuts the token out of `/confirm/{token}/` and `/withdraw/{token}/` in a message."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        hidden = MAILED_LINK.sub(r"/\1/…", message)
        if hidden != message:
            record.msg, record.args = hidden, ()
        return True
