"""What a signer's browser calculates before it signs (ALTCHA): a moment's work for one person, dear
for a program that signs thousands of times.

A challenge names its form, lives for an hour, and counts once. It is solved while people type. A
signature without a solution is not refused: once its owner confirms it, a volunteer looks at it.
"""

import logging
import secrets
import time

from altcha import Payload, create_challenge, verify_solution
from django.conf import settings
from django.core.cache import caches
from django.utils.crypto import salted_hmac
from redis.exceptions import RedisError

from petition.ground import encryption, metrics

logger = logging.getLogger(__name__)

FORMS = ("sign", "confirm")
ALGORITHM = "PBKDF2/SHA-256"
ITERATIONS = 5000  # Of each try: 1.5 ms here to make a challenge, and nothing to check a solution.
# How many tries a browser needs at most; a third less on average. Each level doubles them.
TRIES = 300
LIFE_SECONDS = 3600
MOST_BYTES = 2000  # A solution has 700.


def is_asked() -> bool:
    """Whether the operator wants it (CHALLENGE=altcha)."""
    return settings.CHALLENGE == "altcha"


def made(form: str, level: int) -> dict:
    """A new challenge for one of FORMS, as ALTCHA's solver takes it; `level` as
    `abuse.pressure` says."""
    most = TRIES << level
    challenge = create_challenge(
        ALGORITHM,
        ITERATIONS,
        counter=most // 3 + secrets.randbelow(most - most // 3),
        expires_at=int(time.time()) + LIFE_SECONDS,
        data={"form": form},
        hmac_secret=_key("challenge"),
        hmac_key_secret=_key("solution"),
    )
    return challenge.to_dict()


def spend(solution: str, form: str, by: str) -> bool:
    """Whether this solves a challenge for `form` that is in time and that nobody but `by` (a
    mailbox, a token) has spent; from now on it is spent. A form that a double click has sent twice
    is one person's. Where the cache is lost, one may be spent again."""
    found = _solved(solution, form)
    if found is None:
        metrics.CHALLENGES.labels("refused" if solution else "unsolved").inc()
        return False
    try:
        cache, key = caches["default"], _register(found)
        whose = encryption.index(by, "challenge").hex()
        is_theirs = cache.add(key, whose, LIFE_SECONDS) or cache.get(key) == whose
        metrics.CHALLENGES.labels("solved" if is_theirs else "refused").inc()
        return is_theirs
    except (OSError, RedisError):
        logger.warning("The cache does not answer: a solved challenge can be sent again.")
        return True


def give_back(solution: str, form: str) -> None:
    """What it was spent for could not be stored: it counts again."""
    found = _solved(solution, form)
    if found is None:
        return
    try:
        caches["default"].delete(_register(found))
    except (OSError, RedisError):
        logger.warning("The cache does not answer: a challenge has to be solved once more.")


def _solved(solution: str, form: str) -> Payload | None:
    if not solution or len(solution) > MOST_BYTES:
        return None
    result = verify_solution(solution, _key("challenge"), hmac_key_secret=_key("solution"))
    if not result.verified:
        return None
    payload = Payload.from_base64(solution)
    parameters = payload.challenge.parameters
    is_ours = parameters.data == {"form": form} and parameters.key_signature
    return payload if is_ours else None


def _register(payload: Payload) -> str:
    # The signature covers all that a challenge is, so that no other spelling of it counts again.
    return f"challenge {payload.challenge.signature}".replace(" ", "-")


def _key(use: str) -> bytes:
    return salted_hmac("petition.signing.challenge", use, algorithm="sha256").digest()
