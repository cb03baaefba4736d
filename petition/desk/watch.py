"""Writes down who came in and who was turned away: the number of the account, never a name that was
typed or a network (docs/asvs.md, V16.3)."""

import logging

from django.contrib.auth.models import User
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.dispatch import receiver

logger = logging.getLogger(__name__)


@receiver(user_logged_in)
def came_in(sender, user, **kwargs) -> None:
    logger.info("Account %s: the password was right.", user.pk)


@receiver(user_logged_out)
def left(sender, user, **kwargs) -> None:
    if user:
        logger.info("Account %s signed out.", user.pk)


@receiver(user_login_failed)
def was_turned_away(sender, credentials, **kwargs) -> None:
    named = User.objects.filter(username=credentials.get("username") or "")
    known = named.values_list("pk", flat=True).first()
    logger.warning("A sign-in failed: %s.", f"account {known}" if known else "no such account")
