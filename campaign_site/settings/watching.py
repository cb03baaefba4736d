"""Metrics and logs."""

import os

from campaign_site import environment, logs
from campaign_site.environment import read

# Where the processes of this host share what they count; prometheus_client reads its own variable.
METRICS_DIR = read(
    "METRICS_DIR", environment.directory, default="", cure="Name a folder that the site may write."
)
if METRICS_DIR:
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = METRICS_DIR
METRICS_ADDRESS = read(
    "METRICS_ADDRESS",
    environment.address,
    default=("127.0.0.1", 9180),
    cure="Write host:port, such as 127.0.0.1:9180.",
)


LOG_FORMAT = read(
    "LOG_FORMAT", environment.log_format, default="line", cure="Set it to line or json."
)
# To stderr only, without request bodies: nothing that a person typed is ever part of a message.
LOGGING = logs.configuration(LOG_FORMAT) | {
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "petition": {"level": "INFO"},
        "flufl.bounce": {"level": "CRITICAL"},  # What strangers send; `bounces` says what it is.
        "django.security.DisallowedHost": {"level": "CRITICAL"},  # Scanners; nobody's mistake.
        "django.request": {"level": "ERROR"},  # 4xx are answers, not events.
        "django": {"handlers": [], "level": "WARNING", "propagate": True},
        "django.server": {"handlers": ["stderr"], "level": "INFO", "propagate": False},
    },
}
