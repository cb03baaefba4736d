"""The files of `deploy/` on loopback: nginx with TLS, PgBouncer, a standby, Redis, gunicorn at a
socket that outlives it, workers, a mail server. `make deploy-test` runs it."""

import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from http.client import HTTPSConnection
from pathlib import Path
from urllib.parse import urlencode

import psycopg
import pytest
from aiosmtpd.controller import Controller
from django.conf import settings

from tests import equipment
from tests.conftest import Box, free_port
from tests.making import filled_form, link

pytestmark = [pytest.mark.deploy, pytest.mark.once]

DEPLOY = settings.BASE_DIR / "deploy"
HOST = "petition.example"
VISITOR = "127.0.0.77"  # Loopback has many addresses: this one may stand in no log.
KEY = "ZGVwbG95LXRlc3QtZGVwbG95LXRlc3QtZGVwbG95LXQ"
NEEDED = ("nginx", "pgbouncer", "redis-server", "openssl")
FORM = "application/x-www-form-urlencoded"


class Stack:
    """All of it, running."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.nginx_port, self.plain_port = free_port(), free_port()
        self.pool_port, self.redis_port, self.mail_port = free_port(), free_port(), free_port()
        self.box = Box()
        self.log = (folder / "everything.log").open("ab")
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(str(folder / "web.sock"))
        self.listener.listen(2048)
        os.chmod(folder / "web.sock", 0o777)  # noqa: S103 - nginx's workers are another user.
        self.web = None
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
            "METRICS_DIR": str(folder / "metrics"),
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
        """As systemd hands a service its socket."""
        command = f"LISTEN_PID=$$ LISTEN_FDS=1 exec {sys.executable} -m gunicorn campaign_site.wsgi"
        self.web = subprocess.Popen(
            ["/bin/bash", "-c", f"exec 3<&{self.listener.fileno()}; {command}"],
            cwd=settings.BASE_DIR, env=self.environment, pass_fds=[self.listener.fileno()],
            stdout=self.log, stderr=self.log,
        )  # fmt: skip

    def stop_web(self) -> None:
        if self.web.poll() is not None:
            return
        self.web.send_signal(signal.SIGTERM)
        self.web.wait(40)

    def connection(self) -> HTTPSConnection:
        trusted = ssl.create_default_context(cafile=self.folder / "certificate.pem")
        return HTTPSConnection("127.0.0.1", self.nginx_port, context=trusted, timeout=30,
                               source_address=(VISITOR, 0))  # fmt: skip

    def ask(self, method: str, path: str, body=None, **headers):
        """One request by a visitor: status, headers, text."""
        connection = self.connection()
        headers = {"Host": HOST} | ({"Content-Type": FORM} if body else {}) | headers
        connection.request(method, path, urlencode(body) if body else None, headers)
        answer = connection.getresponse()
        text = answer.read().decode("utf-8", "replace")
        connection.close()
        return answer.status, dict(answer.getheaders()), text

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


@pytest.fixture(scope="module")
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
        together.callback(made.stop_web)
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
        ("default_pool_size = 20", "default_pool_size = 5"),
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
        ("CACHE_DIR", made.folder / "cache"), ("UPSTREAM", f"unix:{made.folder}/web.sock"),
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


# --- The journey ---------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["ar", "fr", "en"])
def test_a_supporter_signs_through_all_of_it_and_is_counted(stack, language):
    email = f"journey-{language}@example.org"
    before = int(stack.query("SELECT count(*) FROM petition_signature WHERE state='counted'")[0][0])
    assert stack.get(f"/{language}/")[0] == 200
    assert sign(stack, language, email) == 303
    path = link("confirm", letter_to(stack, email))
    status, headers, page = stack.get(path)
    assert (status, "no-store" in headers["Cache-Control"]) == (200, True)
    assert "Sample Signer" in page
    assert stack.ask("POST", path)[0] == 303
    counted = stack.query("SELECT count(*) FROM petition_signature WHERE state='counted'")[0][0]
    assert counted == before + 1


def test_http_is_led_to_https(stack):
    with socket.create_connection(("127.0.0.1", stack.plain_port), 5) as plain:
        plain.sendall(
            f"GET /ar/?a=b HTTP/1.1\r\nHost: {HOST}\r\nConnection: close\r\n\r\n".encode()
        )
        answer = b"".join(iter(lambda: plain.recv(4096), b"")).decode()
    assert "308 Permanent Redirect" in answer
    assert f"Location: https://{HOST}/ar/?a=b" in answer


def test_the_desk_asks_for_a_password_and_its_answers_are_kept_nowhere(stack):
    status, headers, page = stack.get("/admin/login/")
    assert (status, "Secure" in headers["Set-Cookie"]) == (200, True)
    assert "HIT" not in headers.get("X-Cache", "")
    assert 'name="password"' in page


def test_pages_come_from_the_microcache(stack):
    stack.get("/en/counter/")
    assert until(lambda: stack.get("/en/counter/")[1]["X-Cache"] == "HIT")
    status, headers, _ = stack.get("/en/counter/", **{"Accept-Encoding": "br"})
    assert (status, headers.get("Content-Encoding")) == (200, "br")


def test_everyone_can_check_the_count_through_it(stack):
    until(lambda: stack.get("/log/checkpoint")[0] == 200)
    status, headers, _ = stack.get("/log/tile/0/000")
    assert (status, "immutable" in headers["Cache-Control"]) == (200, True)
    stack.manage("verify_log")


def test_a_balancer_is_told_what_the_site_can_do(stack):
    for use in ("", "/sign", "/read", "/desk"):
        assert stack.get(f"/readyz{use}")[:1] == (200,)


# --- What stands between -------------------------------------------------------------------------


def test_many_clients_share_few_connections_and_leave_nothing_behind(stack):
    with ThreadPoolExecutor(20) as pool:
        addresses = [f"pool-{n}@example.org" for n in range(200)]
        assert set(pool.map(lambda a: sign(stack, email=a), addresses)) == {303}
    stored = stack.query("SELECT count(*) FROM petition_signature WHERE state = 'pending'"
                         " AND signed_at > now() - interval '5 minutes'")  # fmt: skip
    assert stored[0][0] >= 200
    pool_url = f"postgres://postgres@127.0.0.1:{stack.pool_port}/deploy_test"
    for _ in range(20):
        with psycopg.connect(pool_url, autocommit=True) as pooled:
            changed = pooled.execute(
                "SELECT name FROM pg_settings WHERE source = 'session' AND setting <> reset_val"
            )
            # What a client says at its start, PgBouncer itself keeps apart.
            assert {name for (name,) in changed} <= {"TimeZone", "application_name"}


def test_long_readings_come_from_the_standby(stack):
    assert stack.query("SELECT state FROM pg_stat_replication") == [("streaming",)]
    code = "from petition.ground import replica; print(replica.source().alias)"
    sign(stack, email="written-just-now@example.org")
    assert until(lambda: stack.manage("shell", "-v", "0", "-c", code).strip() == "replica")
    assert "All counters agree" in stack.manage("recount")


def test_a_restart_loses_no_request(stack):
    done: list[int] = []

    def keep_asking(_):
        while len(done) < 400:
            done.append(stack.get("/en/sign/")[0])
            done.append(sign(stack, email=f"restart-{len(done)}-{time.monotonic_ns()}@example.org"))

    with ThreadPoolExecutor(6) as pool:
        asking = [pool.submit(keep_asking, n) for n in range(6)]
        for _ in range(2):
            until(lambda: len(done) > 20)
            stack.stop_web()
            stack.start_web()
        for each in asking:
            each.result(120)
    assert set(done) == {200, 303}


def test_a_lost_cache_stops_no_signature(stack):
    subprocess.run(["pkill", "-STOP", "-f", f"redis-server .*:{stack.redis_port}"], check=True)
    try:
        assert sign(stack, email="no-cache@example.org") == 303
        assert sign(stack, email="no-cache-2@example.org") == 303
    finally:
        subprocess.run(["pkill", "-CONT", "-f", f"redis-server .*:{stack.redis_port}"], check=True)


# --- The last of it: the site is stopped ---------------------------------------------------------


@pytest.mark.skipif(os.environ.get("SHORT") == "1", reason="waits for the minute of a page")
def test_a_profile_that_was_taken_down_is_gone_though_the_site_is_down(stack):
    listed = stack.get("/en/cases/")[2]
    path = re.search(r"/en/cases/[\w-]+/", listed).group()
    status, headers, page = stack.get(path)
    assert status == 200
    name = re.search(r"<h1[^>]*>(.*?)</h1>", page, re.DOTALL).group(1)
    name = re.sub("<[^>]+>|\\s+", " ", name).strip()
    stack.get("/en/counter/")
    stack.get("/embed/en/counter/")
    stack.manage(
        "shell", "-c",
        "from petition.cases import acts; from petition.models import Case;"
        "from django.contrib.auth.models import User;"
        f"acts.take_down(Case.objects.get(slug='{path.split('/')[3]}').pk,"
        " User.objects.first(), 'for the test')",
    )  # fmt: skip
    stack.stop_web()
    stack.listener.close()
    os.unlink(stack.folder / "web.sock")
    # Once its minute is over it is gone, however long the site is down.
    until(lambda: stack.get(path)[0] == 503, 75)
    for _ in range(3):
        status, headers, page = stack.get(path)
        assert (status, headers["Retry-After"]) == (503, "10")
        assert name not in page
        assert "The site is down for a moment" in page
    for known in ("/en/counter/", "/embed/en/counter/"):
        assert stack.get(known)[0] == 200


def test_no_log_holds_an_address_a_token_or_a_visitor(stack):
    token = link("confirm", stack.box.mails[0]).split("/")[3]
    if stack.web.poll() is None:
        stack.stop_web()
    if stack.listener.fileno() >= 0:
        stack.listener.close()
    # While the site is down: an error of the proxy's own.
    assert stack.get(f"/ar/confirm/{token}/")[0] == 503
    # nginx writes its line after the answer has left, so it may come later than the answer.
    access = stack.folder / "access.log"
    until(lambda: "/ar/confirm/- 503 " in access.read_text(), 10)
    stack.log.flush()
    logs = [path for path in stack.folder.glob("*.log") if path.is_file()]
    assert access in logs
    for path in logs:
        text = path.read_text("utf-8", "replace")
        for mark in (token, "@example.org", VISITOR, "Sample Signer", "someone%40"):
            assert mark not in text, (path.name, mark)
