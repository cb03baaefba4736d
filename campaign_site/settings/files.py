"""Static files."""

import sys
from contextlib import suppress

from campaign_site.settings.essentials import BASE_DIR, DEBUG, VAR_DIR

STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
with suppress(OSError):  # WhiteNoise warns where there is no such directory.
    STATIC_ROOT.mkdir(parents=True, exist_ok=True)
WHITENOISE_ROOT = BASE_DIR / "static" / "root"  # /favicon.ico and the like
WHITENOISE_MIMETYPES = {".webmanifest": "application/manifest+json"}
# After `collectstatic` names carry a hash and are kept for a year; the site works before it too.
COLLECTED = (STATIC_ROOT / "staticfiles.json").exists() and not DEBUG
WHITENOISE_USE_FINDERS = not COLLECTED
WHITENOISE_MANIFEST_STRICT = False  # A file added since is served without a hash, not refused.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if COLLECTED or "collectstatic" in sys.argv
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
