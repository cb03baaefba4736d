"""Runs every benchmark on a database of its own, which is dropped again, and prints the figures."""

import os
import sys

os.environ |= {
    "DEBUG": "1",
    "SITE_URL": "http://testserver",
    "ALLOWED_HOSTS": "testserver,127.0.0.1",
    "RATELIMIT_ENABLE": "0",
    "DATABASE_URL": os.environ["TEST_DATABASE_URL"],
    "DJANGO_SETTINGS_MODULE": "campaign_site.settings",
}

import django

django.setup()

from django.conf import settings
from django.db import connection
from django.test.utils import setup_test_environment

from bench import (
    api,
    bombs,
    cases,
    counting,
    crowd,
    desk,
    log_load,
    memory,
    newsletter,
    outages,
    partitions,
    proxy,
    ratios,
    signing,
    sizes,
    storage,
    upgrade,
)
from petition.signing import statements


def _upgrade() -> None:
    crowd.empty()
    upgrade.run(1_000_000)


# `python -m bench NAME …` runs these alone.
PARTS = {
    "ratios": ratios.run,
    "log": log_load.run,
    "memory": memory.run,
    "signing": signing.run,
    "counting": counting.run,
    "api": api.run,
    "bombs": bombs.run,
    "cases": cases.run,
    "desk": desk.run,
    "newsletter": newsletter.run,
    "outages": outages.run,
    "partitions": lambda: partitions.run(10_000_000 if os.environ.get("BENCH_10M") else 1_000_000),
    "proxy": proxy.run,
    "sizes": sizes.run,
    "storage": lambda: storage.run(10_000_000 if os.environ.get("BENCH_10M") else 1_000_000),
    "upgrade": _upgrade,
}
setup_test_environment(debug=False)
connection.creation.create_test_db(verbosity=0, serialize=False)
settings.RATELIMIT_ENABLE = False
try:
    print(f"Python {sys.version.split()[0]}, Django {django.__version__}, {os.cpu_count()} cores")
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        print(f"PostgreSQL {cursor.fetchone()[0]}, fsync and synchronous_commit as it ships")
    print()
    for name in sys.argv[1:] or PARTS:
        PARTS[name]()
        print()
finally:
    for group in statements.GROUPS:
        group.close()
    connection.creation.destroy_test_db(settings.DATABASES["default"]["NAME"], verbosity=0)
