"""The sessions of the desk: who has just changed something, and the end of all of an account."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import sha256

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.sessions.models import Session
from django.utils import timezone
from django_otp import DEVICE_ID_SESSION_KEY

from petition.ground import replica

WROTE = "wrote_at"
BEGAN = "signed_in_at"  # Seconds since 1970, in the session: the desk writes it at sign-in.
# More than anybody's computer and phone: with a new one the oldest ends.
MOST = 5


@dataclass(frozen=True)
class Own:
    """A session as its owner sees it. `mark` names it without being its key."""

    mark: str
    began: datetime
    used: datetime
    is_this: bool


def note_write(session) -> None:
    """For a while, this coordinator's lists come from where they have just written."""
    session[WROTE] = time.time()


def has_just_written(session) -> bool:
    """Whether a standby may not have yet what was done in this session."""
    return 0 <= time.time() - session.get(WROTE, 0) <= replica.MOST_BEHIND.total_seconds()


def end(user: AbstractBaseUser) -> int:
    """Returns how many there were. Only coordinators have sessions, so they are all looked at."""
    return _end(session for session, _began in _of(user))


def own(user: AbstractBaseUser, key: str | None) -> list[Own]:
    """The live sessions of an account, the latest used first; `key` is that of who asks."""
    found = [
        Own(
            _mark(session.session_key),
            datetime.fromtimestamp(began, UTC),
            session.expire_date - timedelta(seconds=settings.SESSION_COOKIE_AGE),
            session.session_key == key,
        )
        for session, began in _of(user)
    ]
    return sorted(found, key=lambda session: session.used, reverse=True)


def end_others(user: AbstractBaseUser, key: str | None, mark: str = "") -> int:
    """End all sessions of an account but that of who asks, or the one that `mark` names."""
    return _end(
        session
        for session, _began in _of(user)
        if session.session_key != key and mark in ("", _mark(session.session_key))
    )


def end_oldest(user: AbstractBaseUser, key: str | None) -> int:
    """Leave the newest sessions of an account, that of who asks among them. Those that gave the
    password alone do not count: who knows it must not be able to end its owner's."""
    proved = [pair for pair in _of(user) if DEVICE_ID_SESSION_KEY in pair[0].get_decoded()]
    others = [pair for pair in proved if pair[0].session_key != key]
    others.sort(key=lambda pair: pair[1], reverse=True)
    return _end(session for session, _began in others[MOST - 1 :])


def _of(user: AbstractBaseUser) -> Iterator[tuple[Session, float]]:
    for session in Session.objects.filter(expire_date__gt=timezone.now()):
        held = session.get_decoded()
        if held.get(SESSION_KEY) == str(user.pk):
            yield session, held.get(BEGAN, 0.0)


def _end(some) -> int:
    ended = list(some)
    for session in ended:
        session.delete()
    return len(ended)


def _mark(key: str) -> str:
    return sha256(key.encode()).hexdigest()[:16]
