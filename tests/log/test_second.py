"""A second implementation agrees in both directions: golang.org/x/mod/sumdb, by second/main.go.

What it made is in vectors.json, byte for byte what ours must make of the same entries and key.
"""

import base64
import json
import os
import shutil
import struct
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest
from django.conf import settings as site
from django.utils import timezone

from petition.ground import ed25519
from petition.log import merkle, notes, tiles
from tests.log.making import append, counted, program, withdraw

HERE = Path(__file__).parent
VECTORS = json.loads((HERE / "vectors.json").read_text("utf-8"))
SEED = bytes.fromhex(VECTORS["seed"])
SOURCES = Path("/usr/share/gocode")


def entry(n: int) -> bytes:
    """As second/main.go makes it up."""
    return f"v1 counted {sha256(str(n).encode()).hexdigest()}".encode()


def texts(hashes: list[bytes]) -> list[str]:
    return [base64.b64encode(each).decode() for each in hashes]


@pytest.mark.django_db
def test_trees_tiles_proofs_and_notes_are_the_same_byte_for_byte():
    log, size, roots = tiles.Tiles(), 0, {}
    witness = notes.verifier(VECTORS["witness"])
    for state in VECTORS["states"]:
        roots[state["size"]] = log.append(size, [entry(n) for n in range(size, state["size"])])
        size = state["size"]
        text = notes.Checkpoint("log.example.org/petition", size, roots[size]).text
        cosigned = ed25519.sign(SEED, notes.cosigned(text, VECTORS["time"]))
        assert state["checkpoint"] == notes.sign(
            text, "log.example.org/petition", SEED
        ) + notes.signature_line(witness, struct.pack(">Q", VECTORS["time"]) + cosigned)
        log.save(timezone.now())
        for path, hashed in state["files"].items():
            content, _is_full = tiles.serve(path.removeprefix("tile/"))
            assert sha256(content).hexdigest() == hashed, (size, path)
        for index, proof in state["inclusion"].items():
            path = merkle.inclusion(log.read, int(index), size)
            assert texts(path) == proof
            assert merkle.is_included(entry(int(index)), int(index), size, path, roots[size])
        for old, proof in state["consistent"].items():
            path = merkle.consistency(log.read, int(old), size)
            assert texts(path) == proof
            assert merkle.is_consistent(int(old), size, roots[int(old)], roots[size], path)


@pytest.mark.once
def test_the_sites_code_and_the_newsrooms_program_take_what_the_second_one_signed():
    keys = [notes.verifier(VECTORS["vkey"]), notes.verifier(VECTORS["witness"])]
    assert [str(key) for key in keys] == [VECTORS["vkey"], VECTORS["witness"]]
    reader = program()
    tree = reader.Tree()
    for state in VECTORS["states"]:
        note = state["checkpoint"]
        assert notes.signers(note, keys) == keys
        assert reader.is_signed(note, VECTORS["vkey"])
        assert reader.is_signed(note, VECTORS["witness"])
        while tree.size < state["size"]:
            tree.add(reader.hash_leaf(entry(tree.size)))
        assert reader.read_checkpoint(note)[1:] == (state["size"], tree.root())
        for changed in (note.replace("\n\n", "\nmore\n\n"), note.replace("log.", "log2.", 1)):
            assert not reader.is_signed(changed, VECTORS["vkey"])
            with pytest.raises(notes.Invalid):
                notes.signers(changed, keys)


@pytest.mark.django_db
@pytest.mark.skipif(
    not (shutil.which("go") and (SOURCES / "src/golang.org/x/mod/sumdb").exists()),
    reason="needs Debian's golang-go and golang-golang-x-mod-dev",
)
def test_the_second_one_reads_the_sites_log_and_names_a_changed_byte(copy, tmp_path):
    for signature in counted(300)[:3]:
        withdraw(signature)
    append()
    directory = copy()

    def read() -> subprocess.CompletedProcess:
        env = {"GO111MODULE": "off", "GOPATH": str(SOURCES), "HOME": str(tmp_path)}
        command = ["go", "run", HERE / "second" / "main.go", "read", directory]
        return subprocess.run(command, env=os.environ | env, capture_output=True, text=True)

    said = read()
    assert said.returncode == 0, said.stderr
    assert "305 entries, each in the tree" in said.stdout
    assert site.SITE_URL not in said.stderr
    bundle = next((tmp_path / "copy" / "tile" / "entries").glob("000"))
    content = bytearray(bundle.read_bytes())
    content[40] ^= 1
    bundle.write_bytes(content)
    assert read().returncode == 1
