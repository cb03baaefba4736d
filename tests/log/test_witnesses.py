"""Witnesses cosign the log; one that is down or refuses delays nothing."""

import struct
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from petition.ground import ed25519
from petition.log import merkle, notes, sequencer, witnesses
from petition.models import LogHead
from tests.log.making import append, counted

pytestmark = pytest.mark.django_db


class Witness(BaseHTTPRequestHandler):
    """A witness of its own, as C2SP tlog-witness has it."""

    seed, log, seen, answers = bytes([7]) * 32, None, (0, b""), "right"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        asked, _, note = body.partition("\n\n")
        old, *proof = asked.split("\n")
        told = notes.checkpoint(note)
        size, root = Witness.seen
        import base64

        proven = [base64.b64decode(line) for line in proof]
        if Witness.answers == "refuse" or notes.signers(note, [Witness.log]) == []:
            return self._say(403, "no")
        if int(old.removeprefix("old ")) != size:
            return self._say(409, f"{size}\n")
        if size and not merkle.is_consistent(size, told.size, root, told.root, proven):
            return self._say(422, "no")
        Witness.seen = (told.size, told.root)
        text = notes.split(note)[0]
        key = notes.Verifier("witness.example", notes.COSIGNATURE,
                             ed25519.public_key(Witness.seed))  # fmt: skip
        signed = ed25519.sign(Witness.seed, notes.cosigned(text, 1_700_000_000))
        return self._say(200, notes.signature_line(key, struct.pack(">Q", 1_700_000_000) + signed))

    def _say(self, status, text):
        self.send_response(status)
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, *_):
        pass


@pytest.fixture
def witness(settings):
    server = HTTPServer(("127.0.0.1", 0), Witness)
    Thread(target=server.serve_forever, daemon=True).start()
    key = notes.Verifier("witness.example", notes.COSIGNATURE, ed25519.public_key(Witness.seed))
    Witness.log, Witness.seen, Witness.answers = sequencer.verifier(), (0, b""), "right"
    settings.LOG_WITNESSES = [(f"http://127.0.0.1:{server.server_port}", str(key))]
    yield key
    server.shutdown()
    server.server_close()


def test_a_witness_cosigns_each_new_head_and_one_that_refuses_delays_nothing(witness, client):
    for _ in range(3):
        counted(2)
        append()
        assert witnesses.ask() == 1
        note = LogHead.objects.get().checkpoint
        assert notes.signers(note, [witness]) == [witness]
        assert witnesses.ask() == 0
    assert "witness.example" in client.get("/en/counter/check/").content.decode()
    Witness.seen = (2, Witness.seen[1])  # It restored an older state: it says where it stands.
    Witness.answers = "refuse"
    counted()
    assert append() == 1
    assert witnesses.ask() == 0


def test_a_witness_that_is_down_delays_nothing(settings):
    key = notes.Verifier("w", notes.COSIGNATURE, bytes(32))
    settings.LOG_WITNESSES = [("http://127.0.0.1:9", str(key))]
    counted()
    append()
    assert witnesses.ask() == 0
