"""How coordinators sign in, and how long they stay."""

from datetime import timedelta

from campaign_site.settings.essentials import ADMIN_HOST, DEBUG

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

_OF_DJANGO = "django.contrib.auth.password_validation"
# Length, not kinds of characters: a long number is as good as a phrase (ASVS 5.0, V6.2.5).
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"{_OF_DJANGO}.UserAttributeSimilarityValidator"},
    {"NAME": f"{_OF_DJANGO}.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": f"{_OF_DJANGO}.CommonPasswordValidator"},
    {"NAME": "petition.desk.passwords.CampaignWords"},
    {"NAME": "petition.desk.passwords.AnotherThanBefore"},
]
