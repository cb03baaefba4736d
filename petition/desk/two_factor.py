"""Sets up, proves, renews and resets the second factor of a coordinator's account."""

import secrets
import unicodedata
from base64 import b32encode
from binascii import unhexlify
from math import ceil
from urllib.parse import quote, urlencode, urlsplit

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.db import IntegrityError, transaction
from django.utils import timezone

from petition import audit
from petition.desk import sessions
from petition.ground import encryption
from petition.ground.fields import open_all
from petition.models import Authenticator, Entry

RECOVERY_CODES = 10
SECRET_BYTES = 20  # As long as the digest, as RFC 4226 recommends.


class AlreadySetUp(Exception):
    """The account has a second factor: it is asked for, and not replaced."""


class TooEarly(Exception):
    """After wrong codes; `seconds` until the next may be typed."""

    def __init__(self, seconds: int):
        self.seconds = seconds


def of(user: AbstractBaseUser) -> Authenticator | None:
    return Authenticator.objects.filter(user=user).first()


def new_secret() -> str:
    return secrets.token_hex(SECRET_BYTES)


def typed_secret(secret: str) -> str:
    """The secret as people type it into an app: base32 in groups of four."""
    return _in_groups(b32encode(unhexlify(secret)).decode())


def address(user: AbstractBaseUser, secret: str) -> str:
    """What an app reads from the QR code. It names the site by its host alone, for a phone may be
    looked at by others."""
    issuer = urlsplit(settings.SITE_URL).hostname
    query = urlencode({"secret": b32encode(unhexlify(secret)).decode(), "issuer": issuer})
    return f"otpauth://totp/{quote(f'{issuer}:{user.get_username()}')}?{query}"


def set_up(user: AbstractBaseUser, secret: str, typed: str) -> list[str] | None:
    """The recovery codes, to be shown once; None where the typed code does not prove the secret.

    Raises AlreadySetUp.
    """
    device = Authenticator(user=user, secret=secret)
    if not device.take_code(digits(typed)):
        return None
    codes = _new_codes()
    device.recovery = " ".join(codes)
    try:
        with transaction.atomic():
            device.save(force_insert=True)
            _record(user, user, "set up")
    except IntegrityError as error:
        raise AlreadySetUp from error
    return [_in_groups(code) for code in codes]


def prove(user: AbstractBaseUser, typed: str) -> Authenticator | None:
    """The second factor that the typed code belongs to; None where it is wrong. Raises TooEarly."""
    with transaction.atomic():
        device = Authenticator.objects.select_for_update().filter(user=user).first()
        if device is None:
            return None
        allowed, why = device.verify_is_allowed()
        if not allowed:
            seconds = (why["locked_until"] - timezone.now()).total_seconds()
            raise TooEarly(max(1, ceil(seconds)))
        before = device.recovery
        if not device.verify_token(digits(typed)):
            return None  # What throttles is committed with this transaction.
        if device.recovery != before:
            left = len(device.recovery_codes)
            _record(user, user, "used a recovery code", left=left)
    return device


def renew_codes(user: AbstractBaseUser) -> list[str]:
    """New recovery codes, to be shown once; the former ones end."""
    codes = _new_codes()
    with transaction.atomic():
        device = Authenticator.objects.select_for_update().get(user=user)
        device.recovery = " ".join(codes)
        device.save(update_fields=["recovery"])
        _record(user, user, "new recovery codes")
    return [_in_groups(code) for code in codes]


def reset(
    by: AbstractBaseUser | None, user: AbstractBaseUser, *, with_password: bool = False
) -> None:
    """Take the second factor away, and the password too where somebody else may know it: the next
    sign-in sets up a new second factor.

    Every session ends, since one that somebody else has would otherwise set it up without the
    password.
    """
    with transaction.atomic():
        Authenticator.objects.filter(user=user).delete()
        if with_password:
            user.set_unusable_password()
            user.save(update_fields=["password"])
        sessions.end(user)
        _record(by, user, "reset")


def rotate_keys() -> dict[str, int]:
    """Seal every second factor again under the first data key; "moved" and "unreadable"."""
    done = {"moved": 0, "unreadable": 0}
    for pk in list(Authenticator.objects.values_list("pk", flat=True)):
        with transaction.atomic():
            device = Authenticator.objects.select_for_update().filter(pk=pk).first()
            if device is None:
                continue
            try:
                open_all(device)
            except encryption.Unreadable:
                done["unreadable"] += 1
                continue
            device.save(update_fields=["secret", "recovery"])
            done["moved"] += 1
    return done


def digits(typed: str) -> str:
    """The digits among what was typed, however grouped and in whichever of the world's scripts."""
    return "".join(str(unicodedata.decimal(c)) for c in typed if c.isdecimal())


def _new_codes() -> list[str]:
    length = Authenticator.RECOVERY_DIGITS
    return [f"{secrets.randbelow(10**length):0{length}}" for _ in range(RECOVERY_CODES)]


def _in_groups(text: str) -> str:
    return " ".join(text[n : n + 4] for n in range(0, len(text), 4))


def _record(by: AbstractBaseUser | None, user: AbstractBaseUser, what: str, **detail) -> None:
    audit.append(by, Entry.Act.TWO_FACTOR, audit.name_of_account(user), what=what, **detail)
