"""Keeps out of the log what its readers must not have: mailed tokens and network addresses."""

import logging
import re

MAILED_LINK = re.compile(r"/(confirm|withdraw|unsubscribe)/+[^/\s'\"?]+", re.IGNORECASE)
VISITOR = re.compile(r"\bip=[^\s,]+")


class HidePrivate(logging.Filter):
    """Cuts the token out of `/confirm/{token}/`, and the address out of gunicorn's `ip=…`."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        hidden = MAILED_LINK.sub(r"/\1/…", message)
        hidden = VISITOR.sub("ip=…", hidden)
        if hidden != message:
            record.msg, record.args = hidden, ()
        return True
