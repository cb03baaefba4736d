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

from bench import api, cases, counting, crowd, desk, newsletter, ratios, signing, storage, upgrade

setup_test_environment(debug=False)
connection.creation.create_test_db(verbosity=0, serialize=False)
settings.RATELIMIT_ENABLE = False
try:
    print(f"Python {sys.version.split()[0]}, Django {django.__version__}, {os.cpu_count()} cores")
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        print(f"PostgreSQL {cursor.fetchone()[0]}, fsync and synchronous_commit as it ships")
    print()
    ratios.run()
    print()
    if sys.argv[1:] == ["ratios"]:
        raise SystemExit
    signing.run()
    counting.run()
    print()
    api.run()
    print()
    cases.run()
    desk.run()
    print()
    newsletter.run()
    print()
    many = 10_000_000 if os.environ.get("BENCH_10M") else 1_000_000
    storage.run(many)
    print()
    crowd.empty()
    upgrade.run(1_000_000)
finally:
    connection.creation.destroy_test_db(settings.DATABASES["default"]["NAME"], verbosity=0)
