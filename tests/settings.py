"""The site's settings under test: nothing of the machine's own environment, DEBUG's defaults."""

import os

for name in [
    name for name in os.environ if name.startswith(("CHALLENGE", "RECAPTCHA", "EMAIL", "SIGN_RATE"))
]:
    del os.environ[name]
os.environ.update(
    DEBUG="1",
    SITE_URL="http://testserver",
    ALLOWED_HOSTS="testserver,localhost",
    DATABASE_URL=os.environ.get("TEST_DATABASE_URL", "sqlite://:memory:"),
)

from campaign_site.settings import *  # noqa: E402, F403

# A test sees what it has just changed; tests/web/test_pages.py turns the memory on.
PAGE_MEMORY_BYTES = 0
# A busy machine is no broken database; tests/web/test_outages.py runs the real site.
PUBLIC_DATABASE_SECONDS = 60.0
# The name server of a test is its own: tests/signing/test_signs.py.
ASK_NAME_SERVERS = False
# A test's transaction is seen in its own thread alone.
MAIL_CONCURRENCY = 1
LAST_GOOD_DIR = ""
CACHES["last_good"] = {  # noqa: F405
    "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
    "LOCATION": "last-good",
}
# The files are found when asked for, not listed anew for each test's client.
WHITENOISE_AUTOREFRESH = True
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
