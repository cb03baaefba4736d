"""A million signatures, twenty more a second, and the site goes to this release from one of long
before, back, and on again: `python -m tests.equipment durable -- python -m bench.release [COMMIT]`.

The former release is its own code in var/release/, at a socket that outlives each web process.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from shutil import rmtree
from tempfile import TemporaryDirectory

os.environ |= {"DEBUG": "1", "DJANGO_SETTINGS_MODULE": "campaign_site.settings",
               "SITE_URL": "http://testserver"}  # fmt: skip

import django
import psycopg
from django.conf import settings

django.setup()

from tests.deploy.stack import HOST, Host
from tests.making import filled_form

BEFORE = "5ccc764"  # The last commit before anything of deploy/ was there.
SIGNATURES, SIGNERS, EACH_SECONDS = 1_000_000, 4, 0.2
STEP_SECONDS = 5
KEY = "cmVsZWFzZS1iZW5jaC1yZWxlYXNlLWJlbmNoLXJlbGU"
OLD = Path("var/release").resolve()
WAITING = """
SELECT coalesce(max(extract(epoch FROM clock_timestamp() - waitstart)), 0)
FROM pg_locks WHERE NOT granted
"""


class Release:
    """A site that changes its release while people sign."""

    def __init__(self, url: str, folder: Path):
        self.url, self.log = url, (folder / "log").open("wb")
        self.environment = {
            "PATH": os.environ["PATH"], "SECRET_KEY": "release-bench-" * 6, "DATA_KEYS": KEY,
            "SITE_URL": f"https://{HOST}", "DATABASE_URL": url, "TRUSTED_PROXIES": "1",
            "RATELIMIT_ENABLE": "0", "WEB_CONCURRENCY": "2",
            # As docs/operating.md has it, until no release of before can come back.
            "BIND_ROWS": "0",
        }  # fmt: skip
        self.host = Host(folder / "web", self.environment, self.log)
        self.over = threading.Event()
        self.answers: Counter[int] = Counter()
        self.acknowledged: list[str] = []
        self.slowest = self.longest_lock = 0.0

    def manage(self, release: Path, *command: str) -> str:
        done = subprocess.run([sys.executable, "manage.py", *command], cwd=release,
                              env=self.environment, capture_output=True, text=True)  # fmt: skip
        if done.returncode:
            sys.exit(done.stderr[-2000:])
        return done.stdout

    def sign(self, number: int) -> None:
        turn = 0
        while not self.over.wait(EACH_SECONDS):
            turn += 1
            email, began = f"release-{number}-{turn}@example.org", time.monotonic()
            status = self.host.ask("POST", "/ar/sign/", filled_form(email=email))
            self.slowest = max(self.slowest, time.monotonic() - began)
            self.answers[status] += 1
            if status == 303:
                self.acknowledged.append(email)

    def watch_locks(self) -> None:
        with psycopg.connect(self.url, autocommit=True) as database:
            while not self.over.wait(0.01):
                waited = float(database.execute(WAITING).fetchone()[0])
                self.longest_lock = max(self.longest_lock, waited)

    def run_as(self, release: Path) -> None:
        self.host.stop()
        self.host.release = release
        self.host.start()
        time.sleep(STEP_SECONDS)

    def tell(self, step: str) -> None:
        print(
            f"  {step:28} {sum(self.answers.values()):5} posts {dict(self.answers)}, slowest "
            f"{self.slowest:.2f} s, longest wait for a lock {self.longest_lock * 1000:.0f} ms"
        )
        self.answers.clear()
        self.slowest = self.longest_lock = 0.0


def main(commit: str) -> None:
    unpack(commit)
    server = os.environ["TEST_DATABASE_URL"]
    with psycopg.connect(server, autocommit=True) as database:
        database.execute("DROP DATABASE IF EXISTS release WITH (FORCE)")
        database.execute("CREATE DATABASE release")
    now = settings.BASE_DIR
    with TemporaryDirectory() as folder:
        site = Release(server.rpartition("/")[0] + "/release", Path(folder))
        site.manage(OLD, "migrate", "-v", "0")
        fill = f"from bench import crowd; crowd.fill({SIGNATURES}, letters=False)"
        site.manage(OLD, "shell", "-c", fill)
        site.manage(now, "collectstatic", "--noinput", "-v", "0")
        site.run_as(OLD)
        print(f"{SIGNATURES:,} signatures, {SIGNERS / EACH_SECONDS:.0f} more a second")
        threads = [threading.Thread(target=site.sign, args=[n]) for n in range(SIGNERS)]
        threads.append(threading.Thread(target=site.watch_locks))
        for thread in threads:
            thread.start()
        try:
            time.sleep(STEP_SECONDS)
            site.tell(f"release {commit}")
            began = time.monotonic()
            site.manage(now, "migrate", "-v", "0")
            site.tell(f"migrating, {time.monotonic() - began:.0f} s")
            for step, release in (
                ("this release", now),
                ("back", OLD),
                ("this release again", now),
            ):
                site.run_as(release)
                site.tell(step)
        finally:
            site.over.set()
            for thread in threads:
                thread.join()
            site.host.leave()
        check = (
            "import sys, json; from petition.models import Signature;"
            "print(sum(not Signature.objects.of_mailbox(a).exists() for a in json.load(sys.stdin)))"
        )
        missing = subprocess.run(
            [sys.executable, "manage.py", "shell", "-v", "0", "-c", check], cwd=now, text=True,
            env=site.environment, input=json.dumps(site.acknowledged),
            capture_output=True, check=True,
        ).stdout  # fmt: skip
        print(f"  {len(site.acknowledged):,} acknowledged, {missing.split()[-1]} missing;",
              site.manage(now, "recount").splitlines()[-1])  # fmt: skip


def unpack(commit: str) -> None:
    rmtree(OLD, ignore_errors=True)
    OLD.mkdir(parents=True)
    archive = subprocess.run(["git", "archive", commit], capture_output=True, check=True).stdout
    subprocess.run(["tar", "-x", "-C", OLD], input=archive, check=True)
    (OLD / ".venv").symlink_to(settings.BASE_DIR / ".venv")
    compiling = [Path(sys.executable).with_name("pybabel"), "-q", "compile", "-D", "django", "-d"]
    subprocess.run([*compiling, "locale"], cwd=OLD, check=True, capture_output=True)
    # As a deployment does; each release has its own.
    own = {"PATH": os.environ["PATH"], "DEBUG": "1", "SITE_URL": "http://testserver"}
    subprocess.run([sys.executable, "manage.py", "collectstatic", "--noinput", "-v", "0"],
                   cwd=OLD, env=own, check=True)  # fmt: skip


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else BEFORE)
