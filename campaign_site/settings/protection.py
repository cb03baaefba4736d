"""Limits, the challenge, and what browsers are told."""

from campaign_site import environment
from campaign_site.environment import read
from campaign_site.settings.essentials import DEBUG

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
        "is not set while the other one is",
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


# --- What browsers are told

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

# Whom to tell of a hole, as the operator signed it elsewhere: no private key is on this machine.
SECURITY_TXT = read(
    "SECURITY_TXT",
    environment.signed_file,
    default=None,
    cure="Name the file that gpg --clearsign made of the site's /.well-known/security.txt.",
)

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
