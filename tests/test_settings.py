"""A wrong setting stops the start with one line that names it and the cure."""

import base64
import os
import subprocess
import sys

import pytest
from django.conf import settings

from campaign_site import environment

pytestmark = pytest.mark.once

KEY = base64.urlsafe_b64encode(b"k" * 32).decode()
PRODUCTION = {
    "SECRET_KEY": "a-secret-key-of-more-than-fifty-characters-that-is-only-a-sample-0123456789",
    "DATA_KEYS": KEY,
    "SITE_URL": "https://petition.example.org",
    "DATABASE_URL": "postgres://petition@localhost/petition",
    "LOG_KEY": KEY,
    "TRUSTED_PROXIES": "1",
    "CHALLENGE": "altcha",
    "EMAIL_URL": "smtp+tls://user:password@mail.example.org:587",
    "PATH": os.environ["PATH"],
}


def manage(*command, **environment):
    given = {k: v for k, v in (PRODUCTION | environment).items() if v is not None}
    return subprocess.run(
        [sys.executable, "manage.py", *command],
        env=given,
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(
    ("variable", "value", "said"),
    [
        ("SECRET_KEY", None, "is not set"),
        ("DATA_KEYS", None, "is not set"),
        ("DATA_KEYS", "not-a-key", "is malformed"),
        ("DATA_KEYS", KEY[:20], "is malformed"),
        ("DATABASE_URL", "postgres//user@host/name", "is malformed"),
        ("DATABASE_URL", "mysql://user@host/name", "is malformed"),
        ("DATABASE_URL", "postgres://user@host:port/name", "is malformed"),
        ("DATABASE_URL", "postgres://user@host", "is malformed"),
        ("DATABASE_URL", "postgres://user@host,/name", "is malformed"),
        ("DATABASE_URL", "postgres://user@a,b:x/name", "is malformed"),
        ("DATABASE_URL", "postgres://user@host/name?sslmode=a&sslmode=b", "is malformed"),
        ("DATABASE_URL", "sqlite:///file?mode=ro", "is malformed"),
        ("REPLICA_URL", "sqlite:////tmp/copy", "is malformed"),
        ("LOG_KEY", "short", "is malformed"),
        ("LOG_WITNESSES", "https://witness.example", "is malformed"),
        ("MAIL_DOMAIN_RATE", "often", "is malformed"),
        ("HSTS_PRELOAD", "maybe", "is malformed"),
        ("SITE_URL", None, "is not set"),
        ("SITE_URL", "petition.example.org", "is malformed"),
        ("ALLOWED_HOSTS", "https://petition.example.org/", "is malformed"),
        ("EMAIL_URL", "mail.example.org", "is malformed"),
        ("EMAIL_FROM", "nobody", "is malformed"),
        ("CACHE_URL", "127.0.0.1:6379", "is malformed"),
        ("CACHE_URL", "redis://host:port", "is malformed"),
        ("CACHE_URL", "redis://host:6379/abc", "is malformed"),
        ("CACHE_URL", "redis:host", "is malformed"),
        ("CACHE_URL", "unix://run/redis.sock", "is malformed"),
        ("CACHE_URL", "unix:", "is malformed"),
        ("CACHE_URL", "redis+sentinel://one:26379,two:x/petition", "is malformed"),
        ("CACHE_URL", "redis+sentinel://one:26379,two:26379", "is malformed"),
        ("DATABASE_URL", "postgres:user@host/name", "is malformed"),
        ("DATABASE_URL", "postgres://user@host/name?unknown=option", "is malformed"),
        ("DATA_KEYS", "$DATA_KEYS", "is malformed"),
        ("SITE_URL", "https://petition.example.org#x", "is malformed"),
        ("SITE_URL", "https://petition.example.org/ar", "is malformed"),
        ("SITE_URL", "https://petition.example.org?x=1", "is malformed"),
        ("SIGN_RATE", "0/h", "is malformed"),
        ("SITE_URL", "https://user:word@petition.example.org", "is malformed"),
        ("SITE_URL", "https://petition example.org", "is malformed"),
        ("ALLOWED_HOSTS", "petition.example.org:443", "is malformed"),
        ("CONTACT_EMAIL", "Words <contact@example.org>", "is malformed"),
        ("EMAIL_FROM", "no-reply@example.org>", "is malformed"),
        ("EMAIL_URL", "smtp://mail..example.org", "is malformed"),
        ("SIGN_RATE", "often", "is malformed"),
        ("CONFIRM_RATE", "30", "is malformed"),
        ("NEWS_RATE", "0/h", "is malformed"),
        ("NEWS_RATE", "fast", "is malformed"),
        ("DEBUG", "perhaps", "is malformed"),
        ("RATELIMIT_ENABLE", "maybe", "is malformed"),
        ("SECURE_SSL_REDIRECT", "2", "is malformed"),
        ("TRUSTED_PROXIES", "-1", "is malformed"),
        ("WEB_CONCURRENCY", "many", "is malformed"),
        ("CHALLENGE", "hard", "is malformed"),
        ("ADMIN_HOST", "https://desk.example.org", "is malformed"),
        ("ADMIN_HOST", "a.example.org,b.example.org", "is malformed"),
        ("ADMIN_HOST", "petition.example.org", "is the host of SITE_URL"),
        ("BOUNCE_ADDRESS", "bounces", "is malformed"),
        ("BOUNCE_MAILBOX", "imap+ssl://host/INBOX", "is malformed"),
        ("BOUNCE_MAILBOX", "pop3://user:password@host/INBOX", "is malformed"),
        ("MAIL_SERVICE", "pigeon", "is malformed"),
        ("MAIL_SERVICE", "postmark", "MAIL_SERVICE_SECRET is not set"),
        ("MAIL_SERVICE_SECRET", "service:short", "is malformed"),
        ("LOG_FORMAT", "xml", "is malformed"),
        ("METRICS_ADDRESS", "9180", "is malformed"),
        ("METRICS_ADDRESS", "127.0.0.1:99999", "is malformed"),
        ("METRICS_DIR", "/proc/metrics", "is malformed"),
        ("SECURITY_TXT", "/etc/hostname", "is malformed"),
        ("SECURITY_TXT", "/no/such/file", "is malformed"),
        ("CHALLENGE", "recaptcha", "are not set"),
        ("RECAPTCHA_PUBLIC_KEY", "only-this-one", "RECAPTCHA_PRIVATE_KEY is not set"),
    ],
)
def test_a_wrong_variable_is_named_in_one_line_with_the_cure(variable, value, said):
    start = manage("check", **{variable: value})
    assert start.returncode != 0
    assert start.stdout == ""
    assert len(start.stderr.splitlines()) == 1
    assert variable in start.stderr
    assert said in start.stderr
    assert len(start.stderr.split(". ", 1)[1]) > 10  # The cure.
    if value and variable in ("DATA_KEYS", "DATABASE_URL", "EMAIL_URL"):
        assert value not in start.stderr


def test_gunicorn_stops_with_the_same_line():
    given = {k: v for k, v in PRODUCTION.items() if k != "SECRET_KEY"}
    gunicorn = [sys.executable, "-m", "gunicorn", "campaign_site.wsgi", "--bind", "127.0.0.1:0"]
    for more in ([], ["--config", "python:tests"]):  # With our configuration, and without any.
        start = subprocess.run(
            [*gunicorn, *more], env=given, cwd=settings.BASE_DIR, capture_output=True, text=True,
            timeout=20,
        )  # fmt: skip
        assert start.returncode != 0
        lines = [line for line in start.stderr.splitlines() if "SECRET_KEY" in line]
        assert len(lines) == 1
        assert lines[0].startswith("SECRET_KEY is not set. ")
        assert "Traceback" not in start.stderr


def test_gunicorn_says_a_wrong_format_of_the_log_in_one_line():
    command = [sys.executable, "-m", "gunicorn", "campaign_site.wsgi", "--bind", "127.0.0.1:0"]
    start = subprocess.run(
        command, env=PRODUCTION | {"LOG_FORMAT": "xml"}, cwd=settings.BASE_DIR,
        capture_output=True, text=True, timeout=20,
    )  # fmt: skip
    assert start.returncode != 0
    assert "LOG_FORMAT is malformed. Set it to line or json." in start.stderr
    assert "Traceback" not in start.stderr


def test_production_settings_pass_the_check_for_deployment_without_a_warning():
    check = manage("check", "--deploy", "--fail-level", "DEBUG")
    assert (check.returncode, check.stderr) == (0, "")
    assert check.stdout.startswith("System check identified no issues")


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"EMAIL_URL": None}, "EMAIL_URL is not set"),
        ({"WEB_CONCURRENCY": "4"}, "Set CACHE_URL"),
        ({"DATABASE_URL": "sqlite://:memory:"}, "names an SQLite file"),
        ({"SITE_URL": "http://petition.example.org"}, "SITE_URL is http"),
        ({"RATELIMIT_ENABLE": "0"}, "nobody is held back"),
        ({"ALLOWED_HOSTS": "*"}, "ALLOWED_HOSTS is *"),
        ({"TRUSTED_PROXIES": "0"}, "TRUSTED_PROXIES is 0"),
        ({"LOG_KEY": None}, "nobody can check the count"),
        ({"CHALLENGE": "none"}, "nothing slows a program"),
    ],
)
def test_what_is_right_alone_and_wrong_together_is_said_by_the_check(environment, said):
    check = manage("check", "--deploy", **environment)
    assert check.returncode == 0
    assert said in check.stderr


@pytest.mark.parametrize(
    ("text", "a_second"), [("3600/h", 1), ("100/10m", 1 / 6), ("5/s", 5), ("43200/d", 0.5)]
)
def test_a_pace_is_read_as_so_many_a_second(text, a_second):
    assert environment.pace(text) == pytest.approx(a_second)


@pytest.mark.parametrize(
    ("url", "wanted"),
    [
        (
            "postgres://u:p%40ss@a.example:5432,b.example:6432/n?target_session_attrs=read-write",
            {"HOST": "a.example,b.example", "PORT": "5432,6432", "USER": "u", "PASSWORD": "p@ss",
             "OPTIONS": {"target_session_attrs": "read-write"}},
        ),
        (
            "postgresql://petition@/petition?host=/run/postgresql",
            {"HOST": "/run/postgresql", "PORT": "", "USER": "petition", "NAME": "petition"},
        ),
        ("postgres://u@[::1]:5433/n", {"HOST": "::1", "PORT": "5433"}),
        ("postgres://u@h/n?conn_max_age=0", {"CONN_MAX_AGE": 0, "HOST": "h", "PORT": "5432"}),
        ("postgres:///n?service=petition", {"HOST": "", "OPTIONS": {"service": "petition"}}),
        ("postgres://u@h/n?disable_server_side_cursors=1", {"DISABLE_SERVER_SIDE_CURSORS": True}),
        ("postgres://u@h/n?options=-c%20statement_timeout%3D5s",
         {"OPTIONS": {"options": "-c statement_timeout=5s"}}),
    ],
)  # fmt: skip
def test_a_database_is_named_with_whatever_libpq_takes(url, wanted):
    found = environment.database(url)
    assert {name: found[name] for name in wanted} == wanted


def test_in_production_the_desks_cookies_have_a_prefix_that_only_https_may_set():
    said = manage(
        "shell", "-c", "from django.conf import settings as s; "
        "print(s.SESSION_COOKIE_NAME, s.CSRF_COOKIE_NAME, s.LANGUAGE_COOKIE_NAME, "
        "s.SESSION_COOKIE_SECURE, s.SESSION_COOKIE_SAMESITE, s.CSRF_COOKIE_SAMESITE)",
    ).stdout  # fmt: skip
    assert said.endswith("__Secure-session __Secure-csrf __Secure-language True Strict Strict\n")


def test_a_secret_may_be_a_credential_of_the_service_manager(tmp_path):
    (tmp_path / "DATA_KEYS").write_text(f"{KEY}\n")
    code = "from django.conf import settings; print(settings.DATA_KEYS == [b'k' * 32])"
    done = manage("shell", "-v0", "-c", code, DATA_KEYS=None, CREDENTIALS_DIRECTORY=str(tmp_path))
    assert done.stdout.strip() == "True", done.stderr
    (tmp_path / "DATA_KEYS").write_bytes(b"\xff\xfe")
    done = manage("check", DATA_KEYS=None, CREDENTIALS_DIRECTORY=str(tmp_path))
    assert done.returncode == environment.EXIT_CODE
    assert done.stderr.startswith("DATA_KEYS cannot be read from CREDENTIALS_DIRECTORY.")
