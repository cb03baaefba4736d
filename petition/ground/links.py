"""Signs and reads what letters carry: tokens in links, and the code for those who rather type."""

import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode

from django.conf import settings
from django.core.signing import BadSignature, Signer
from django.utils.crypto import constant_time_compare, salted_hmac

from petition.ground.typed import plain

CONFIRM = "confirm"
WITHDRAW = "withdraw"
UNSUBSCRIBE = "unsubscribe"

# Crockford's base 32: no I, L, O or U, so that a code cannot be misread or spell a word.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LENGTH = 8
MISREAD = str.maketrans("ILO", "110")


class Invalid(Exception):
    """Not a token of this kind that we signed."""


def _signer(kind: str) -> Signer:
    return Signer(salt=f"petition.links.{kind}", sep=".")


def token(kind: str, reference: uuid.UUID) -> str:
    """What a mailed link carries: the signature's reference, signed for one kind of link."""
    return _signer(kind).sign(urlsafe_b64encode(reference.bytes).rstrip(b"=").decode())


def read(kind: str, text: str) -> uuid.UUID:
    """The reference in a token. Raises Invalid."""
    try:
        encoded = _signer(kind).unsign(text)
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
