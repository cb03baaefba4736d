"""Paces the letters to one mail domain, so that a company is not flooded through a thousand made-up
mailboxes. Counted in the shared cache, by a code of the domain.
"""

import time

from django.conf import settings
from django.core.cache import cache
from redis.exceptions import RedisError

from petition.ground import addresses, encryption
from petition.ground.misspellings import PROVIDERS

WINDOW_SECONDS = 600
# What the desk shows of a letter that waits for its domain's turn.
REPLY = "domain pace"
# Their users are strangers to each other, and they can bear it.
LARGE = frozenset(PROVIDERS)


def seconds_to_wait(address: str) -> float:
    """How long a letter to this address has to wait for its domain's turn: 0 where it may leave.

    Those beyond the pace are spread over what follows, so that they do not all come back at once.
    A cache that does not answer holds nothing back.
    """
    domain = addresses.domain(address)
    if domain in LARGE or not settings.RATELIMIT_ENABLE:
        return 0
    window, into = divmod(time.time(), WINDOW_SECONDS)
    key = f"domain-pace-{encryption.index(domain, 'domain pace').hex()}-{window:.0f}"
    allowed = max(1, int(settings.MAIL_DOMAIN_RATE * WINDOW_SECONDS))
    try:
        cache.add(key, 0, WINDOW_SECONDS * 2)
        number = cache.incr(key)
    except (ValueError, OSError, RedisError):  # It was not kept, or nobody answers.
        return 0
    if number <= allowed:
        return 0
    return WINDOW_SECONDS - into + (number - allowed) / settings.MAIL_DOMAIN_RATE
