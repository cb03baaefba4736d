"""The sessions of the desk: who has just changed something, and the end of all of an account."""

import time

from django.contrib.auth import SESSION_KEY
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.sessions.models import Session
from django.utils import timezone

from petition.ground import replica

WROTE = "wrote_at"


def note_write(session) -> None:
    """For a while, this coordinator's lists come from where they have just written."""
    session[WROTE] = time.time()


def has_just_written(session) -> bool:
    """Whether a standby may not have yet what was done in this session."""
    return 0 <= time.time() - session.get(WROTE, 0) <= replica.MOST_BEHIND.total_seconds()


def end(user: AbstractBaseUser) -> int:
    """Returns how many there were. Only coordinators have sessions, so they are all looked at."""
    ended = 0
    for session in Session.objects.filter(expire_date__gt=timezone.now()):
        if session.get_decoded().get(SESSION_KEY) == str(user.pk):
            session.delete()
            ended += 1
    return ended
