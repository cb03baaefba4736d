"""The files of `deploy/` on loopback: nginx with TLS, PgBouncer, a standby, Redis, two hosts' worth
of gunicorn at sockets that outlive them, workers, a mail server."""

import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from urllib.parse import urlencode

import psycopg
import pytest
from aiosmtpd.controller import Controller
from django.conf import settings

from tests import equipment
from tests.conftest import Box, free_port
from tests.making import filled_form

DEPLOY = settings.BASE_DIR / "deploy"
HOST = "petition.example"
VISITOR = "127.0.0.77"  # Loopback has many addresses: this one may stand in no log.
KEY = "ZGVwbG95LXRlc3QtZGVwbG95LXRlc3QtZGVwbG95LXQ"
NEEDED = ("nginx", "pgbouncer", "redis-server", "openssl")
FORM = "application/x-www-form-urlencoded"


class Host:
    """A web host: gunicorn at a socket that outlives it, as systemd has it, with its own files."""

    def __init__(self, folder: Path, environment: dict[str, str], log):
        self.release = settings.BASE_DIR  # Whose code it runs.
        folder.mkdir()
        folder.chmod(0o755)
        self.folder, self.log, self.process = folder, log, None
        self.environment = environment | {
            "LAST_GOOD_DIR": str(folder / "last-good"), "METRICS_DIR": str(folder / "metrics"),
        }  # fmt: skip
        self.listener = None

    @property
    def socket(self) -> Path:
        return self.folder / "web.sock"

    def start(self) -> None:
        """As systemd hands a service its socket."""
        if self.listener is None:
            self.listener = socket.socket(socket.AF_UNIX)
            self.listener.bind(str(self.socket))
            self.listener.listen(2048)
            os.chmod(self.socket, 0o777)  # noqa: S103 - nginx's workers are another user.
        command = f"LISTEN_PID=$$ LISTEN_FDS=1 exec {sys.executable} -m gunicorn campaign_site.wsgi"
        self.process = subprocess.Popen(
            ["/bin/bash", "-c", f"exec 3<&{self.listener.fileno()}; {command}"],
            cwd=self.release, env=self.environment, pass_fds=[self.listener.fileno()],
            stdout=self.log, stderr=self.log,
        )  # fmt: skip

    def stop(self) -> None:
        if self.process and self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(40)

    def ask(self, method: str, path: str, body: dict[str, str] | None = None) -> int:
        """The status of its answer, past the proxy."""
        connection = HTTPConnection(HOST)
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.settimeout(40)
        connection.sock.connect(str(self.socket))
        headers = {"X-Forwarded-Proto": "https", "Content-Type": FORM}
        connection.request(method, path, urlencode(body) if body else None, headers)
        status = connection.getresponse().status
        connection.close()
        return status

    def leave(self) -> None:
        """The machine is gone, and nobody listens any more."""
        self.stop()
        if self.listener:
            self.listener.close()
            self.listener = None
            self.socket.unlink()


class Stack:
    """All of it, running."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.nginx_port, self.plain_port = free_port(), free_port()
        self.pool_port, self.redis_port, self.mail_port = free_port(), free_port(), free_port()
        self.box = Box()
        self.log = (folder / "everything.log").open("ab")
        self.hosts: list[Host] = []
        with psycopg.connect(os.environ["TEST_DATABASE_URL"], autocommit=True) as server:
            server.execute("DROP DATABASE IF EXISTS deploy_test WITH (FORCE)")
            server.execute("CREATE DATABASE deploy_test")
            self.direct = os.environ["TEST_DATABASE_URL"].rpartition("/")[0] + "/deploy_test"
        self.environment = {
            "PATH": os.environ["PATH"], "SECRET_KEY": "deploy-test-" * 6, "DATA_KEYS": KEY,
            "LOG_KEY": KEY, "SITE_URL": f"https://{HOST}", "TRUSTED_PROXIES": "1",
            "DATABASE_URL": f"postgres://postgres@127.0.0.1:{self.pool_port}/deploy_test",
            "CACHE_URL": f"redis://127.0.0.1:{self.redis_port}/0", "WEB_CONCURRENCY": "2",
            "EMAIL_URL": f"smtp://127.0.0.1:{self.mail_port}",
            "LAST_GOOD_DIR": str(folder / "last-good"), "LOG_FORMAT": "json",
            "DJANGO_SETTINGS_MODULE": "tests.deploy.settings",
        }  # fmt: skip

    def manage(self, *command, **more) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *command], cwd=settings.BASE_DIR, check=False,
            env=self.environment | more, capture_output=True, text=True,
        )  # fmt: skip
        self.log.write(done.stderr.encode())
        assert done.returncode == 0, done.stderr
        return done.stdout

    def start_web(self) -> None:
        self.hosts = self.hosts or [
            Host(self.folder / name, self.environment, self.log) for name in ("web1", "web2")
        ]
        for host in self.hosts:
            host.start()

    def stop_web(self) -> None:
        for host in self.hosts:
            host.stop()

    def leave(self) -> None:
        for host in self.hosts:
            host.leave()

    def connection(self) -> HTTPSConnection:
        trusted = ssl.create_default_context(cafile=self.folder / "certificate.pem")
        return HTTPSConnection("127.0.0.1", self.nginx_port, context=trusted, timeout=30,
                               source_address=(VISITOR, 0))  # fmt: skip

    def ask(self, method: str, path: str, body=None, **headers):
        """One request by a visitor: status, headers, text."""
        connection = self.connection()
        answer = self.answer(connection, method, path, body, **headers)
        text = answer.read().decode("utf-8", "replace")
        connection.close()
        return answer.status, dict(answer.getheaders()), text

    @staticmethod
    def answer(connection, method: str, path: str, body=None, **headers):
        headers = {"Host": HOST} | ({"Content-Type": FORM} if body else {}) | headers
        connection.request(method, path, urlencode(body) if body else None, headers)
        return connection.getresponse()

    def get(self, path: str, **headers):
        return self.ask("GET", path, **headers)

    def query(self, sql: str):
        with psycopg.connect(self.direct, autocommit=True) as direct:
            return direct.execute(sql).fetchall()


@contextmanager
def running(command, log, **options):
    process = subprocess.Popen(command, stdout=log, stderr=log, **options)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGCONT)
        process.terminate()
        process.wait(30)


def until(condition, seconds=40):
    """What the condition gives, once it gives something."""
    end = time.monotonic() + seconds
    while True:
        try:
            if found := condition():
                return found
        except (OSError, psycopg.Error):
            pass
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.1)


@pytest.fixture(scope="session")
def stack(tmp_path_factory):
    missing = [name for name in NEEDED if not shutil.which(name)]
    if missing and os.environ.get("REQUIRE_ALL") != "1":
        pytest.skip(f"missing: {', '.join(missing)}; apt-get install nginx pgbouncer redis-server")
    assert not missing
    folder = tmp_path_factory.mktemp("deploy")
    for each in (folder, *folder.parents[:3]):
        os.chmod(each, 0o755)  # noqa: S103 - for the servers' own users.
    made = Stack(folder)
    with ExitStack() as together:
        together.callback(made.log.close)
        mail = Controller(made.box, hostname="127.0.0.1", port=made.mail_port)
        mail.start()
        together.callback(mail.stop)
        together.enter_context(running(["redis-server", write_redis(made)], made.log))
        together.enter_context(
            running(["pgbouncer", *as_nobody(), write_pgbouncer(made)], made.log)
        )
        until(lambda: socket.create_connection(("127.0.0.1", made.pool_port), 1).close() or True)
        made.manage("migrate", "-v", "0")
        made.manage("load_sample_data", DEBUG="1")
        standby = together.enter_context(equipment.standby(made.direct))
        made.environment["REPLICA_URL"] = standby.url.rpartition("/")[0] + "/deploy_test"
        made.start_web()
        together.callback(made.leave)
        together.enter_context(running(["nginx", "-c", write_nginx(made)], made.log))
        for worker in ("mailer", "historian"):
            together.enter_context(
                running([sys.executable, "manage.py", worker], made.log,
                        cwd=settings.BASE_DIR, env=made.environment)
            )  # fmt: skip
        until(lambda: made.get("/healthz")[0] == 200)
        yield made


def as_nobody() -> list[str]:
    return ["-u", "nobody"] if os.geteuid() == 0 else []


def write_redis(made: Stack) -> str:
    path = made.folder / "redis.conf"
    path.write_text((DEPLOY / "redis.conf").read_text() + f"\nport {made.redis_port}\n")
    return str(path)


def write_pgbouncer(made: Stack) -> str:
    text = (DEPLOY / "pgbouncer.ini").read_text()
    port = made.direct.rpartition(":")[2].partition("/")[0]
    for before, after in (
        ("petition = host=127.0.0.1 port=5432 dbname=petition", f"* = host=127.0.0.1 port={port}"),
        ("listen_port = 6432", f"listen_port = {made.pool_port}"),
        ("auth_type = scram-sha-256", "auth_type = trust"),
        ("/etc/pgbouncer/userlist.txt", str(made.folder / "users")),
        ("pool_mode = transaction", f"pool_mode = transaction\nunix_socket_dir = {made.folder}"),
    ):
        assert before in text
        text = text.replace(before, after)
    (made.folder / "users").write_text('"postgres" ""\n')
    path = made.folder / "pgbouncer.ini"
    path.write_text(text)
    os.chmod(made.folder, 0o777)  # noqa: S103 - its socket.
    return str(path)


def write_nginx(made: Stack) -> str:
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj",
         f"/CN={HOST}", "-addext", "subjectAltName=IP:127.0.0.1", "-keyout",
         made.folder / "key.pem", "-out", made.folder / "certificate.pem"],
        check=True, capture_output=True,
    )  # fmt: skip
    text = (DEPLOY / "nginx.conf").read_text()
    for name, value in (
        ("CACHE_DIR", made.folder / "cache"),
        # A server for each host, as docs/operating.md has it.
        ("UPSTREAM", " fail_timeout=2s; server ".join(f"unix:{host.socket}" for host in made.hosts)
         + " fail_timeout=2s"),
        ("SERVER_NAME", HOST), ("CERTIFICATE_KEY", made.folder / "key.pem"),
        ("CERTIFICATE", made.folder / "certificate.pem"), ("HTTPS_PORT", made.nginx_port),
        ("HTTP_PORT", made.plain_port), ("ACCESS_LOG", made.folder / "access.log"),
        ("DEPLOY_DIR", DEPLOY),
    ):  # fmt: skip
        text = text.replace(name, str(value))
    path = made.folder / "nginx.conf"
    user = "user root;" if os.geteuid() == 0 else ""
    path.write_text(
        f"{user} daemon off; worker_processes 2; pid {made.folder}/nginx.pid;\n"
        f"error_log {made.folder}/nginx-error.log notice;\n"
        f"events {{ worker_connections 1024; }}\n"
        f"http {{ include /etc/nginx/mime.types;\n{text}\n}}\n"
    )
    return str(path)


def sign(stack, language="ar", email="someone@example.org") -> int:
    return stack.ask("POST", f"/{language}/sign/", filled_form(email=email))[0]


def letter_to(stack, email: str):
    return until(lambda: next((m for m in stack.box.mails if m["To"] == email), None))
