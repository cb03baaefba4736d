"""What those who watch the site see: it is right, and it names nobody."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from datetime import timedelta
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest
from django.conf import settings as site
from django.core import mail
from django.core.cache import caches
from django.db.models.functions import Now
from django.utils import timezone
from prometheus_client import REGISTRY, generate_latest
from redis.exceptions import ConnectionError as RedisGone

from petition.letters import sending
from petition.models import Heartbeat, Letter, Tally
from petition.signing import signatures, tallies
from petition.web import heartbeats, metrics
from tests.conftest import free_port
from tests.log.making import append, counted, withdraw
from tests.making import State, filled_form, link, make_signature
from tests.signing.test_challenge import solved

pytestmark = pytest.mark.django_db
PROMETHEUS = Path(site.BASE_DIR) / "deploy" / "prometheus"


def value(name: str, **labels) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def state() -> dict[str, float]:
    """What the gauges say at this moment."""
    return {
        sample.name + "".join(sample.labels.values()): sample.value
        for family in metrics.State().collect()
        for sample in family.samples
    }


@pytest.mark.parametrize(
    ("path", "route", "status"),
    [
        ("/ar/", "{lang}/", "200"),
        ("/fr/confirm/a-token-of-somebody/", "{lang}/confirm/<str:token>/", "404"),
        ("/en/counter/", "{lang}/counter/", "200"),
        ("/api/v1/counter.json", "api/v1/counter.json", "200"),
        ("/wp-admin/setup.php", "none", "404"),
        ("/healthz", "none", "200"),
    ],
)
def test_a_request_is_counted_by_its_route_and_not_by_its_address(client, path, route, status):
    labels = {"route": route, "method": "GET", "status": status}
    before = value("petition_requests_total", **labels)
    client.get(path)
    counted = value("petition_requests_total", **labels) - before
    assert counted == (0 if path == "/healthz" else 1)  # Answered before all else.


def test_pages_from_memory_are_counted_under_the_same_route(client, pages_in_memory):
    labels = {"route": "{lang}/", "method": "GET", "status": "200"}
    before = value("petition_requests_total", **labels)
    for _ in range(3):
        client.get("/en/")
    assert value("petition_requests_total", **labels) - before == 3


def test_each_outcome_of_signing_is_counted(client, settings, monkeypatch):
    def outcome(act) -> set[str]:
        names = ("accepted", "invalid", "too_many", "not_stored")
        before = {name: value("petition_sign_total", outcome=name) for name in names}
        act()
        return {n for n in names if value("petition_sign_total", outcome=n) > before[n]}

    assert outcome(lambda: client.post("/en/sign/", filled_form())) == {"accepted"}
    assert outcome(lambda: client.post("/en/sign/", filled_form(name=""))) == {"invalid"}

    def fails(**_):
        raise signatures.TryAgain

    with monkeypatch.context() as broken:
        broken.setattr(signatures, "sign", fails)
        assert outcome(lambda: client.post("/en/sign/", filled_form())) == {"not_stored"}
    settings.SIGN_RATE = "1/h"
    caches["default"].clear()
    client.post("/en/sign/", filled_form())
    assert outcome(lambda: client.post("/en/sign/", filled_form())) == {"too_many"}


def test_who_solved_it_counts_once_as_solved_and_the_button_adds_nothing(client, settings):
    """Else every honest journey would be half unsolved, and the alert would never end."""
    settings.CHALLENGE = "altcha"
    names = ("solved", "unsolved", "refused")

    def counts() -> list[float]:
        return [value("petition_challenge_total", outcome=name) for name in names]

    before = counts()
    client.post("/en/sign/", filled_form(altcha=solved(client)))
    sending.send_due()
    assert client.post(link("confirm", mail.outbox[-1]))["Location"] == "/en/signed/"
    assert [now - then for now, then in zip(counts(), before, strict=True)] == [1, 0, 0]


def test_a_lost_cache_is_counted(client, monkeypatch):
    def gone(*_args, **_options):
        raise RedisGone

    before = value("petition_cache_errors_total")
    for act in ("add", "incr"):
        monkeypatch.setattr(caches["default"], act, gone)
    client.post("/en/sign/", filled_form())
    assert value("petition_cache_errors_total") > before


def test_letters_are_counted_by_what_became_of_them(client, smtp):
    client.post("/en/sign/", filled_form())
    before = value("petition_letters_total", outcome="sent")
    sending.send_due()
    assert value("petition_letters_total", outcome="sent") == before + 1


def test_the_state_of_the_site_is_that_of_its_database(client):
    make_signature("a@example.org", State.COUNTED)
    client.post("/en/sign/", filled_form())
    Letter.objects.update(created_at=timezone.now() - timedelta(minutes=20))
    said = state()
    assert said["petition_database_up"] == 1
    assert said["petition_readysign"] == 1
    assert said["petition_signaturescounted"] == 1
    assert said["petition_letters_due"] == 1
    assert 1195 < said["petition_oldest_letter_seconds"] < 1260


def test_what_the_public_log_lacks_is_seen_whatever_kind_it_is(settings):
    name = "petition_log_events_waiting"
    first, _second = counted(2)
    assert state()[name] == 2
    append()
    assert state()[name] == 0
    withdraw(first)
    assert state()[name] == 1
    settings.LOG_KEY = b""  # Nobody waits for a log that is not kept.
    assert state()[name] == 0


def test_a_count_that_the_log_does_not_have_is_seen():
    counted(2)
    append()
    counted(1)  # Waits for the log: that is no difference.
    assert state()["petition_log_differs"] == 0
    Tally.objects.filter(dimension="total").update(count=7)
    assert state()["petition_log_differs"] == 1
    tallies.mend()
    assert state()["petition_log_differs"] == 0


def test_a_letter_that_is_tried_again_and_again_keeps_its_true_age(client):
    client.post("/en/sign/", filled_form())
    created = timezone.now() - timedelta(days=2)
    Letter.objects.update(created_at=created, due_at=timezone.now() + timedelta(hours=5), tries=9)
    assert state()["petition_oldest_letter_seconds"] > 47 * 3600


@pytest.mark.usefixtures("committed")
def test_a_worker_that_is_silent_is_seen(monkeypatch):
    monkeypatch.setattr(heartbeats, "_last", {})
    heartbeats.beat("mailer")
    assert state()["petition_worker_silent_secondsmailer"] < 10
    Heartbeat.objects.update(at=Now() - timedelta(minutes=5))
    heartbeats.beat("mailer")  # At most every 15 seconds.
    assert 299 < state()["petition_worker_silent_secondsmailer"] < 320
    Heartbeat.objects.create(worker="mailer", host="another", at=timezone.now())
    assert state()["petition_worker_silent_secondsmailer"] < 10
    assert Heartbeat.objects.count() == 2


def test_where_the_database_is_gone_it_says_so_and_answers(monkeypatch):
    def gone():
        raise metrics.DatabaseError

    monkeypatch.setattr(metrics, "_gauges", gone)
    assert state()["petition_database_up"] == 0


def test_nothing_that_is_shown_names_anybody(client):
    client.post("/en/sign/", filled_form(name="Marked Name", email="marked@example.org"))
    client.get("/en/confirm/marked-token/")
    client.get("/marked-path/", headers={"X-Forwarded-For": "192.0.2.99"})
    shown = (generate_latest(REGISTRY) + generate_latest(metrics.registry())).decode()
    assert not re.search(r"marked|192\.0\.2\.99|127\.0\.0\.1", shown, re.IGNORECASE)


@pytest.mark.once
def test_the_command_shows_the_sums_of_processes_that_come_and_go(tmp_path):
    """The real command at a port of its own; what another process counted is there."""
    port, folder = free_port(), tmp_path / "metrics"
    given = {
        "PATH": os.environ["PATH"], "DEBUG": "1", "METRICS_DIR": str(folder),
        "METRICS_ADDRESS": f"127.0.0.1:{port}", "DATABASE_URL": f"sqlite:///{tmp_path}/empty.db",
    }  # fmt: skip
    python = [sys.executable, "-W", "error::DeprecationWarning"]
    count = (
        "import django; django.setup(); from petition.ground import metrics;"
        "metrics.SIGNED.labels('accepted').inc()"
    )
    env = given | {"DJANGO_SETTINGS_MODULE": "campaign_site.settings"}
    for _ in range(2):
        subprocess.run([*python, "-c", count], env=env, cwd=site.BASE_DIR, check=True)
    shows = subprocess.Popen([*python, "manage.py", "metrics"], env=given, cwd=site.BASE_DIR)
    try:
        shown = _asked(f"http://127.0.0.1:{port}/metrics")
        assert 'petition_sign_total{outcome="accepted"} 2.0' in shown
        assert "petition_database_up 0.0" in shown
        shows.send_signal(signal.SIGTERM)
        assert shows.wait(20) == 0
    finally:
        shows.kill()


def _asked(address: str) -> str:
    until = time.monotonic() + 30
    while True:
        try:
            with urlopen(address) as answer:  # noqa: S310
                return answer.read().decode()
        except URLError:
            assert time.monotonic() < until


# --- Alerts ---------------------------------------------------------------------------------------


@pytest.mark.once
def test_each_alert_has_its_section_in_the_runbook_and_its_test():
    alerts = set(re.findall(r"- alert: (\w+)", (PROMETHEUS / "alerts.yml").read_text("utf-8")))
    assert len(alerts) > 10
    runbook = (Path(site.BASE_DIR) / "docs" / "runbook.md").read_text("utf-8")
    assert set(re.findall(r"^## (\w+)$", runbook, re.MULTILINE)) == alerts
    tested = (PROMETHEUS / "alerts_test.yml").read_text("utf-8")
    assert set(re.findall(r"^    name: (\w+)$", tested, re.MULTILINE)) == alerts


@pytest.mark.once
def test_alerts_and_dashboard_ask_for_nothing_that_is_not_counted():
    source = (Path(site.BASE_DIR) / "petition/ground/metrics.py").read_text("utf-8")
    source += (Path(site.BASE_DIR) / "petition/web/metrics.py").read_text("utf-8")
    known = set(re.findall(r'"(petition_\w+)"', source)) | {"petition_request_seconds_bucket"}
    for path in (PROMETHEUS / "alerts.yml", PROMETHEUS.parent / "grafana-dashboard.json"):
        assert set(re.findall(r"petition_\w+", path.read_text("utf-8"))) <= known


@pytest.mark.once
@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool is Debian's prometheus")
def test_each_alert_fires_while_its_thing_is_broken_and_ends_when_it_is_mended():
    for command in (["check", "config", "prometheus.yml"], ["test", "rules", "alerts_test.yml"]):
        done = subprocess.run(["promtool", *command], cwd=PROMETHEUS, capture_output=True)
        assert done.returncode == 0, done.stdout + done.stderr
