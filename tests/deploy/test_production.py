"""The files of `deploy/` on loopback (`stack.py`): the journey, what stands between, and what holds
when the site is down. `make deploy-test` runs it."""

import os
import re
import socket
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from tests.deploy.stack import HOST, VISITOR, letter_to, sign, until
from tests.making import link

pytestmark = [pytest.mark.deploy, pytest.mark.once]

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
    # One of them was taken down by test_hosts.py, and a list may be a minute old.
    paths = set(re.findall(r"/en/cases/[\w-]+/", listed))
    path = next(path for path in sorted(paths) if stack.get(path)[0] == 200)
    status, headers, page = stack.get(path)
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
    stack.leave()
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
    stack.leave()
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
