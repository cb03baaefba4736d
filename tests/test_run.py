"""`make run` on a fresh checkout: the main job, to the end, with nothing else installed."""

import os
import re
import shutil
import signal
import subprocess
import time
from http.client import HTTPConnection
from urllib.parse import urlencode

import pytest
from django.conf import settings

from tests.conftest import free_port

pytestmark = pytest.mark.once


@pytest.fixture
def checkout(tmp_path):
    """The committed files elsewhere, with the virtual environment that these tests run in."""
    tracked = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=settings.BASE_DIR, capture_output=True, text=True, check=True,
    ).stdout.splitlines()  # fmt: skip
    for name in tracked:
        source = settings.BASE_DIR / name
        if source.exists():
            target = tmp_path / name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)
    (tmp_path / ".venv").symlink_to(settings.BASE_DIR / ".venv")
    return tmp_path


def ask(port, method, path, **fields):
    site = HTTPConnection("127.0.0.1", port, timeout=10)
    headers = {"Content-Type": "application/x-www-form-urlencoded"} if fields else {}
    site.request(method, path, urlencode(fields) or None, headers)
    response = site.getresponse()
    page = response.read().decode()
    site.close()
    return response, page


def wait_for(condition, seconds=60):
    until = time.monotonic() + seconds
    while True:
        try:
            if found := condition():
                return found
        except OSError:
            pass
        assert time.monotonic() < until, "waited in vain"
        time.sleep(0.1)


def test_make_run_lets_a_supporter_sign_confirm_and_be_counted(checkout):
    port = free_port()
    output = checkout / "output"
    clean = {k: v for k, v in os.environ.items() if k in ("PATH", "HOME", "LANG")}
    with output.open("w") as file:
        run = subprocess.Popen(
            ["make", "run", f"PORT={port}"], cwd=checkout, env=clean, stdout=file,
            stderr=subprocess.STDOUT, start_new_session=True,
            # A shell's background job ignores Ctrl+C, and what it starts would too.
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )  # fmt: skip
    try:
        wait_for(lambda: ask(port, "GET", "/healthz")[0].status == 200)
        said = output.read_text()
        assert f"http://127.0.0.1:{port}/dev/mail/" in said
        name, password = re.search(r"/admin/\s+(\w+) / (\S+)", said).groups()
        assert name
        assert len(password) >= 10

        response, _ = ask(port, "POST", "/ar/sign/", name="موقّعة تجريبية", email="a@example.org",
                          country="MA", consent="on")  # fmt: skip
        assert response.status == 303
        mail = wait_for(
            lambda: re.search(r'href="(/dev/mail/1/)"', ask(port, "GET", "/dev/mail/")[1])
        )
        _, letter = ask(port, "GET", mail.group(1))
        link = re.search(rf"http://127.0.0.1:{port}(/ar/confirm/[\w.-]+/)", letter).group(1)
        assert "موقّعة تجريبية" in ask(port, "GET", link)[1]
        assert ask(port, "POST", link)[0].status == 303
        wait_for(lambda: '"total": 1,' in ask(port, "GET", "/api/v1/counter.json")[1])
        assert ask(port, "GET", "/dev/mail/1/html/")[0].status == 200
        response, page = ask(port, "GET", "/dev/components/")
        assert response.status == 200
        assert page.count('class="counter"') == 3
    finally:
        os.killpg(run.pid, signal.SIGINT)
        run.wait(15)
