"""Settings that are each right and together wrong: said by `manage.py check --deploy`."""

from django.conf import settings
from django.core import checks


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
