"""What machines ask of the site."""

import re
import shutil
import subprocess
from io import StringIO

import pytest
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone

from campaign_site import environment
from petition.letters import owing
from petition.web import installation
from tests.making import make_signature

pytestmark = pytest.mark.django_db


def test_the_process_and_what_it_needs_say_that_they_are_well(client):
    assert client.get("/healthz").content == b"ok\n"
    assert client.get("/readyz").content == b"ok\n"


def test_a_process_without_its_database_is_up_and_not_ready(client, settings):
    from django.db import OperationalError, connection

    def down(*args, **kwargs):
        raise OperationalError

    with connection.execute_wrapper(down):
        assert client.get("/healthz").status_code == 200
        response = client.get("/readyz")
    assert response.status_code == 503
    assert b"sign: the database does not answer\nread: ok\ndesk: the database" in response.content


def test_robots_are_kept_from_private_pages_and_shown_the_map(client):
    text = client.get("/robots.txt").content.decode()
    assert "Disallow: /ar/confirm/" in text
    assert "Sitemap: http://testserver/sitemap.xml" in text
    found = client.get("/sitemap.xml").content.decode()
    assert len(re.findall(r"<loc>", found)) == 3 * 15
    assert "<loc>http://testserver/ar/tracks/fate/</loc>" in found
    assert 'hreflang="fr" href="http://testserver/fr/tracks/fate/"' in found


def test_whom_to_tell_of_a_hole_is_said(client, settings):
    assert (
        "Contact: http://testserver/en/about/"
        in client.get("/.well-known/security.txt").content.decode()
    )
    settings.CONTACT_EMAIL = "contact@example.org"
    text = client.get("/.well-known/security.txt").content.decode()
    assert "Contact: mailto:contact@example.org" in text
    assert re.search(r"Expires: 20\d\d-", text)


@pytest.fixture
def gpg(tmp_path):
    """OpenPGP with a key of this test alone."""
    if not (program := shutil.which("gpg")):
        pytest.skip("gpg is missing. Install it with: apt-get install gnupg")
    home = tmp_path / "keys"
    home.mkdir(mode=0o700)

    def ask(*args: str, said: str = "") -> str:
        command = [program, "--homedir", str(home), "--batch", "--quiet", "--passphrase", "", *args]
        return subprocess.run(
            command, input=said, capture_output=True, text=True, check=True
        ).stdout

    ask("--quick-generate-key", "Sample key <sample@example.org>", "ed25519", "sign", "never")
    yield ask
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False)


def test_where_a_key_has_signed_it_it_is_served_so_until_its_day(client, settings, gpg, tmp_path):
    own = client.get("/.well-known/security.txt").content.decode()
    file = tmp_path / "security.txt.asc"
    file.write_text(gpg("--clearsign", said=own))
    settings.SECURITY_TXT = environment.signed_file(str(file))
    served = client.get("/.well-known/security.txt").content.decode()
    assert gpg("--decrypt", said=served) == own  # Fails where the signature is not right.
    text, ends_at = settings.SECURITY_TXT
    assert 29 < (ends_at - timezone.now()).days + 1 <= 30
    settings.SECURITY_TXT = text, timezone.now()
    assert client.get("/.well-known/security.txt").content.decode() == own


def test_the_icon_is_where_browsers_look_for_it(client):
    response = client.get("/favicon.ico")
    assert response.status_code == 200
    assert b"".join(response.streaming_content)[:4] == b"\x00\x00\x01\x00"
    response.close()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/apple-touch-icon.png", "image/png"),
        ("/manifest.webmanifest", "application/manifest+json"),
    ],
)
def test_a_phone_finds_what_its_home_screen_needs(client, path, kind):
    response = client.get(path)
    assert (response.status_code, response["Content-Type"]) == (200, kind)
    assert b"".join(response.streaming_content)
    response.close()
    assert f'href="{path}"' in client.get("/ar/").content.decode()


def test_http_is_led_to_https_but_for_health_checks(client, settings):
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/ar/")["Location"] == "https://testserver/ar/"
    assert client.get("/healthz").status_code == 200


def test_a_process_whose_migrations_are_not_applied_is_not_ready(client, monkeypatch):
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda *args: ["one"])
    response = client.get("/readyz")
    assert response.status_code == 503
    assert b"sign: migrations are not applied: manage.py migrate\n" in response.content


@pytest.mark.parametrize(
    ("use", "status"), [("", 200), ("/sign", 200), ("/read", 200), ("/desk", 503)]
)
def test_a_lost_cache_stops_the_desk_and_nothing_else(client, settings, use, status):
    settings.CACHES = settings.CACHES | {
        "default": {
            "BACKEND": "django.core.cache.backends.redis.RedisCache",
            "LOCATION": "redis://127.0.0.1:1/0",
        }
    }
    response = client.get(f"/readyz{use}")
    assert response.status_code == status
    assert b"desk: the cache does not answer\n" in response.content
    assert b"note: the cache does not answer: attempts are not limited\n" in response.content


def test_a_database_of_a_newer_release_is_said_and_stops_nothing(client):
    MigrationRecorder(connection).record_applied("petition", "9999_newer")
    response = client.get("/readyz")
    assert response.status_code == 200
    assert b"note: the database is of a newer release than this process\n" in response.content


@pytest.mark.postgres
def test_a_database_that_takes_no_writes_cannot_be_signed_with(client):
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL transaction_read_only TO on")
    response = client.get("/readyz/sign")
    assert response.status_code == 503
    assert b"sign: the database takes no writes\n" in response.content
    assert client.get("/readyz/read").status_code == 200


def test_other_data_keys_than_the_databases_own_are_refused(client, settings):
    assert client.get("/readyz").content == b"ok\n"
    keys = settings.DATA_KEYS
    settings.DATA_KEYS = [b"x" * 32]
    assert b"sign: DATA_KEYS: none of these keys" in client.get("/readyz").content
    with pytest.raises(SystemExit, match="DATA_KEYS: none of these keys is the one"):
        installation.stop_where_wrong(installation.check_keys)
    with pytest.raises(CommandError, match="DATA_KEYS: none of these keys"):
        call_command("mailer", "--once")
    settings.DATA_KEYS = [b"x" * 32, *keys]  # In the middle of a change of keys.
    assert client.get("/readyz").content == b"ok\n"
    call_command("rotate_keys", stdout=StringIO())
    settings.DATA_KEYS = keys
    assert client.get("/readyz").status_code == 503


def test_a_restored_copy_sends_nothing_until_it_is_told(monkeypatch):
    call_command("mailer", "--once", stdout=StringIO())
    owing.owe(make_signature(), "confirm", "en")
    monkeypatch.setattr(installation, "_identity", lambda: "elsewhere")
    with pytest.raises(CommandError, match="This is a copy of the database"):
        call_command("mailer", "--once")
    assert mail.outbox == []
    call_command("mailer", "--once", "--adopt", stdout=StringIO())
    call_command("mailer", "--once", stdout=StringIO())
    assert len(mail.outbox) == 1


@pytest.mark.postgres
def test_a_database_is_told_from_its_copy():
    assert re.fullmatch(r"\d*/\d+", installation._identity())


@pytest.mark.parametrize(
    "path", ["/ar/", "/en/sign/", "/en/counter/", "/admin/login/", "/en/none/"]
)
def test_a_page_may_use_nothing_that_it_does_not_need_and_is_read_into_no_other_site(client, path):
    for _ in range(2):  # Made, and from memory.
        response = client.get(path)
        assert response["Cross-Origin-Resource-Policy"] == "same-origin"
        assert "camera=()" in response["Permissions-Policy"]
        assert "geolocation=()" in response["Permissions-Policy"]
        assert "fullscreen=(self)" in response["Permissions-Policy"]


@pytest.mark.parametrize(
    "path", ["/api/v1/counter.json", "/log/vkey", "/oembed", "/en/counter.svg"]
)
def test_what_other_sites_fetch_may_be_read_by_them(client, path):
    assert client.get(path)["Cross-Origin-Resource-Policy"] == "cross-origin"
