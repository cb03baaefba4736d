"""Two web hosts behind one proxy: whichever answers, it is the same site."""

import base64
import re
import shutil
import subprocess
import sys
import time

import psycopg
import pytest
from django.conf import settings

from tests.deploy.stack import HOST, letter_to, sign, until
from tests.making import app_code, link
from tests.pgbench import signing

pytestmark = [pytest.mark.deploy, pytest.mark.once]

PASSWORD = "a-sample-password-of-a-test"
CLIENTS, POOL = 500, 20


def test_a_link_that_one_host_mailed_is_good_on_the_other_also_when_the_first_is_gone(stack):
    first, second = stack.hosts
    second.leave()
    assert sign(stack, email="two-hosts@example.org") == 303
    path = link("confirm", letter_to(stack, "two-hosts@example.org"))
    second.start()
    first.leave()
    # The proxy asks a host that was gone again after two seconds.
    until(lambda: stack.get(path)[0] == 200, 10)
    assert stack.ask("POST", path)[0] == 303
    first.start()
    state = "SELECT count(*) FROM petition_signature WHERE state = 'counted'"
    assert stack.query(state)[0][0] >= 1


def test_what_one_host_takes_down_is_gone_on_the_other_at_once(stack):
    listed = stack.get("/en/cases/")[2]
    path = sorted(set(re.findall(r"/en/cases/[\w-]+/", listed)))[-1]
    until(lambda: [host.ask("GET", path) for host in stack.hosts] == [200, 200])
    code = (
        "from petition.cases import acts; from petition.models import Case;"
        "from django.contrib.auth.models import User;"
        f"acts.take_down(Case.objects.get(slug='{path.split('/')[3]}').pk,"
        " User.objects.first(), 'for the test')"
    )
    stack.manage("shell", "-v", "0", "-c", code)
    began = time.monotonic()
    until(lambda: [host.ask("GET", path) for host in stack.hosts] == [410, 410], 5)
    assert time.monotonic() - began < 5


def test_a_coordinator_signs_in_with_a_second_factor_and_works_on_both_hosts(stack):
    stack.manage(
        "shell", "-v", "0", "-c",
        "from django.contrib.auth.models import User;"
        f"User.objects.create_superuser('deploy', password='{PASSWORD}')",
    )  # fmt: skip
    visitor = Visitor(stack)
    assert visitor.post("/admin/login/", username="deploy", password=PASSWORD)[0] == 302
    page = visitor.get("/admin/two-factor/")[2]
    shown = re.search(r'class="sign-in-secret" dir="ltr">([A-Z2-7 ]+)<', page)[1]
    secret = base64.b32decode(shown.replace(" ", "")).hex()
    assert visitor.post("/admin/two-factor/", code=app_code(secret))[0] == 200
    screens = (
        "/admin/",
        "/admin/petition/signature/",
        "/admin/petition/entry/",
        "/admin/sessions/",
    )
    for screen in screens * 2:  # The proxy asks the hosts in turn.
        status, headers, page = visitor.get(screen)
        assert (status, "no-store" in headers["Cache-Control"]) == (200, True)
        assert "deploy" in page
    # By nobody else's cookie, on neither host.
    for _ in range(2):
        assert stack.get("/admin/petition/signature/")[0] == 302


def test_a_host_with_another_data_key_does_not_start_and_says_so(stack):
    other = stack.environment | {"DATA_KEYS": "YW5vdGhlci1kYXRhLWtleS1hbm90aGVyLWRhdGEta2U"}
    done = subprocess.run(
        [sys.executable, "-m", "gunicorn", "campaign_site.wsgi", "-b", "127.0.0.1:0"],
        cwd=settings.BASE_DIR, env=other, capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    assert done.returncode
    assert "DATA_KEYS" in done.stderr


def test_five_hundred_clients_sign_through_a_pool_of_twenty(stack, tmp_path):
    if not shutil.which("pgbench"):
        pytest.skip("pgbench is missing. Install it with: apt-get install postgresql")
    script = tmp_path / "sign.sql"
    ((name,),) = stack.query("SELECT proname FROM pg_proc WHERE proname LIKE 'petition\\_sign\\_%'")
    ((consent,),) = stack.query("SELECT max(id) FROM petition_consenttext")
    # As a group waits for locks, which must not outlast it.
    script.write_text(signing(name, consent, lock_wait="250ms"))
    pool = f"postgres://postgres@127.0.0.1:{stack.pool_port}"
    before = stack.query("SELECT count(*) FROM petition_signature")[0][0]
    done = subprocess.run(
        ["pgbench", "-n", "-M", "simple", "-c", str(CLIENTS), "-j", "2", "-t", "6", "-f", script,
         f"{pool}/deploy_test"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert f"number of transactions actually processed: {CLIENTS * 6}" in done.stdout
    assert "failed transactions: 0" in done.stdout
    after = stack.query("SELECT count(*) FROM petition_signature")[0][0]
    assert after == before + CLIENTS * 6

    def served() -> int:
        ((backends,),) = stack.query(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = 'deploy_test'"
            " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        return backends

    # What PgBouncer keeps open; a query of this test may take a moment to leave.
    until(lambda: 0 < served() <= POOL, 10)
    changed = "SELECT name FROM pg_settings WHERE source = 'session' AND setting <> reset_val"
    for _ in range(POOL * 2):
        with psycopg.connect(f"{pool}/deploy_test", autocommit=True) as pooled:
            assert {name for (name,) in pooled.execute(changed)} <= {
                "TimeZone", "application_name"
            }  # fmt: skip


class Visitor:
    """Keeps cookies, as a browser does."""

    def __init__(self, stack):
        self.stack, self.cookies = stack, {}

    def get(self, path: str):
        return self._ask("GET", path)

    def post(self, path: str, **typed: str):
        page = self.get(path)[2]
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)[1]
        return self._ask("POST", path, {"csrfmiddlewaretoken": token} | typed)

    def _ask(self, method: str, path: str, body=None):
        sent = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        connection = self.stack.connection()
        answer = self.stack.answer(connection, method, path, body, Cookie=sent,
                                   Referer=f"https://{HOST}{path}")  # fmt: skip
        for line in answer.headers.get_all("Set-Cookie") or []:
            name, _, value = line.partition(";")[0].partition("=")
            self.cookies[name] = value
        text = answer.read().decode()
        connection.close()
        return answer.status, answer.headers, text
