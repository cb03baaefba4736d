"""What must be right before anything starts: keys, database, addresses."""

import hashlib
from pathlib import Path
from urllib.parse import urlsplit

from campaign_site import environment
from campaign_site.environment import read

BASE_DIR = Path(__file__).resolve().parent.parent.parent
VAR_DIR = BASE_DIR / "var"

DEBUG = read("DEBUG", environment.switch, default=False, cure="Set it to 1 or 0.")

SECRET_KEY = read(
    "SECRET_KEY",
    default="development-only-key-that-signs-nothing-real" if DEBUG else environment.REQUIRED,
    cure="Set it to 50 or more random characters: "
    "python -c 'import secrets; print(secrets.token_urlsafe(50))'",
)
# After a change of SECRET_KEY the former ones still open the links that were mailed under them.
SECRET_KEY_FALLBACKS = read(
    "SECRET_KEY_FALLBACKS",
    environment.names,
    default=[],
    cure="List former keys, separated by commas.",
)
DATA_KEYS = read(
    "DATA_KEYS",
    environment.data_keys,
    default=[hashlib.sha256(b"data key of " + SECRET_KEY.encode()).digest()]
    if DEBUG
    else environment.REQUIRED,
    cure="Set it to base64url keys of 32 bytes, separated by commas: "
    "python -c 'import base64, os; print(base64.urlsafe_b64encode(os.urandom(32)).decode())'",
)
# What is sealed opens in its own row alone. Off while a release before it may still have to read.
BIND_ROWS = read("BIND_ROWS", environment.switch, default=True, cure="Set it to 1 or 0.")
# Signs the log that anyone can check; `manage.py log_key` makes one. Without it there is no log.
LOG_KEY = read(
    "LOG_KEY",
    environment.log_key,
    default=hashlib.sha256(b"log key of " + SECRET_KEY.encode()).digest() if DEBUG else None,
    cure="Set it to what manage.py log_key prints: one base64url key of 32 bytes.",
)
LOG_WITNESSES = read(
    "LOG_WITNESSES",
    environment.witnesses,
    default=[],
    cure="Write https://witness.example name+id+key for each, separated by commas.",
)
DATABASES = {
    "default": read(
        "DATABASE_URL",
        environment.database,
        default=environment.database(f"sqlite:///{VAR_DIR / 'campaign.sqlite3'}"),
        cure="Write postgres://user:password@host:5432/name or sqlite:////path/to/file.",
    )
}
# A standby for long readings: the desk's lists, deliveries, the recount.
REPLICA = read(
    "REPLICA_URL",
    environment.replica,
    default=None,
    cure="Write postgres://user:password@standby:5432/name, or leave it out.",
)
if REPLICA:
    DATABASES["replica"] = REPLICA
SITE_URL = read(
    "SITE_URL",
    environment.site_url,
    default="http://127.0.0.1:8000" if DEBUG else environment.REQUIRED,
    cure="Write the site's public address, such as https://petition.example.org.",
)
ALLOWED_HOSTS = read(
    "ALLOWED_HOSTS",
    environment.hosts,
    default=["localhost", "127.0.0.1", "[::1]"] if DEBUG else [urlsplit(SITE_URL).hostname],
    cure="List host names, separated by commas, without https:// and without a path.",
)

# A host of its own for the desk: elsewhere there is no /admin/, and its cookies go nowhere else.
ADMIN_HOST = read(
    "ADMIN_HOST",
    environment.host,
    default="",
    cure="Write one host name, such as desk.petition.example.org.",
)
if ADMIN_HOST and urlsplit(SITE_URL).hostname == ADMIN_HOST:
    environment.stop(
        "ADMIN_HOST", "is the host of SITE_URL", "Give the desk another one, or leave it out."
    )
if ADMIN_HOST and "*" not in ALLOWED_HOSTS:
    ALLOWED_HOSTS = [*ALLOWED_HOSTS, ADMIN_HOST]
