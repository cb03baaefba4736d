"""Signs and reads what letters carry: tokens in links, and the code for those who rather type."""

import string
import uuid
from base64 import urlsafe_b64decode

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.utils.crypto import constant_time_compare, salted_hmac

from petition.ground.typed import plain

CONFIRM = "confirm"
WITHDRAW = "withdraw"
UNSUBSCRIBE = "unsubscribe"

# What a token is written with, and how long that makes its 32 bytes.
DIGITS = string.digits + string.ascii_letters
VALUES = {digit: value for value, digit in enumerate(DIGITS)}
TOKEN_LENGTH = 43

# Crockford's base 32: no I, L, O or U, so that a code cannot be misread or spell a word.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH = 8
MISREAD = str.maketrans("ILO", "110")


class Invalid(Exception):
    """Not a token of this kind that we signed."""


def token(kind: str, reference: uuid.UUID) -> str:
    """What a mailed link carries: the signature's reference, and 16 bytes that sign it for one kind
    of link. 43 letters and digits: no mail program cuts a link within them."""
    number = int.from_bytes(reference.bytes + _mac(kind, reference, settings.SECRET_KEY))
    digits = []
    for _ in range(TOKEN_LENGTH):
        number, digit = divmod(number, len(DIGITS))
        digits.append(DIGITS[digit])
    return "".join(reversed(digits))


def read(kind: str, text: str) -> uuid.UUID:
    """The reference in a token. Raises Invalid."""
    if "." in text:
        return _read_former(kind, text)
    if len(text) != TOKEN_LENGTH:
        raise Invalid
    number = 0
    try:
        for character in text:
            number = number * len(DIGITS) + VALUES[character]
        content = number.to_bytes(32)
    except (KeyError, OverflowError) as error:
        raise Invalid from error
    reference = uuid.UUID(bytes=content[:16])
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    if not any(constant_time_compare(_mac(kind, reference, key), content[16:]) for key in keys):
        raise Invalid
    return reference


def _mac(kind: str, reference: uuid.UUID, key: str) -> bytes:
    salt = f"petition.links.{kind}.2"
    return salted_hmac(salt, reference.bytes, secret=key, algorithm="sha256").digest()[:16]


def _read_former(kind: str, text: str) -> uuid.UUID:
    """Links that were mailed before: those that withdraw have no end."""
    try:
        encoded = Signer(salt=f"petition.links.{kind}", sep=".").unsign(text)
    except BadSignature as error:
        raise Invalid from error
    return uuid.UUID(bytes=urlsafe_b64decode(encoded + "=="))


def _code(reference: uuid.UUID, key: str) -> str:
    digest = salted_hmac(
        "petition.links.code", reference.bytes, secret=key, algorithm="sha256"
    ).digest()
    return "".join(ALPHABET[byte % 32] for byte in digest[:CODE_LENGTH])


def code(reference: uuid.UUID) -> str:
    """The eight characters that confirm this signature together with its address (40 bits)."""
    return _code(reference, settings.SECRET_KEY)


def clean_code(typed: str) -> str:
    """A code as typed, with what people add or mistake undone: spaces, dashes, case, O for 0."""
    return "".join(c for c in plain(typed).upper() if c.isalnum()).translate(MISREAD)


def is_code(reference: uuid.UUID, typed: str) -> bool:
    """Whether a cleaned code is this signature's, under any key that still counts."""
    keys = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return any(constant_time_compare(_code(reference, key), typed) for key in keys)
