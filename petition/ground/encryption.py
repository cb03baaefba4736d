"""Encrypts, decrypts, rotates keys and makes blind indexes: the only user of `cryptography`.

Every purpose ("name", "email", an index) has keys of its own, derived from the data keys by HKDF
(RFC 5869). What is encrypted for one purpose does not decrypt for another.
"""

import hmac
import os
from functools import cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings

# The second byte string binds what is sealed to its row: copied to another row, it does not open.
UNBOUND, BOUND = b"\x01", b"\x02"
KEY_ID_BYTES = 4
NONCE_BYTES = 12
# Lengths would tell who may have signed: texts are filled up to a multiple of this.
BLOCK = 32
# 128 bits: among ten million mailboxes two meet by chance once in 10^24 tries.
INDEX_BYTES = 16


class Unreadable(Exception):
    """No data key at hand decrypts this; says nothing of what it holds."""


@cache
def _derived(key: bytes, purpose: str) -> bytes:
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=purpose.encode()).derive(key)


@cache
def _key_id(key: bytes) -> bytes:
    return _derived(key, "key id")[:KEY_ID_BYTES]


@cache
def _cipher(key: bytes, purpose: str) -> AESGCM:
    return AESGCM(_derived(key, f"encrypt {purpose}"))


def encrypt(text: str, purpose: str, row: bytes = b"") -> bytes:
    """Seals a text whose length must not tell anything: it is filled up to a multiple of BLOCK."""
    filled = text.encode() + b"\x00"
    return seal(filled + b"\x00" * (-len(filled) % BLOCK), purpose, row)


def seal(content: bytes, purpose: str, row: bytes = b"") -> bytes:
    """AES-256-GCM under the first data key: version, key id, nonce, sealed content and tag. It
    opens for this `row` alone; "" where it belongs to none, or while BIND_ROWS is off."""
    key = settings.DATA_KEYS[0]
    nonce = os.urandom(NONCE_BYTES)
    version, bound_to = (BOUND, row) if row and settings.BIND_ROWS else (UNBOUND, b"")
    sealed = _cipher(key, purpose).encrypt(nonce, content, version + bound_to)
    return version + _key_id(key) + nonce + sealed


def decrypt(sealed: bytes, purpose: str, row: bytes = b"") -> str:
    """The text, by whichever data key sealed it. Raises Unreadable."""
    return opened(sealed, purpose, row).rstrip(b"\x00").decode()


def opened(sealed: bytes, purpose: str, row: bytes = b"") -> bytes:
    """The content, by whichever data key sealed it. Raises Unreadable."""
    version, key_id = sealed[:1], sealed[1 : 1 + KEY_ID_BYTES]
    nonce = sealed[1 + KEY_ID_BYTES : 1 + KEY_ID_BYTES + NONCE_BYTES]
    for key in settings.DATA_KEYS:
        if _key_id(key) == key_id:
            try:
                return _cipher(key, purpose).decrypt(
                    nonce,
                    sealed[1 + KEY_ID_BYTES + NONCE_BYTES :],
                    version + (row if version == BOUND else b""),
                )
            except InvalidTag:
                break
    raise Unreadable(
        "No key in DATA_KEYS decrypts this value. Put the former key back in the list."
    )


def sealed_again(sealed: bytes | None, purpose: str, row: bytes = b"") -> bytes | None:
    """The same content under the first data key. Raises Unreadable."""
    return None if sealed is None else seal(opened(bytes(sealed), purpose, row), purpose, row)


def is_current(sealed: bytes, row: bytes) -> bool:
    """Whether it is sealed under the first data key and bound as it would be now."""
    version = BOUND if row and settings.BIND_ROWS else UNBOUND
    return sealed[: 1 + KEY_ID_BYTES] == version + _key_id(settings.DATA_KEYS[0])


def concealed(number: int, purpose: str) -> str:
    """A number below 2^72 as 32 hexadecimal digits that tell nothing of it and that nobody else can
    make up: one AES block, of which 56 bits must come back as zeros."""
    return _block(settings.DATA_KEYS[0], purpose).encryptor().update(number.to_bytes(16)).hex()


def revealed(text: str, purpose: str) -> int | None:
    """The number that was concealed under whichever data key; None where nobody did."""
    for key in settings.DATA_KEYS:
        number = int.from_bytes(_block(key, purpose).decryptor().update(bytes.fromhex(text)))
        if number < 1 << 72:
            return number
    return None


def _block(key: bytes, purpose: str) -> Cipher:
    # A single block, never a message of several: ECB is the block cipher itself.
    return Cipher(algorithms.AES256(_derived(key, f"conceal {purpose}")), modes.ECB())  # noqa: S305


def indexes(value: str, purpose: str) -> list[bytes]:
    """Blind indexes of the value, one for each data key, the current one first.

    Equal values have equal indexes; without the key nothing can be learnt or tried out.
    """
    return [
        hmac.digest(_derived(key, f"index {purpose}"), value.encode(), "sha256")[:INDEX_BYTES]
        for key in settings.DATA_KEYS
    ]


def index(value: str, purpose: str) -> bytes:
    """The blind index under the current data key."""
    return indexes(value, purpose)[0]
