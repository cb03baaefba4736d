"""A backup is worth what its restore is: pgBackRest, a moment, equality to the row, no letter sent.
`make restore-drill` runs it."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from aiosmtpd.controller import Controller
from django.conf import settings

from tests import equipment
from tests.conftest import Box, free_port

pytestmark = [pytest.mark.deploy, pytest.mark.once]

DEPLOY = settings.BASE_DIR / "deploy"
KEY = "cmVzdG9yZS1kcmlsbC1yZXN0b3JlLWRyaWxsLXJlc3Q"
SIGN = """
import sys, django; django.setup()
from django.test import Client
from tests.making import filled_form
for n in range(int(sys.argv[2])):
    fields = filled_form(name=f"Sample Signer {n}", email=f"{sys.argv[1]}{n}@example.org")
    assert Client().post("/en/sign/", fields).status_code == 303
"""
READ = """
import django; django.setup()
from petition.models import Signature
print(sum(signature.name.startswith("Sample Signer") for signature in Signature.objects.all()))
"""


class Database:
    """A server with pgBackRest behind it."""

    def __init__(self, server: equipment.Server, folder: Path, mail_port: int):
        self.server, self.folder = server, folder
        self.environment = {
            "PATH": os.environ["PATH"], "DEBUG": "1", "DATA_KEYS": KEY, "LOG_KEY": KEY,
            "DATABASE_URL": server.url, "EMAIL_URL": f"smtp://127.0.0.1:{mail_port}",
            "ALLOWED_HOSTS": "testserver", "DJANGO_SETTINGS_MODULE": "campaign_site.settings",
            "SIGN_RATE": "9999/h", "LAST_GOOD_DIR": str(folder / "last-good"),
        }  # fmt: skip

    def manage(self, *command) -> subprocess.CompletedProcess:
        return self.python("manage.py", *command)

    def python(self, *command) -> subprocess.CompletedProcess:
        return subprocess.run(
            [sys.executable, *command], cwd=settings.BASE_DIR, env=self.environment,
            capture_output=True, text=True,
        )  # fmt: skip

    def query(self, sql: str):
        with psycopg.connect(self.server.url, autocommit=True) as connection:
            return connection.execute(sql).fetchall()

    def rows(self) -> dict[str, str]:
        """A digest of every row of every table."""
        names = self.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        digest = (
            "SELECT count(*) || ' ' || coalesce(md5(string_agg(t::text, '' ORDER BY t::text)), '')"
        )
        return {name: self.query(f'{digest} FROM "{name}" t')[0][0] for (name,) in names}


def told(done: subprocess.CompletedProcess) -> str:
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.strip()


@pytest.fixture
def folder(tmp_path_factory):
    """Open to the account that PostgreSQL runs as."""
    folder = tmp_path_factory.mktemp("drill")
    for each in (folder, *folder.parents[:2]):
        os.chmod(each, 0o777)  # noqa: S103
    for name in ("repository", "locks", "spool", "socket"):
        (folder / name).mkdir()
        os.chmod(folder / name, 0o777)  # noqa: S103
    return folder


@pytest.mark.skipif(os.environ.get("SHORT") == "1", reason="left out of the short form")
@pytest.mark.skipif(not shutil.which("pgbackrest"), reason="needs Debian's pgbackrest")
def test_a_restore_to_a_moment_is_equal_to_the_row_and_sends_nothing(folder):
    config, box = folder / "pgbackrest.conf", Box()
    archive = f"pgbackrest --config={config} --stanza=petition archive-push %p"
    options = {"unix_socket_directories": str(folder / "socket"), "archive_mode": "on",
               "archive_command": archive, "wal_level": "replica"}  # fmt: skip
    relay = Controller(box, hostname="127.0.0.1", port=free_port())
    relay.start()
    try:
        with equipment.server(options) as server:
            configure(config, folder, server)
            here = Database(server, folder, relay.port)
            backup(config, server, "stanza-create")
            told(here.manage("migrate", "-v0"))
            told(here.python("-c", SIGN, "before", "20"))
            told(here.manage("mailer", "--once"))
            backup(config, server, "backup", "--type=full")
            told(here.python("-c", SIGN, "after", "10"))
            told(here.manage("mailer", "--once"))
            told(here.manage("historian", "--once"))
            head = told(here.manage("verify_audit")).split()[-1]
            kept, sent = here.rows(), len(box.mails)
            ((moment,),) = here.query("SELECT clock_timestamp()::text")
            # The accident, and what was written after it.
            here.query("DELETE FROM petition_letter RETURNING 1")
            told(here.python("-c", SIGN, "late", "3"))
            here.query("SELECT pg_switch_wal()")
            restored = restore(config, folder, server, moment)
        with running(restored) as server:
            there = Database(server, folder, relay.port)
            assert there.rows() == kept
            assert told(there.python("-c", READ)) == "30"
            told(there.manage("recount"))
            told(there.manage("verify_audit", "--head", head))
            told(there.manage("verify_log"))
            there.query(
                "UPDATE petition_letter SET state = 'due', ended_at = NULL, mailer = '' RETURNING 1"
            )
            refused = there.manage("mailer", "--once")
            assert refused.returncode != 0
            assert "manage.py mailer --adopt" in refused.stderr
            assert len(box.mails) == sent
            told(there.manage("mailer", "--once", "--adopt"))
            assert len(box.mails) == 2 * sent
            told(there.manage("mailer", "--once"))
    finally:
        relay.stop()


def configure(config: Path, folder: Path, server: equipment.Server) -> None:
    data = server.command[server.command.index("-D") + 1]
    text = (DEPLOY / "pgbackrest.conf").read_text("utf-8")
    for name, value in {
        "PG_DATA": data, "PG_PORT": str(server.port), "PG_SOCKET": f"{folder}/socket",
        "REPOSITORY": f"{folder}/repository", "LOCKS": f"{folder}/locks",
        "SPOOL": f"{folder}/spool",
    }.items():  # fmt: skip
        text = text.replace(f"={name}\n", f"={value}\n")
    config.write_text(text)
    os.chmod(config, 0o644)


def backup(config: Path, server: equipment.Server, *command: str) -> None:
    done = subprocess.run(
        ["pgbackrest", f"--config={config}", "--stanza=petition", *command],
        capture_output=True, text=True, **server.account,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def restore(config: Path, folder: Path, server: equipment.Server, moment: str) -> equipment.Server:
    """By the script of `deploy/`; a server for it, not running yet."""
    data, port = folder / "restored", free_port()
    data.mkdir(mode=0o700)
    if "user" in server.account:
        os.chown(data, server.account["user"], server.account["group"])
    done = subprocess.run(
        [DEPLOY / "restore", moment, data], capture_output=True, text=True,
        env=os.environ | {"PGBACKREST_CONFIG": str(config)}, **server.account,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    changed = {f"port={server.port}": f"port={port}", "archive_mode=on": "archive_mode=off"}
    old = server.command[server.command.index("-D") + 1]
    command = [changed.get(part, part).replace(old, str(data)) for part in server.command]
    return equipment.Server(command, server.programs, port, server.account | {"cwd": str(folder)})


@contextmanager
def running(server: equipment.Server) -> Iterator[equipment.Server]:
    server.start()
    try:
        yield server
    finally:
        server.stop()
