"""Ends the sessions of an account on every machine."""

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.sessions.models import Session
from django.utils import timezone


def end(user: AbstractBaseUser) -> int:
    """Returns how many there were. Only coordinators have sessions, so they are all looked at."""
    ended = 0
    for session in Session.objects.filter(expire_date__gt=timezone.now()):
        if session.get_decoded().get(SESSION_KEY) == str(user.pk):
            session.delete()
            ended += 1
    return ended
