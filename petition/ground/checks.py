"""Settings that are each right and together wrong: said by `manage.py check --deploy`."""

from datetime import timedelta

from django.conf import settings
from django.core import checks
from django.utils import timezone


@checks.register(checks.Tags.security, deploy=True)
def letters_can_be_sent(app_configs, **kwargs):
    if settings.EMAIL_BACKEND:
        return []
    return [
        checks.Warning(
            "EMAIL_URL is not set: letters wait, and nobody can confirm.",
            hint="Set EMAIL_URL to smtp+tls://user:password@host:587.",
            id="petition.W001",
        )
    ]


@checks.register(checks.Tags.caches, deploy=True)
def attempts_are_counted_together(app_configs, **kwargs):
    in_process = settings.CACHES["default"]["BACKEND"].endswith("LocMemCache")
    if settings.WEB_CONCURRENCY < 2 or not in_process:
        return []
    return [
        checks.Warning(
            f"WEB_CONCURRENCY is {settings.WEB_CONCURRENCY} and CACHE_URL is not set: each process "
            "counts attempts for itself.",
            hint="Set CACHE_URL to redis://host:6379/0.",
            id="petition.W002",
        )
    ]


@checks.register(checks.Tags.security, deploy=True)
def it_is_set_as_a_public_site(app_configs, **kwargs):
    """What is right while developing and wrong on the day that the world comes."""
    host = settings.DATABASES["default"]["ENGINE"]
    wrong = [
        (
            host.endswith("sqlite3"),
            "DATABASE_URL names an SQLite file: signers wait for each other.",
            "Set DATABASE_URL to postgres://user:password@host:5432/name.",
            "petition.W003",
        ),
        (
            not settings.SITE_URL.startswith("https://"),
            "SITE_URL is http: mailed links can be read on their way.",
            "Set SITE_URL to https://…, and TLS in the proxy in front.",
            "petition.W004",
        ),
        (
            not settings.RATELIMIT_ENABLE,
            "RATELIMIT_ENABLE is 0: nobody is held back.",
            "Set it to 1, or leave it out.",
            "petition.W005",
        ),
        (
            "*" in settings.ALLOWED_HOSTS,
            "ALLOWED_HOSTS is *: caches can be filled under other hosts' names.",
            "Name the hosts, separated by commas.",
            "petition.W006",
        ),
        (
            not settings.TRUSTED_PROXIES,
            "TRUSTED_PROXIES is 0: behind a proxy all visitors look like one network.",
            "Set it to how many proxies stand in front, such as 1.",
            "petition.W007",
        ),
        (
            not settings.LOG_KEY,
            "LOG_KEY is not set: nobody can check the count.",
            "Set it to what manage.py log_key prints.",
            "petition.W008",
        ),
        (
            settings.CHALLENGE == "none",
            "CHALLENGE is none: nothing slows a program that signs.",
            "Set it to altcha.",
            "petition.W009",
        ),
        (
            settings.SECURITY_TXT
            and settings.SECURITY_TXT[1] < timezone.now() + timedelta(days=14),
            "The file of SECURITY_TXT is good for less than 14 days; after them it is not shown.",
            "Sign /.well-known/security.txt anew (docs/operating.md).",
            "petition.W010",
        ),
    ]
    return [
        checks.Warning(said, hint=cure, id=name) for is_wrong, said, cure, name in wrong if is_wrong
    ]
