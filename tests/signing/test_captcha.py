"""reCAPTCHA: nowhere unless both keys are set, then honest about what it does."""

import json
import ssl
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs

import pytest

from petition.models import Signature
from tests.conftest import free_port
from tests.making import filled_form

pytestmark = pytest.mark.django_db


@pytest.fixture
def google(settings, tmp_path, monkeypatch):
    """A stand-in for the verification server, over real TLS; keeps what it is asked."""
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1",
         "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost",
         "-keyout", key, "-out", certificate],
        check=True, capture_output=True,
    )  # fmt: skip

    class Verify(BaseHTTPRequestHandler):
        asked = []
        status = 200

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self.asked.append(parse_qs(body, keep_blank_values=True))
            right = self.asked[-1]["response"] == ["ticked"]
            answer = json.dumps({"success": right, "error-codes": [] if right else ["bad"]})
            self.send_response(self.status)
            self.end_headers()
            self.wfile.write(answer.encode())

        def log_message(self, *args):
            pass

    server = HTTPServer(("127.0.0.1", 0), Verify)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    settings.CHALLENGE = "recaptcha"
    settings.RECAPTCHA_PUBLIC_KEY, settings.RECAPTCHA_PRIVATE_KEY = "public", "private"
    settings.RECAPTCHA_DOMAIN = f"localhost:{server.server_port}"
    yield Verify
    server.shutdown()
    server.server_close()


def sign(client, **fields):
    return client.post("/en/sign/", filled_form(**fields))


def test_without_keys_the_page_knows_nothing_of_it(client):
    response = client.get("/en/sign/")
    assert "captcha" not in response.content.decode().lower()
    assert "google" not in response["Content-Security-Policy"]


def test_with_keys_the_page_says_what_is_sent_to_whom_and_lets_that_host_in_alone(client, google):
    response = client.get("/en/sign/")
    page = response.content.decode()
    assert "Your browser sends your network address" in page
    assert 'data-sitekey="public"' in page
    assert "js/captcha.js" in page
    assert "<script>" not in page
    policy = response["Content-Security-Policy"]
    assert "script-src 'self' https://www.google.com/recaptcha/" in policy
    assert "frame-src https://www.google.com/recaptcha/" in policy
    assert "unsafe" not in policy
    assert "google" not in client.get("/en/about/")["Content-Security-Policy"]


def test_a_ticked_box_is_checked_with_the_server_and_tells_it_nothing_more(client, google):
    assert sign(client, **{"g-recaptcha-response": "ticked"}).status_code == 303
    assert google.asked == [{"secret": ["private"], "response": ["ticked"], "remoteip": [""]}]
    assert Signature.objects.count() == 1


@pytest.mark.parametrize(
    ("answer", "said"), [("", "Tick the box that says"), ("forged", "Tick the box again")]
)
def test_a_box_not_ticked_or_forged_is_refused(client, google, answer, said):
    response = sign(client, **{"g-recaptcha-response": answer})
    assert response.status_code == 422
    assert said in response.content.decode()
    assert not Signature.objects.exists()


def test_whoever_is_cut_off_from_the_server_can_still_sign(client, google, settings, caplog):
    google.status = 500
    assert sign(client, **{"g-recaptcha-response": "ticked"}).status_code == 303
    settings.RECAPTCHA_DOMAIN = f"localhost:{free_port()}"
    response = sign(client, email="b@example.org", **{"g-recaptcha-response": "ticked"})
    assert response.status_code == 303
    assert "The reCAPTCHA server does not answer" in caplog.text
