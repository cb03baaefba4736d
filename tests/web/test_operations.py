"""What machines ask of the site."""

import re

import pytest
from django.db.migrations.executor import MigrationExecutor

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
    assert (response.status_code, response.content) == (503, b"not ready: database\n")


def test_robots_are_kept_from_private_pages_and_shown_the_map(client):
    text = client.get("/robots.txt").content.decode()
    assert "Disallow: /ar/confirm/" in text
    assert "Sitemap: http://testserver/sitemap.xml" in text
    found = client.get("/sitemap.xml").content.decode()
    assert len(re.findall(r"<loc>", found)) == 3 * 14
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


def test_the_icon_is_where_browsers_look_for_it(client):
    response = client.get("/favicon.ico")
    assert response.status_code == 200
    assert b"".join(response.streaming_content)[:4] == b"\x00\x00\x01\x00"
    response.close()


def test_http_is_led_to_https_but_for_health_checks(client, settings):
    settings.SECURE_SSL_REDIRECT = True
    assert client.get("/ar/")["Location"] == "https://testserver/ar/"
    assert client.get("/healthz").status_code == 200


def test_a_process_whose_migrations_are_not_applied_is_not_ready(client, monkeypatch):
    monkeypatch.setattr(MigrationExecutor, "migration_plan", lambda *args: ["one"])
    assert client.get("/readyz").content == b"not ready: database\n"
