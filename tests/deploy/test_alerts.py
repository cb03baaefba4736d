"""Each alert of deploy/prometheus/alerts.yml under a running Prometheus: it fires where its thing
is broken, and ends where that is mended. Its minutes are seconds here: else this would take hours.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from urllib.request import urlopen

import psycopg
import pytest
from aiosmtpd.controller import Controller
from django.conf import settings

from tests import equipment
from tests.conftest import Box, free_port
from tests.deploy.stack import running, until
from tests.web.standing import Site

pytestmark = [
    pytest.mark.deploy,
    pytest.mark.once,
    pytest.mark.skipif(os.environ.get("SHORT") == "1", reason="takes three minutes"),
]

RULES = settings.BASE_DIR / "deploy" / "prometheus" / "alerts.yml"
WINDOWS = {"5m": "10s", "10m": "10s", "15m": "15s", "1h": "30s", "6h": "240s"}
LIMITS = {
    "silent_seconds > 120": "silent_seconds > 4",
    "letter_seconds > 600": "letter_seconds > 4",
}
NEEDED = ("prometheus", "redis-server")
LONGEST = 100


def in_seconds(rules: str) -> str:
    """The rules with each window and limit of minutes as one of seconds."""
    found = re.sub(r"\[(\w+)\]", lambda window: f"[{WINDOWS[window[1]]}]", rules)
    found = re.sub(r"for: \d+m", "for: 1s", found)
    for limit, shorter in LIMITS.items():
        assert limit in found
        found = found.replace(limit, shorter)
    return found


class Watched:
    """A site with its workers, what they need, and a Prometheus that looks at it twice a second."""

    def __init__(self, folder: Path, database: equipment.Server):
        self.folder, self.database, self.box = folder, database, Box()
        self.mail_port, self.redis_port = free_port(), free_port()
        self.metrics_port, self.port = free_port(), free_port()
        self.workers: dict[str, subprocess.Popen] = {}
        self.site = Site(
            database.url, folder / "last-good", METRICS_DIR=str(folder / "metrics"),
            METRICS_ADDRESS=f"127.0.0.1:{self.metrics_port}", RATELIMIT_ENABLE="1",
            EMAIL_URL=f"smtp://127.0.0.1:{self.mail_port}", SIGN_RATE="99999/h",
            CACHE_URL=f"redis://127.0.0.1:{self.redis_port}/0", CHALLENGE="altcha",
            LOG_KEY="YWxlcnRzLWFsZXJ0cy1hbGVydHMtYWxlcnRzLWFsZXI",
        )  # fmt: skip
        self.mail = self.redis = None

    def start_mail(self) -> None:
        self.mail = Controller(self.box, hostname="127.0.0.1", port=self.mail_port)
        self.mail.start()

    def start_redis(self) -> None:
        command = ["redis-server", "--port", str(self.redis_port), "--save", ""]
        self.redis = subprocess.Popen(command, stdout=subprocess.DEVNULL)

    def start(self, worker: str) -> None:
        self.workers[worker] = subprocess.Popen(
            [sys.executable, "manage.py", worker], env=self.site.environment,
            cwd=settings.BASE_DIR, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def sign(self, how_many: int, domain: str = "gmail.com", named: str = "p") -> None:
        for n in range(how_many):
            self.site.sign(f"{named}{n}@{domain}")

    def query(self, sql: str):
        with psycopg.connect(self.database.url, autocommit=True) as direct:
            answer = direct.execute(sql)
            return answer.fetchall() if answer.description else []

    def firing(self) -> set[str]:
        with urlopen(f"http://127.0.0.1:{self.port}/api/v1/alerts", timeout=5) as answer:
            alerts = json.load(answer)["data"]["alerts"]
        return {each["labels"]["alertname"] for each in alerts if each["state"] == "firing"}

    def has_looked(self, name: str) -> bool:
        """Whether Prometheus has a value of this name."""
        asked = f"http://127.0.0.1:{self.port}/api/v1/query?query={name}"
        with urlopen(asked, timeout=5) as answer:
            return bool(json.load(answer)["data"]["result"])

    def fires(self, *names: str) -> None:
        until(lambda: set(names) <= self.firing(), LONGEST)

    def ends(self, *names: str) -> None:
        until(lambda: not set(names) & self.firing(), LONGEST)


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    missing = [name for name in NEEDED if not shutil.which(name)]
    if missing:
        pytest.skip(f"missing: {', '.join(missing)}; apt-get install prometheus redis-server")
    folder = tmp_path_factory.mktemp("watched")
    (folder / "alerts.yml").write_text(in_seconds(RULES.read_text()))
    with ExitStack() as together:
        made = Watched(folder, together.enter_context(equipment.server({})))
        together.callback(lambda: [p.kill() or p.wait() for p in made.workers.values()])
        made.start_mail()
        together.callback(lambda: made.mail and made.mail.stop())
        made.start_redis()
        together.callback(lambda: made.redis.kill() or made.redis.wait())
        made.site.manage("migrate")
        made.site.start()
        together.callback(made.site.stop)
        for worker in ("mailer", "sweeper", "historian", "metrics"):
            made.start(worker)
        (folder / "prometheus.yml").write_text(
            "global: {scrape_interval: 500ms, evaluation_interval: 500ms}\n"
            "rule_files: [alerts.yml]\n"
            "scrape_configs: [{job_name: petition, static_configs: "
            f'[{{targets: ["127.0.0.1:{made.metrics_port}"]}}]}}]\n'
        )
        command = ["prometheus", f"--config.file={folder}/prometheus.yml",
                   f"--storage.tsdb.path={folder}/data",
                   f"--web.listen-address=127.0.0.1:{made.port}"]  # fmt: skip
        together.enter_context(running(command, subprocess.DEVNULL))
        until(lambda: made.firing() is not None)
        made.sign(1, named="first")
        until(lambda: made.box.mails)
        until(lambda: made.has_looked("petition_sign_total"))
        made.ends(*re.findall(r"alert: (\w+)", RULES.read_text()))
        yield made


def test_signatures_come_in_a_burst_without_the_check_of_the_browser(watched):
    """First of all, while the last hours, four minutes here, were quiet."""
    watched.sign(100, named="burst")
    watched.fires("SignaturesBurst", "ChallengesUnsolved")
    watched.ends("SignaturesBurst", "ChallengesUnsolved")


def test_the_database_goes_and_comes_back(watched):
    watched.database.stop(signal.SIGQUIT)
    for n in range(5):
        assert watched.site.sign(f"lost{n}@gmail.com").status == 503
    watched.fires("DatabaseIsGone", "NobodyCanSign")
    for n in range(5):  # The counts of both kinds of failure rise between two looks.
        watched.site.sign(f"lost{n}@gmail.com")
    watched.fires("SignaturesAreNotStored", "ManyErrors")
    watched.database.start()
    watched.ends("DatabaseIsGone", "NobodyCanSign", "SignaturesAreNotStored", "ManyErrors")


def test_the_metrics_go_and_come_back(watched):
    watched.workers["metrics"].terminate()
    watched.workers["metrics"].wait()
    watched.fires("MetricsAreGone")
    watched.start("metrics")
    watched.ends("MetricsAreGone")


@pytest.mark.parametrize("worker", ["mailer", "sweeper", "historian"])
def test_a_worker_falls_silent(watched, worker):
    watched.workers[worker].send_signal(signal.SIGSTOP)
    watched.fires("WorkerIsSilent")
    watched.workers[worker].send_signal(signal.SIGCONT)
    watched.ends("WorkerIsSilent")


def test_changes_wait_for_the_log_and_the_figures_are_late(watched):
    watched.workers["historian"].send_signal(signal.SIGSTOP)
    watched.query("UPDATE petition_hour SET at = at - interval '3 hours'")
    (reference,) = watched.query("SELECT reference FROM petition_signature LIMIT 1")[0]
    watched.query("UPDATE petition_signature SET passed_challenge = true")
    token = token_of(watched, reference)
    assert watched.site.post(f"/en/confirm/{token}/", x="1").status == 303
    watched.fires("LogIsLate", "FiguresAreLate")
    watched.query("UPDATE petition_hour SET hour = hour - interval '3 hours'")  # Not drawn up yet.
    watched.workers["historian"].send_signal(signal.SIGCONT)
    watched.ends("LogIsLate", "FiguresAreLate", "WorkerIsSilent")


def test_somebody_changes_the_count_by_hand(watched):
    total = "UPDATE petition_tally SET count = count {} 3 WHERE dimension = 'total' AND slot = 0"
    watched.query(total.format("+"))
    watched.fires("LogDiffers")
    watched.query(total.format("-"))
    watched.ends("LogDiffers")


def token_of(watched, reference) -> str:
    """By the site's own keys."""
    code = (
        "from petition.ground import links; from uuid import UUID;"
        f"print(links.token(links.CONFIRM, UUID('{reference}')))"
    )
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "-v0", "-c", code], env=watched.site.environment,
        cwd=settings.BASE_DIR, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return done.stdout.strip()


def test_the_mail_server_goes_and_comes_back(watched):
    watched.mail.stop()
    watched.sign(1, named="waits")
    watched.fires("LettersWait")
    watched.start_mail()
    watched.ends("LettersWait")


def test_e_mails_are_refused(watched):
    watched.box.replies = {f"refused{n}@gmail.com": "550 5.1.1 unknown" for n in range(150)}
    watched.sign(150, named="refused")
    watched.fires("LettersAreRefused")
    watched.box.replies = {}
    watched.ends("LettersAreRefused")


def test_signs_of_fakes_are_seen_and_go(watched):
    watched.query("UPDATE petition_signature SET signed_at = signed_at - interval '3 days'")
    watched.sign(60, "throw-away.example", "made-up")
    restart(watched, "metrics")  # It looks for signs once a minute.
    watched.fires("SignsOfFakes")
    watched.query("UPDATE petition_signature SET signed_at = signed_at - interval '3 days'")
    restart(watched, "metrics")
    watched.ends("SignsOfFakes", "MetricsAreGone")


def restart(watched, worker: str) -> None:
    watched.workers[worker].terminate()
    watched.workers[worker].wait()
    watched.start(worker)


def test_the_cache_goes_and_comes_back(watched):
    watched.redis.kill()
    watched.redis.wait()
    for n in range(8):
        watched.sign(1, named=f"nocache{n}")
        if "CacheIsGone" in watched.firing():
            break
    watched.fires("CacheIsGone")
    watched.start_redis()
    watched.ends("CacheIsGone")


def test_answers_are_slow(watched):
    """The web process itself hangs in the middle of a post, again and again."""
    group = os.getpgid(watched.site.process.pid)
    names = count()

    def hang_and_ask() -> bool:
        with psycopg.connect(watched.database.url) as other, ThreadPoolExecutor(1) as pool:
            other.execute("LOCK TABLE petition_tally IN EXCLUSIVE MODE")
            asked = pool.submit(watched.sign, 1, named=f"hung{next(names)}-")
            until(lambda: watched.query("SELECT 1 FROM pg_locks WHERE NOT granted"))
            os.killpg(group, signal.SIGSTOP)
            time.sleep(1.5)
            os.killpg(group, signal.SIGCONT)
            asked.result()
        return "AnswersAreSlow" in watched.firing()

    until(hang_and_ask, LONGEST)
    watched.ends("AnswersAreSlow")
