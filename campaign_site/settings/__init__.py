"""All settings. What differs between machines comes from the environment, here and nowhere else.

docs/settings.md lists every variable; a test holds the two together. Start reading in
`essentials.py`: the first variable that is wrong stops the start with one line.
"""

# ruff: noqa: F403 — what Django reads is all that stands in these files.
from campaign_site.settings.data import *
from campaign_site.settings.desk import *
from campaign_site.settings.essentials import *
from campaign_site.settings.essentials import BASE_DIR
from campaign_site.settings.files import *
from campaign_site.settings.letters import *
from campaign_site.settings.protection import *
from campaign_site.settings.watching import *

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


# --- Languages and time ---

LANGUAGE_CODE = "ar"
LANGUAGES = [("ar", "العربية"), ("fr", "Français"), ("en", "English")]
FORMAT_MODULE_PATH = ["campaign_site.formats"]
LOCALE_PATHS = [BASE_DIR / "locale"]
USE_I18N = True
USE_TZ = True
# A day in the tallies is a day in UTC: Morocco's clock changes by decree, an archive must not.
TIME_ZONE = "UTC"
