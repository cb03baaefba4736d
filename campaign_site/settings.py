"""All settings. What differs between machines comes from the environment, here and nowhere else.

docs/settings.md lists every variable; a test holds the two together.
"""

import hashlib
import os
import sys
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlsplit

from campaign_site import environment, logs
from campaign_site.environment import read

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = BASE_DIR / "var"

# --- What must be right before anything starts -------------------------------------------------

DEBUG = read("DEBUG", environment.switch, default=False, cure="Set it to 1 or 0.")

SECRET_KEY = read(
    "SECRET_KEY",
    default="development-only-key-that-signs-nothing-real" if DEBUG else environment.REQUIRED,
    cure="Set it to 50 or more random characters: "
    "python -c 'import secrets; print(secrets.token_urlsafe(50))'",
)
# After a change of SECRET_KEY the former ones still open the links that were mailed under them.
SECRET_KEY_FALLBACKS = read(
    "SECRET_KEY_FALLBACKS", environment.names, default=[], cure="List former keys, comma between."
)
DATA_KEYS = read(
    "DATA_KEYS",
    environment.data_keys,
    default=[hashlib.sha256(b"data key of " + SECRET_KEY.encode()).digest()]
    if DEBUG
    else environment.REQUIRED,
    cure="Set it to base64url keys of 32 bytes, comma between: "
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
    cure="Write https://witness.example name+id+key for each, comma between.",
)
DATABASES = {
    "default": read(
        "DATABASE_URL",
        environment.database,
        default=environment.database(f"sqlite:///{VAR_DIR / 'campaign.sqlite3'}"),
        cure="Write postgres://user:password@host:5432/name or sqlite:////path/to/file.",
    )
}
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
    cure="List host names, comma between, without https:// and without a path.",
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

# --- The web process ---------------------------------------------------------------------------

ROOT_URLCONF = "campaign_site.urls"
WSGI_APPLICATION = "campaign_site.wsgi.application"

INSTALLED_APPS = [
    "petition.apps.PetitionConfig",
    "petition.apps.DeskConfig",  # django.contrib.admin
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",  # Its templates, for FORM_RENDERER.
    "django_recaptcha",
    "csp",
    "django_otp",
    "axes",
]

MIDDLEWARE = [
    "petition.web.middleware.Health",
    "petition.web.middleware.RequestIds",
    "petition.web.metrics.Requests",
    "petition.web.desk.OwnHost",
    "petition.web.pages.PublicPages",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "petition.web.middleware.OpenFigures",
    "petition.web.mending.MendAddresses",
    "petition.web.middleware.Patience",
    "django.middleware.http.ConditionalGetMiddleware",
    # Within: a 304 would else bring the common policy to a page that a cache has with its own.
    "petition.web.middleware.ContentPolicy",
    "django_permissions_policy.PermissionsPolicyMiddleware",
    "petition.web.middleware.NoCookies",
    "petition.web.desk.Sessions",
    "petition.web.middleware.Language",
    "petition.web.middleware.RefuseOddBodies",
    "petition.web.middleware.RefuseCrossSitePosts",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "petition.web.mending.MendFields",
    "petition.web.desk.Accounts",
    "petition.web.middleware.EndOldSessions",
    "petition.web.desk.SecondFactor",
    "petition.web.desk.Messages",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "axes.middleware.AxesMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "petition.web.context_processors.page",
            ],
        },
    }
]
# Our own templates come before those that django-recaptcha ships with inline scripts.
FORM_RENDERER = "django.forms.renderers.TemplatesSetting"

# --- Languages and time ------------------------------------------------------------------------

LANGUAGE_CODE = "ar"
LANGUAGES = [("ar", "العربية"), ("fr", "Français"), ("en", "English")]
FORMAT_MODULE_PATH = ["campaign_site.formats"]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
# A day in the tallies is a day in UTC: Morocco's clock changes by decree, an archive must not.
TIME_ZONE = "UTC"

# --- Data --------------------------------------------------------------------------------------

# Columns that PostgreSQL keeps beside an index’s key; SQLite does without.
# W021 wants HSTS_PRELOAD, which is the operator's to ask for.
SILENCED_SYSTEM_CHECKS = ["models.W040", "security.W021"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    VAR_DIR.mkdir(exist_ok=True)
    # Writers queue for the file instead of failing half-way; readers never wait for them.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    }
else:
    DATABASES["default"]["ENGINE"] = "petition.ground.postgresql"
    # What a dead network leaves open is noticed in half a minute. A live server that hangs is left
    # by our own connections (petition.ground.waiting).
    DATABASES["default"]["OPTIONS"] = {
        "connect_timeout": 5, "keepalives_idle": 10, "keepalives_interval": 5,
        "keepalives_count": 4, "tcp_user_timeout": 30_000,
    } | DATABASES["default"].get("OPTIONS", {})  # fmt: skip
    DATABASES["default"].setdefault("CONN_MAX_AGE", 60)
    DATABASES["default"]["CONN_HEALTH_CHECKS"] = True

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
    # The last good pages and texts: they outlive a restart while the database is gone.
    "last_good": {
        "BACKEND": "django.core.cache.backends.filebased.FileBasedCache",
        "LOCATION": read("LAST_GOOD_DIR", default=str(VAR_DIR / "last-good"), cure=""),
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

# --- Letters -----------------------------------------------------------------------------------

SMTP = read(
    "EMAIL_URL",
    environment.smtp,
    default={},
    cure="Write smtp+tls://user:password@host:587, smtp+ssl://… or smtp://….",
)
EMAIL_TIMEOUT = 20
EMAIL_BACKEND: str | None
if SMTP:
    globals().update(SMTP)
    EMAIL_BACKEND = "petition.letters.smtp.EmailBackend"
elif DEBUG:
    EMAIL_BACKEND = "django.core.mail.backends.filebased.EmailBackend"
    EMAIL_FILE_PATH = VAR_DIR / "mail"
else:
    # The site signs on; the mailer says what is missing and the letters wait for it.
    EMAIL_BACKEND = None
DEFAULT_FROM_EMAIL = read(
    "EMAIL_FROM",
    environment.mail_address,
    default=f"no-reply@{urlsplit(SITE_URL).hostname}",
    cure="Write a neutral address, such as no-reply@example.org.",
)
# Where reports of letters that did not arrive go to: the envelope's sender is this address with a
# tag of each letter.
BOUNCE_ADDRESS = read(
    "BOUNCE_ADDRESS",
    environment.bare_mail_address,
    default="",
    cure="Write an address that takes tags, such as bounces@petition.example.org.",
)
BOUNCE_MAILBOX = read(
    "BOUNCE_MAILBOX",
    environment.mailbox,
    default=None,
    cure="Write imap+ssl://user:password@host/INBOX.",
)
CONTACT_EMAIL = read(
    "CONTACT_EMAIL",
    environment.bare_mail_address,
    default="",
    cure="Write the address that answers supporters, such as contact@petition.example.org.",
)

# After how many days who has not confirmed is reminded, once; 0 is never.
REMIND_AFTER_DAYS = read(
    "REMIND_AFTER_DAYS", environment.count, default=3, cure="Write a number of days, such as 3."
)
# Leaves the campaign's name out of letters.
DISCREET_LETTERS = read("DISCREET_LETTERS", environment.switch, default=False, cure="Write 1 or 0.")
# How many letters a mailer sends at the same moment, and at most in a second; 0 is no limit.
MAIL_CONCURRENCY = read(
    "MAIL_CONCURRENCY", environment.positive, default=4, cure="Write a number, such as 4."
)
MAIL_RATE = read(
    "MAIL_RATE", environment.pace, default=0.0, cure="Write a rate such as 50/s or 5000/h."
)
# Letters about signatures to one mail domain that is no large provider.
MAIL_DOMAIN_RATE = read(
    "MAIL_DOMAIN_RATE",
    environment.pace,
    default=6000 / 3600,
    cure="Write a rate such as 6000/h or 100/10m.",
)
# How many letters of news a second; the mailers keep to it together.
NEWS_RATE = read(
    "NEWS_RATE",
    environment.pace,
    default=1.0,  # 3600/h
    cure="Write a rate such as 3600/h or 100/10m.",
)

# --- Abuse -------------------------------------------------------------------------------------

SIGN_RATE = read(
    "SIGN_RATE", environment.rate, default="600/h", cure="Write a rate such as 600/h or 5/10m."
)
CONFIRM_RATE = read(
    "CONFIRM_RATE", environment.rate, default="30/h", cure="Write a rate such as 30/h or 5/10m."
)
RATELIMIT_ENABLE = read(
    "RATELIMIT_ENABLE", environment.switch, default=True, cure="Set it to 1 or 0."
)
RATELIMIT_FAIL_OPEN = True  # A lost cache must not stop the campaign; see `petition.signing.abuse`.
TRUSTED_PROXIES = read(
    "TRUSTED_PROXIES",
    environment.count,
    default=0,
    cure="Write how many proxies stand in front, such as 1.",
)

RECAPTCHA_PUBLIC_KEY = read("RECAPTCHA_PUBLIC_KEY", default="", cure="")
RECAPTCHA_PRIVATE_KEY = read("RECAPTCHA_PRIVATE_KEY", default="", cure="")
if bool(RECAPTCHA_PUBLIC_KEY) != bool(RECAPTCHA_PRIVATE_KEY):
    environment.stop(
        "RECAPTCHA_PUBLIC_KEY" if RECAPTCHA_PRIVATE_KEY else "RECAPTCHA_PRIVATE_KEY",
        "is not set while its partner is",
        "Set both RECAPTCHA_PUBLIC_KEY and RECAPTCHA_PRIVATE_KEY, or neither.",
    )
# What a browser has to do before it signs. `none` is for development and load tests.
CHALLENGE = read(
    "CHALLENGE",
    environment.challenge,
    default="recaptcha" if RECAPTCHA_PUBLIC_KEY else "none",
    cure="Set it to altcha, recaptcha or none.",
)
if CHALLENGE == "recaptcha" and not RECAPTCHA_PUBLIC_KEY:
    environment.stop(
        "CHALLENGE",
        "is recaptcha while RECAPTCHA_PUBLIC_KEY and RECAPTCHA_PRIVATE_KEY are not set",
        "Set both, or set CHALLENGE to altcha.",
    )
RECAPTCHA_DOMAIN = "www.google.com"
RECAPTCHA_VERIFY_REQUEST_TIMEOUT = 5

# --- Security ----------------------------------------------------------------------------------

SECURE_SSL_REDIRECT = read(
    "SECURE_SSL_REDIRECT", environment.switch, default=not DEBUG, cure="Set it to 1 or 0."
)
SECURE_REDIRECT_EXEMPT = [r"^readyz$"]
# What no page here needs; nobody may use it from within one. The live count can fill the screen.
PERMISSIONS_POLICY: dict[str, list[str]] = {
    feature: []
    for feature in (
        "accelerometer", "autoplay", "camera", "display-capture", "encrypted-media", "geolocation",
        "gyroscope", "magnetometer", "microphone", "midi", "payment", "usb", "xr-spatial-tracking",
    )
} | {"fullscreen": ["self"]}  # fmt: skip
SECURE_HSTS_SECONDS = 0 if DEBUG else 365 * 24 * 60 * 60
SECURE_HSTS_INCLUDE_SUBDOMAINS = not DEBUG
# Browsers' built-in lists take years to leave: only where the operator asks for it.
SECURE_HSTS_PRELOAD = read("HSTS_PRELOAD", environment.switch, default=False, cure="Write 1 or 0.")
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
# `no-referrer` would make browsers post with `Origin: null`, which we refuse.
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"

# The largest honest form is about 2 KB; `petition.web.middleware` refuses more before it is read.
PUBLIC_BODY_BYTES = 64 * 1024
DESK_BODY_BYTES = 3 * 1024 * 1024  # A file of sheets.
PORTRAIT_BODY_BYTES = 9 * 1024 * 1024  # A picture of 8 MB, on the one screen that takes it.
CSRF_FAILURE_VIEW = "petition.web.errors.csrf_failure"

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "base-uri": ["'none'"],
        "connect-src": ["'self'"],
        "font-src": ["'self'"],
        "form-action": ["'self'"],
        "frame-ancestors": ["'none'"],
        "img-src": ["'self'", "data:"],
        "manifest-src": ["'self'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
    }
}

# --- Coordinators ------------------------------------------------------------------------------

TWO_FACTOR = not DEBUG

# Public pages have no cookie; the desk's go to the desk alone. `__Host-` wants the whole host.
SESSION_COOKIE_PATH = CSRF_COOKIE_PATH = LANGUAGE_COOKIE_PATH = "/" if ADMIN_HOST else "/admin/"
if not DEBUG:  # Browsers refuse these names over http.
    _prefix = "__Host-" if ADMIN_HOST else "__Secure-"
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = f"{_prefix}session", f"{_prefix}csrf"
    LANGUAGE_COOKIE_NAME = f"{_prefix}language"
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Strict"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = LANGUAGE_COOKIE_SECURE = not DEBUG
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = LANGUAGE_COOKIE_HTTPONLY = True
LANGUAGE_COOKIE_SAMESITE = "Strict"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
# A session ends after 30 minutes in which nothing is done, and 8 hours after the sign-in.
SESSION_COOKIE_AGE = 30 * 60
SESSION_SAVE_EVERY_REQUEST = True
SIGNED_IN_SECONDS = 8 * 60 * 60

AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
# Five wrong passwords for one name from one network close that door for 15 minutes: a stranger
# elsewhere cannot close it for a coordinator. Counted in the cache, under keyed indexes.
AXES_HANDLER = "petition.signing.abuse.SignInAttempts"
AXES_CLIENT_IP_CALLABLE = "petition.signing.abuse.network_index"
AXES_LOCKOUT_CALLABLE = "petition.views.sign_in.locked_out"
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_RESET_COOL_OFF_ON_FAILURE_DURING_LOCKOUT = False
AXES_RESET_ON_SUCCESS = True
AXES_ENABLE_ADMIN = False
AXES_VERBOSE = False
AXES_SENSITIVE_PARAMETERS = ["username", "ip_address"]

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]

# --- Static files ------------------------------------------------------------------------------

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

# --- Watching ----------------------------------------------------------------------------------

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

# --- Log ---------------------------------------------------------------------------------------

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
