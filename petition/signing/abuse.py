"""May this request sign, guess a code, or sign in to the desk? Short-lived counts in the cache; no
address is stored."""

import ipaddress
import logging
import time

from axes.handlers.cache import AxesCacheHandler
from django.conf import settings
from django.core.cache import caches
from django.http import HttpRequest
from django_ratelimit.core import get_usage
from redis.exceptions import RedisError

from petition.ground import encryption, metrics

logger = logging.getLogger(__name__)

# Forty bits are far beyond five guesses an hour, wherever in the world they come from. Against all
# mailboxes together there are so many wrong ones an hour: then links confirm, and codes wait.
CODES_PER_MAILBOX, WRONG_CODES = "5/h", "5000/h"
# Against one password tried on many names; five wrong ones for one name are django-axes' matter.
SIGN_INS_PER_NETWORK = "100/h"
# From how many challenges of one network in ten minutes, of the whole site in a minute, each next
# one takes twice the work. Thousands of people may share a network: the most is eight times.
NETWORK_STEPS, SITE_STEPS = (60, 120, 240), (3000, 6000, 12000)
# More than a family or an office; a network of a mobile carrier has as many on a good day.
BUSY_NETWORK, BUSY_SECONDS = 25, 600
CACHE_IS_LOST = "The cache does not answer: attempts are not limited until it does."


def network(request: HttpRequest) -> str:
    """Where a request comes from: an IPv4 address or an IPv6 /64, "unknown" where neither is told.

    Only what TRUSTED_PROXIES proxies wrote into X-Forwarded-For is believed, counted from the
    right: anything further left is whatever the visitor chose to send.
    """
    text = request.META.get("REMOTE_ADDR", "")
    if settings.TRUSTED_PROXIES:
        hops = [hop.strip() for hop in request.META.get("HTTP_X_FORWARDED_FOR", "").split(",")]
        text = hops[-min(settings.TRUSTED_PROXIES, len(hops))] or text
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return "unknown"
    if address.version == 6:
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        # One household or phone has a whole /64 to choose from.
        return str(ipaddress.ip_network((address, 64), strict=False))
    return str(address)


def seconds_to_wait_to_sign(request: HttpRequest) -> int:
    """Counts an attempt to sign; 0 where it may go on, else the seconds until the next may."""
    usage = _usage(request, "sign", settings.SIGN_RATE, network(request))
    if usage and usage["count"] > BUSY_NETWORK:
        _note_from_busy_network()
    return _seconds(usage)


def from_busy_networks() -> int:
    """How many posts of the last hour came from networks that had sent BUSY_NETWORK before. Which
    networks is not kept."""
    now = int(time.time()) // BUSY_SECONDS
    keys = [f"busy-networks-{now - n}" for n in range(3600 // BUSY_SECONDS)]
    try:
        return sum(caches["default"].get_many(keys).values())
    except (OSError, RedisError):
        return 0


def _note_from_busy_network() -> None:
    key = f"busy-networks-{int(time.time()) // BUSY_SECONDS}"
    try:
        try:
            caches["default"].incr(key)
        except ValueError:  # The first in these minutes.
            caches["default"].add(key, 1, 2 * 3600)
    except (OSError, RedisError):
        _say_that_the_cache_is_lost()


def pressure(request: HttpRequest) -> int:
    """Counts a challenge that a browser asks for; by how many doublings it should be harder than on
    a quiet day."""
    asked = (
        (NETWORK_STEPS, _usage(request, "challenges", "1000000/10m", network(request))),
        (SITE_STEPS, _usage(request, "challenges of all", "1000000/m", "")),
    )
    return max(
        sum(usage["count"] > step for step in steps) if usage else 0 for steps, usage in asked
    )


def seconds_to_wait_to_confirm(request: HttpRequest, mailbox: str) -> int:
    """Counts a typed code, by network and by canonical mailbox, whether or not either signed."""
    wrong = _usage(request, "wrong codes", WRONG_CODES, "", count=False)
    too_many = wrong is not None and wrong["count"] >= wrong["limit"]
    return max(
        _wait(request, "code", settings.CONFIRM_RATE, network(request)),
        _wait(request, "code for a mailbox", CODES_PER_MAILBOX, mailbox),
        max(1, wrong["time_left"]) if wrong and too_many else 0,
    )


def note_wrong_code(request: HttpRequest) -> None:
    """Counts a code that opened nothing, whoever's."""
    _usage(request, "wrong codes", WRONG_CODES, "")


def seconds_to_wait_to_sign_in(request: HttpRequest) -> int:
    """Counts a password typed on the desk, whoever's and whether or not it is right."""
    return _wait(request, "sign in", SIGN_INS_PER_NETWORK, network(request))


def network_index(request: HttpRequest) -> str:
    """What django-axes knows a network by: nothing that can be read back without the data key."""
    return encryption.index(network(request), "network of a sign-in").hex()


class SignInAttempts(AxesCacheHandler):
    """django-axes' counts by name and network; where the cache is lost nobody is locked out."""

    def get_failures(self, request, credentials=None):
        return _unless_lost(super().get_failures, request, credentials) or 0

    def user_login_failed(self, sender, credentials, request=None, **kwargs):
        _unless_lost(super().user_login_failed, sender, credentials, request, **kwargs)

    def user_logged_in(self, sender, request, user, **kwargs):
        _unless_lost(super().user_logged_in, sender, request, user, **kwargs)


def _unless_lost(count, *args, **kwargs):
    try:
        return count(*args, **kwargs)
    except ValueError:
        return None  # The count ended between two commands: it would begin again at one.
    except (OSError, RedisError):
        _say_that_the_cache_is_lost()
        return None


def _wait(request: HttpRequest, group: str, rate: str, value: str) -> int:
    return _seconds(_usage(request, group, rate, value))


def _seconds(usage: dict | None) -> int:
    return max(1, usage["time_left"]) if usage and usage["should_limit"] else 0


def _usage(
    request: HttpRequest, group: str, rate: str, value: str, *, count: bool = True
) -> dict | None:
    """Counts one more of `value`, or looks alone; None where nothing is counted."""
    # The cache sees keyed indexes only: who steals it learns no network address and no mailbox.
    key = encryption.index(value, f"rate {group}").hex()
    try:
        return get_usage(request, group=group, key=lambda *_: key, rate=rate, increment=count)
    except (OSError, RedisError):
        _say_that_the_cache_is_lost()
        return None


def _say_that_the_cache_is_lost() -> None:
    logger.warning(CACHE_IS_LOST)
    metrics.CACHE_ERRORS.inc()
