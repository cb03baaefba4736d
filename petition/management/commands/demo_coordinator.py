"""Makes a coordinator for a development machine."""

import secrets

from django.conf import settings
from django.contrib.auth import get_user_model
from django.core.management.base import BaseCommand, CommandError

NAME = "demo"


class Command(BaseCommand):
    help = "Makes the coordinator `demo` with a new password and prints it. DEBUG=1 only."

    def handle(self, **options):
        if not settings.DEBUG:
            raise CommandError("DEBUG is 0: a demo coordinator is for development machines only.")
        password = secrets.token_urlsafe(9)
        user, _ = get_user_model().objects.get_or_create(
            username=NAME, defaults={"is_staff": True, "is_superuser": True}
        )
        user.set_password(password)
        user.save(update_fields=["password"])
        self.stdout.write(f"{NAME} / {password}")
