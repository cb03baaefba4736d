"""The database, and what is kept in memory."""

from datetime import date

from campaign_site import environment
from campaign_site.environment import read
from campaign_site.settings.essentials import DATABASES, VAR_DIR

# Columns that PostgreSQL keeps beside an index’s key; SQLite does without.
# W021 wants HSTS_PRELOAD, which is the operator's to ask for.
SILENCED_SYSTEM_CHECKS = ["models.W040", "security.W021"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

for _database in DATABASES.values():
    if _database["ENGINE"].endswith("sqlite3"):
        VAR_DIR.mkdir(exist_ok=True)
        # Writers queue for the file instead of failing half-way; readers never wait for them.
        _database["OPTIONS"] = {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
        }
        continue
    _database["ENGINE"] = "petition.ground.postgresql"
    # What a dead network leaves open is noticed in half a minute. A live server that hangs is left
    # by our own connections (petition.ground.waiting).
    _database["OPTIONS"] = {
        "connect_timeout": 5, "keepalives_idle": 10, "keepalives_interval": 5,
        "keepalives_count": 4, "tcp_user_timeout": 30_000,
    } | _database.get("OPTIONS", {})  # fmt: skip
    _database.setdefault("CONN_MAX_AGE", 60)
    _database["CONN_HEALTH_CHECKS"] = True

# What serves while the database is gone, and outlives a restart: pages, texts, the log's files.
LAST_GOOD_DIR = read("LAST_GOOD_DIR", default=str(VAR_DIR / "last-good"), cure="")

CACHES = {
    "default": read(
        "CACHE_URL",
        environment.cache,
        default={
            "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
            # Each network and mailbox that tries is an entry; a lost one is a free try.
            "OPTIONS": {"MAX_ENTRIES": 200_000},
        },
        cure="Write redis://host:6379/0, or leave it out where one web process is all.",
    ),
    # What every visitor reads and nobody counts in: kept for seconds inside each web process.
    "process": {"BACKEND": "petition.ground.cache.ProcessCache", "LOCATION": "process"},
    "last_good": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": LAST_GOOD_DIR,
        "OPTIONS": {"MAX_ENTRIES": 1000},
    },
}

# What public pages may take in each web process; 0 makes each page for each request.
PAGE_MEMORY_BYTES = (
    read("PAGE_MEMORY_MB", environment.count, default=32, cure="Write a number of megabytes.") << 20
)
# Of the threads of a web process, so many may wait for the database; gunicorn.conf.py starts 16.
DATABASE_THREADS = 12
# How long one request may wait for the database in all: on public pages, on the desk.
PUBLIC_DATABASE_SECONDS, DESK_DATABASE_SECONDS = 0.6, 30.0

# gunicorn's own variable; `petition.ground.checks` warns where several processes count apart.
WEB_CONCURRENCY = read(
    "WEB_CONCURRENCY", environment.count, default=1, cure="Write a number of processes, such as 2."
)

# From this day (UTC) on, the names and addresses of all who confirmed are erased.
IDENTITIES_END = read(
    "IDENTITIES_END", date.fromisoformat, default=None, cure="Write a day such as 2027-12-31."
)
