"""Signed notes and what stands in them: checkpoints, cosignatures, proofs.

C2SP signed-note, tlog-checkpoint, tlog-cosignature and tlog-proof, to the letter.
"""

import base64
import binascii
import re
import struct
from dataclasses import dataclass
from hashlib import sha256

from petition.ground import ed25519

ED25519, COSIGNATURE = 0x01, 0x04
KEY_ID_BYTES = 4
SIGNATURE_LINE = re.compile(r"— ([^\s+]+) ([A-Za-z0-9+/]+=*)")
BODY = re.compile(r"([^\n]+)\n(0|[1-9][0-9]*)\n([A-Za-z0-9+/]{43}=)\n((?:[^\n]+\n)*)")
PROOF_HEAD = "c2sp.org/tlog-proof@v1"


class Invalid(ValueError):
    """Not what the specification says."""


@dataclass(frozen=True)
class Verifier:
    """A verifier key: who signs, in which way, and the public key."""

    name: str
    kind: int
    public: bytes

    @property
    def key_id(self) -> bytes:
        return sha256(self.name.encode() + b"\n" + bytes([self.kind]) + self.public).digest()[
            :KEY_ID_BYTES
        ]

    def __str__(self):
        key = base64.b64encode(bytes([self.kind]) + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{key}"

    def has_signed(self, text: str, signature: bytes) -> bool:
        """Whether a signature, without its key id, is this key's over a note's text."""
        if self.kind == ED25519:
            return ed25519.is_signed(self.public, signature, text.encode())
        moment, signed = signature[:8], signature[8:]
        if len(moment) < 8:
            return False
        message = cosigned(text, struct.unpack(">Q", moment)[0])
        return ed25519.is_signed(self.public, signed, message)


@dataclass(frozen=True)
class Checkpoint:
    """The head of a log: whose it is, how many entries it has, their root, and lines that say more,
    which readers pass over."""

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        root = base64.b64encode(self.root).decode()
        return "\n".join([self.origin, str(self.size), root, *self.extensions]) + "\n"


def verifier(vkey: str) -> Verifier:
    """Reads a verifier key (`name+key id+key`). Raises Invalid."""
    try:
        name, key_id, encoded = vkey.strip().split("+", 2)
        key = base64.b64decode(encoded, validate=True)
        found = Verifier(name, key[0], key[1:])
        right = found.key_id == bytes.fromhex(key_id) and len(found.public) == 32
    except (ValueError, IndexError, binascii.Error) as error:
        raise Invalid(vkey) from error
    if not right or not name or found.kind not in (ED25519, COSIGNATURE):
        raise Invalid(vkey)
    return found


def sign(text: str, name: str, seed: bytes) -> str:
    """A note with one signature: the text, an empty line, the signature's line."""
    signature = ed25519.sign(seed, text.encode())
    return f"{text}\n{signature_line(Verifier(name, ED25519, ed25519.public_key(seed)), signature)}"


def signature_line(by: Verifier, signature: bytes) -> str:
    return f"— {by.name} {base64.b64encode(by.key_id + signature).decode()}\n"


def cosigned(text: str, timestamp: int) -> bytes:
    """What a witness signs of a checkpoint's text."""
    return f"cosignature/v1\ntime {timestamp}\n{text}".encode()


def split(note: str) -> tuple[str, list[tuple[str, bytes, bytes]]]:
    """A note's text, and its signatures as (name, key id, signature). Raises Invalid."""
    text, gap, signatures = note.rpartition("\n\n")
    if not gap or not signatures.endswith("\n"):
        raise Invalid("no signatures")
    found = []
    for line in signatures[:-1].split("\n"):
        parts = SIGNATURE_LINE.fullmatch(line)
        if not parts:
            raise Invalid(line)
        raw = base64.b64decode(parts[2])
        found.append((parts[1], raw[:KEY_ID_BYTES], raw[KEY_ID_BYTES:]))
    return text + "\n", found


def signers(note: str, known: list[Verifier]) -> list[Verifier]:
    """Which of the known keys have signed a note. Raises Invalid where one of them signed wrongly;
    signatures of other keys are left aside, as the specification says."""
    text, signatures = split(note)
    found = []
    for name, key_id, signature in signatures:
        for key in known:
            if (key.name, key.key_id) == (name, key_id):
                if not key.has_signed(text, signature):
                    raise Invalid(name)
                found.append(key)
    return found


def checkpoint(note: str) -> Checkpoint:
    """What a note says of a log, whoever signed it. Raises Invalid."""
    parts = BODY.fullmatch(split(note)[0])
    if not parts:
        raise Invalid("no checkpoint")
    return Checkpoint(
        parts[1], int(parts[2]), base64.b64decode(parts[3]), tuple(parts[4].splitlines())
    )


def proof(index: int, path: list[bytes], note: str, extra: bytes = b"") -> str:
    """A proof that an entry is in the log whose checkpoint the note is."""
    lines = [PROOF_HEAD]
    if extra:
        lines.append(f"extra {base64.b64encode(extra).decode()}")
    lines += [f"index {index}", *(base64.b64encode(each).decode() for each in path)]
    return "\n".join(lines) + "\n\n" + note
