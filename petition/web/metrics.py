"""Counts and times requests, and reads from the database what those who watch must know."""

import time
from collections import Counter
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.urls import Resolver404, resolve
from django.utils import timezone, translation
from prometheus_client import CollectorRegistry, multiprocess
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from petition.desk import overview
from petition.ground import memory, metrics
from petition.log import events, sequencer
from petition.models import Hour, LogEvent, LogHead, Sheet, Signature, Sweep
from petition.signing import signs, tallies
from petition.web import heartbeats, readiness

METHODS = {"GET", "HEAD", "POST", "OPTIONS"}
NO_ROUTE = "none"  # Nothing of ours: what scanners ask for must not fill the memory.


class Requests:
    """Counts every request by its route, method and status."""

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = time.perf_counter()
        response = self.get_response(request)
        route = _route(request, response)
        method = request.method if request.method in METHODS else "other"
        metrics.REQUESTS.labels(route, method, str(response.status_code)).inc()
        metrics.SECONDS.labels(route).observe(time.perf_counter() - began)
        return response


def registry() -> CollectorRegistry:
    """What `/metrics` shows: the sums of all processes, and the state of the database."""
    shown = CollectorRegistry()
    if settings.METRICS_DIR:
        multiprocess.MultiProcessCollector(shown, path=settings.METRICS_DIR)
    shown.register(State())
    return shown


class State(Collector):
    """Gauges that are read at the moment they are asked for; each at the price of a few rows."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        up = GaugeMetricFamily("petition_database_up", "Whether the database answers")
        try:
            found = list(_gauges())
        except (DatabaseError, *memory.UNAVAILABLE):
            found = []
        up.add_metric([], int(bool(found)))
        yield up
        ready = GaugeMetricFamily("petition_ready", "Whether it can be used", labels=["use"])
        for use, why in readiness.uses().items():
            ready.add_metric([use], int(not why))
        yield ready
        yield from found


def _gauges() -> Iterator[GaugeMetricFamily]:
    counter = tallies.read_counter()
    states = GaugeMetricFamily("petition_signatures", "Signatures by state", labels=["state"])
    states.add_metric(["counted"], counter.online)
    states.add_metric(["paper"], counter.paper)
    for state, count in overview.states().items():
        states.add_metric([state], count)
    yield states
    due = overview.letters_due()
    yield _gauge("petition_letters_due", "Letters that somebody waits for", due.count)
    age = (timezone.now() - due.since).total_seconds() if due.since else 0
    yield _gauge("petition_oldest_letter_seconds", "How long the oldest waits", age)
    bounced = overview.letters_bounced().count
    yield _gauge("petition_letters_refused", "Refused for good, of the last 30 days", bounced)
    yield _gauge("petition_log_events_waiting", "Changes that the public log lacks", _unlogged())
    yield _gauge("petition_log_differs", "1 where the log and the count differ", _log_differs())
    if hour := Hour.objects.order_by("-hour").first():
        since = (timezone.now() - hour.at).total_seconds()
        yield _gauge("petition_figures_age_seconds", "Age of the last hourly figures", since)
    running = Sweep.objects.filter(state=Sweep.State.RUNNING).count()
    yield _gauge("petition_sweeps_running", "Sweeps that are under way", running)
    found = Counter(sign.kind.value for sign in signs.seen())
    shown = GaugeMetricFamily("petition_signs", "Signs of made-up signatures", labels=["kind"])
    for kind in signs.Kind:
        shown.add_metric([kind.value], found[kind.value])
    yield shown
    silent = GaugeMetricFamily(
        "petition_worker_silent_seconds", "Since a worker was last heard of", labels=["worker"]
    )
    for worker, seconds in heartbeats.silent_seconds().items():
        if seconds is not None:
            silent.add_metric([worker], seconds)
    yield silent


def _gauge(name: str, what: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, what, value=value)


def _route(request: HttpRequest, response: HttpResponse) -> str:
    match = request.resolver_match
    if match is not None:
        return _named(str(match.route))
    if request.path.startswith("/static/"):
        return "static/"
    return NO_ROUTE if response.status_code == 404 else _route_of(request.path)


@lru_cache(maxsize=2048)
def _route_of(path: str) -> str:
    """The route of a page that came from memory: no view was asked."""
    try:
        with translation.override(translation.get_language_from_path(path)):
            return _named(str(resolve(path).route))
    except Resolver404:
        return NO_ROUTE


def _named(route: str) -> str:
    """The same in every language."""
    first, slash, rest = route.partition("/")
    return f"{{lang}}/{rest}" if slash and first in dict(settings.LANGUAGES) else route


def forget_dead(pid: int) -> None:
    """A process has ended: what it counted stays, its gauges go."""
    if settings.METRICS_DIR:
        multiprocess.mark_process_dead(pid)


def begin_anew() -> None:
    """Takes away what processes that are gone have counted: Prometheus knows that sums may begin
    again."""
    for path in Path(settings.METRICS_DIR).glob("*.db") if settings.METRICS_DIR else ():
        pid = path.stem.rpartition("_")[2]
        if pid.isdecimal() and not Path(f"/proc/{pid}").exists():
            path.unlink(missing_ok=True)


def _log_differs() -> bool:
    """In one moment: what the log adds up to, with what waits for it, against what is published."""
    if not settings.LOG_KEY:
        return False
    with sequencer.snapshot():
        head = LogHead.objects.first()
        if head is None or not head.size:
            return False
        online, paper = events.waiting()
        published = tallies.read_counter()
    return (head.online + online, head.paper + paper) != (published.online, published.paper)


def _unlogged() -> int:
    """Of each kind 10,000 at most; a site without a log waits for nothing."""
    if not settings.LOG_KEY:
        return 0
    waiting = (
        LogEvent.objects.order_by(),
        Signature.objects.counted().filter(in_log=False).order_by(),
        Sheet.objects.counted().filter(in_log=False).order_by(),
    )
    return sum(rows[:10_000].count() for rows in waiting)
