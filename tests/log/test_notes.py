"""Signed notes, checkpoints, cosignatures and proofs, to the letter."""

import base64
import struct

import pytest

from petition.ground import ed25519
from petition.log import notes

pytestmark = pytest.mark.once

# From the documentation of Go's note package, the origin of the specification.
VKEY = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngo"
    "tpRZb6KE6RyyBwJnAM=\n"
)
SEED = bytes(range(32))


def key(kind=notes.ED25519, name="example.org/log"):
    return notes.Verifier(name, kind, ed25519.public_key(SEED))


def test_the_published_note_is_signed_by_the_published_key():
    verifier = notes.verifier(VKEY)
    assert str(verifier) == VKEY
    assert notes.signers(NOTE, [verifier]) == [verifier]
    with pytest.raises(notes.Invalid):
        notes.signers(NOTE.replace("answer", "anser"), [verifier])


def test_a_signature_by_a_key_that_is_not_known_is_left_aside():
    assert notes.signers(NOTE, [key()]) == []


def test_a_checkpoint_is_written_and_read_as_specified():
    text = notes.Checkpoint("example.org/log", 7, bytes(32)).text
    assert text == f"example.org/log\n7\n{base64.b64encode(bytes(32)).decode()}\n"
    note = notes.sign(text, "example.org/log", SEED)
    assert note.startswith(text + "\n— example.org/log ")
    assert notes.checkpoint(note) == notes.Checkpoint("example.org/log", 7, bytes(32))
    assert notes.signers(note, [key()]) == [key()]


def test_a_cosignature_signs_its_time_as_well():
    text = notes.Checkpoint("example.org/log", 7, bytes(32)).text
    note = notes.sign(text, "example.org/log", SEED)
    witness = key(notes.COSIGNATURE, "witness.example")
    for moment, right in ((1_700_000_000, True), (1_700_000_001, False)):
        signed = ed25519.sign(SEED, notes.cosigned(text, 1_700_000_000))
        line = notes.signature_line(witness, struct.pack(">Q", moment) + signed)
        if right:
            assert notes.signers(note + line, [key(), witness]) == [key(), witness]
        else:
            with pytest.raises(notes.Invalid):
                notes.signers(note + line, [witness])


@pytest.mark.parametrize(
    "vkey",
    ["", "name", "a+b+c", VKEY[:-1], VKEY.replace("c74f20a3", "c74f20a4"), f" +{VKEY}",
     VKEY.replace("ARpc", "AhpC")],
)  # fmt: skip
def test_what_is_no_verifier_key_is_refused(vkey):
    with pytest.raises(notes.Invalid):
        notes.verifier(vkey)


@pytest.mark.parametrize(
    "note",
    ["", "text\n", "text\n\n", "text\n\n— name\n", "text\n\n- name AAAAAAAA\n",
     "o\n-1\nAAAA\n\n— n AAAAAAAA\n", "o\n01\n" + "A" * 43 + "=\n\n— n AAAAAAAA\n"],
)  # fmt: skip
def test_what_is_no_checkpoint_is_refused(note):
    with pytest.raises(notes.Invalid):
        notes.checkpoint(note)


def test_a_proof_is_written_as_specified():
    note = notes.sign(notes.Checkpoint("o", 2, bytes(32)).text, "o", SEED)
    hashed = base64.b64encode(bytes(32)).decode()
    assert notes.proof(1, [bytes(32)], note, b"abc") == (
        f"c2sp.org/tlog-proof@v1\nextra YWJj\nindex 1\n{hashed}\n\n{note}"
    )
    assert notes.proof(0, [], note) == f"c2sp.org/tlog-proof@v1\nindex 0\n\n{note}"
