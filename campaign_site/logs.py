"""What the log says: nothing that its readers must not have, each failure once a minute, and of
each line which request it belongs to."""

import json
import logging
import re
import time
from datetime import UTC, datetime

from petition.ground import request_ids

MAILED_LINK = re.compile(r"/(confirm|withdraw|unsubscribe)/+[^/\s'\"?]+", re.IGNORECASE)
VISITOR = re.compile(r"\bip=[^\s,]+")
QUIET_SECONDS = 60
KINDS_AT_MOST = 1000


class HidePrivate(logging.Filter):
    """Cuts the token out of `/confirm/{token}/`, and the address out of gunicorn's `ip=…`."""

    def filter(self, record: logging.LogRecord) -> bool:
        message = record.getMessage()
        hidden = MAILED_LINK.sub(r"/\1/…", message)
        hidden = VISITOR.sub("ip=…", hidden)
        if hidden != message:
            record.msg, record.args = hidden, ()
        return True


class OncePerMinute(logging.Filter):
    """Lets the first of a kind of warning or error through, and one a minute after it, which says
    how many there were. A site in trouble fails thousands of times a minute, each with its
    traceback. Of one kind is what has the same text before its values are filled in."""

    def __init__(self):
        super().__init__()
        self._kinds: dict[tuple, tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        if record.levelno < logging.WARNING:
            return True
        raised = record.exc_info[0] if record.exc_info else None
        text = record.getMessage() if record.msg == "%s" else record.msg
        kind = (record.name, record.levelno, text, raised)
        now = time.monotonic()
        said_at, kept_back = self._kinds.get(kind, (None, 0))
        if said_at is not None and now - said_at < QUIET_SECONDS:
            self._kinds[kind] = (said_at, kept_back + 1)
            return False
        if len(self._kinds) >= KINDS_AT_MOST:
            self._kinds.clear()
        self._kinds[kind] = (now, 0)
        if kept_back:
            record.msg = f"{record.getMessage()} ({kept_back} more since the last such line)"
            record.args = ()
        return True


class JsonLine(logging.Formatter):
    """One JSON object a line: `at` (UTC), `level`, `logger`, `message`, `request` where there is
    one, `error` with the traceback where something was raised."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": record.getMessage(),
        }
        if request := request_ids.current():
            line["request"] = request
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def configuration(form: str) -> dict:
    """What `logging.config` takes: `form` is "line" or "json", everything goes to stderr."""
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {
            "private": {"()": "campaign_site.logs.HidePrivate"},
            "once": {"()": "campaign_site.logs.OncePerMinute"},
        },
        "formatters": {
            "line": {"format": "{asctime} {levelname} {name} {message}", "style": "{"},
            "json": {"()": "campaign_site.logs.JsonLine"},
        },
        "handlers": {
            "stderr": {
                "class": "logging.StreamHandler",
                "formatter": form,
                "filters": ["once", "private"],
            }
        },
    }
