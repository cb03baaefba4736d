"""Mail: by whom it leaves, how fast, and where reports come back."""

from urllib.parse import urlsplit

from campaign_site import environment
from campaign_site.environment import read
from campaign_site.settings.essentials import DEBUG, SITE_URL, VAR_DIR

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
# A mail service that reports by webhooks (django-anymail reads them), and how it proves itself.
MAIL_SERVICE = read(
    "MAIL_SERVICE",
    environment.mail_service,
    default="",
    cure=f"Write one of {', '.join(environment.MAIL_SERVICES)}.",
)
MAIL_SERVICE_SECRET = read(
    "MAIL_SERVICE_SECRET",
    environment.webhook_secret,
    default="",
    cure="Write user:password as in the webhook's address, with 20 characters or more.",
)
MAIL_SERVICE_KEY = read("MAIL_SERVICE_KEY", default="", cure="")
if MAIL_SERVICE and not MAIL_SERVICE_SECRET:
    environment.stop(
        "MAIL_SERVICE_SECRET",
        "is not set while MAIL_SERVICE is",
        "Write user:password, and give the service https://user:password@host/mail/reports.",
    )
if MAIL_SERVICE == "mailgun" and not MAIL_SERVICE_KEY:
    environment.stop(
        "MAIL_SERVICE_KEY",
        "is not set while MAIL_SERVICE is mailgun",
        "Write its webhook signing key.",
    )
ANYMAIL = {"WEBHOOK_SECRET": MAIL_SERVICE_SECRET}
if MAIL_SERVICE_KEY:
    ANYMAIL["MAILGUN_WEBHOOK_SIGNING_KEY"] = MAIL_SERVICE_KEY

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
# Whether the signs of fakes ask if a mail domain takes mail: up to three an hour, of the busiest.
ASK_NAME_SERVERS = read("ASK_NAME_SERVERS", environment.switch, default=True, cure="Write 1 or 0.")
# Leaves the campaign's name out of letters.
DISCREET_LETTERS = read("DISCREET_LETTERS", environment.switch, default=False, cure="Write 1 or 0.")
# How many letters a mailer sends at the same moment, and at most in a second; 0 is no limit.
MAIL_CONCURRENCY = read(
    "MAIL_CONCURRENCY", environment.positive, default=8, cure="Write a number, such as 8."
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
