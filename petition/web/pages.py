"""Public pages from memory: made once for all who ask, and the last good one where none can be
made.

`PublicPages` stands before all other middleware. A view takes part by `headers.public`, which names
the query parameters that its page knows. All others lead to the same page.
"""

import logging
import re
import threading
import time
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from urllib.parse import parse_qsl, urlencode

from cachetools import LRUCache
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.urls import Resolver404, resolve
from django.utils import timezone, translation

from petition.ground import memory, waiting
from petition.web import answers, installation

logger = logging.getLogger(__name__)

# How long a page is given out without a look at the database; what is dear to make, longer.
FRESH_SECONDS = {"application/json": 1, "text/html": 2, "application/xml": 2}
FRESH_AT_MOST = 60
# While one request makes a page anew, others get the former one, if it is no older than so many of
# its lifetimes.
LIFETIMES_MEANWHILE = 3
# How long a request waits for the database where a former answer could be sent instead; for
# somebody else who makes the same page.
WAIT_WITH_FORMER, WAIT_FOR_MAKER = 0.1, 0.2
# From this age on a page says of when it is, and shows nothing that may have been taken down.
OLD_SECONDS = 60
RETRY_SECONDS = 5  # How soon a cache asks again for a page that could not be made.
KEEP_SECONDS = 30  # How often at most the last good copy of a page is written down.
KNOWN_ADDRESSES = 10_000
# How long a page stands still in a crisis before it is made anew.
CRISIS_SECONDS = 300

MAX_AGE = re.compile(r"\bmax-age=(\d+)")
OF_CASES = re.compile(rb"<!--cases-->.*?<!--/cases-->", re.DOTALL)
AS_OF = b"<!--as of-->"
BEFORE: memory.Turn = (-1, "")  # The turn of another process's copy.
# Answered elsewhere: no address there is the same for everybody.
NOT_OURS = ("/admin/", "/static/", "/dev/")


@dataclass
class Kept:
    """An answer in memory. Moments are of `time.monotonic`, lifetimes in seconds."""

    packed: answers.Packed
    made_at: float
    fresh_for: float
    good_for: float
    is_strict: bool  # May have to disappear: never older than its rule.
    turn: memory.Turn
    old: answers.Packed | None = None
    maker: threading.Lock = field(default_factory=threading.Lock)

    def age(self) -> float:
        return time.monotonic() - self.made_at

    def is_current(self) -> bool:
        """Nothing public has changed since it was made."""
        return self.turn == memory.turn()

    def is_fresh(self) -> bool:
        return self.age() < self.fresh_for and self.is_current()

    def may_stand_still(self) -> bool:
        """A page, as it is shown in a crisis: with its moment, without what may be taken down."""
        is_page = self.packed.headers[""].get("Content-Type", "").startswith("text/html")
        return is_page and not self.is_strict and self.age() < CRISIS_SECONDS

    def is_good(self) -> bool:
        return self.age() < self.good_for and (self.is_current() or not self.is_strict)


class Store:
    """The latest used answers, bounded in bytes whoever asks for what."""

    def __init__(self, most_bytes: int):
        self.most_bytes = most_bytes
        self._kept: LRUCache = LRUCache(most_bytes, getsizeof=lambda kept: 2 * kept.packed.size)
        # What each address asks for; unknown ones are looked up among the views.
        self.asks: LRUCache = LRUCache(KNOWN_ADDRESSES)
        self._lock = threading.Lock()
        self._makers: dict[str, threading.Lock] = {}

    def get(self, key: str) -> Kept | None:
        with self._lock:
            return self._kept.get(key)

    def put(self, key: str, kept: Kept) -> None:
        with self._lock:
            if 2 * kept.packed.size <= self.most_bytes // 4:
                self._kept[key] = kept

    def drop(self, key: str) -> None:
        with self._lock:
            self._kept.pop(key, None)

    def first_maker(self, key: str) -> threading.Lock:
        """What those hold who make a page that nobody has yet."""
        with self._lock:
            if len(self._makers) > KNOWN_ADDRESSES:
                self._makers.clear()
            return self._makers.setdefault(key, threading.Lock())

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()
            self.asks.clear()

    @property
    def bytes(self) -> int:
        return int(self._kept.currsize)


class PublicPages:
    """Answers every public GET that is the same for everybody."""

    def __init__(self, get_response):
        self.get_response = get_response
        self.store = Store(settings.PAGE_MEMORY_BYTES)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.method not in ("GET", "HEAD"):
            return self.get_response(request)
        asks = self._asks(request.path)
        if asks is None:
            return self.get_response(request)
        query = _known(request.META.get("QUERY_STRING", ""), asks)
        request.get_host()  # Refuses another site's name.
        if query is None or _is_refused_elsewhere(request) or not self.store.most_bytes:
            return self._unkept(request)
        if query != request.META.get("QUERY_STRING", ""):
            request.META["QUERY_STRING"] = query
        return self._from_memory(request, f"{request.path}?{query}")

    def _asks(self, path: str) -> tuple | None:
        """The parameters that the page at `path` knows; None where it is not the same for all."""
        known = self.store.asks.get(path, self)
        if known is not self:
            return known
        if path.startswith(NOT_OURS):
            return None
        try:
            with translation.override(translation.get_language_from_path(path)):
                return getattr(resolve(path).func, "asks", None)
        except Resolver404:
            return None

    def _from_memory(self, request: HttpRequest, key: str) -> HttpResponse:
        kept = self.store.get(key)
        if kept is None:
            return self._first(request, key)
        if kept.is_fresh():
            return answers.send(request, kept.packed)
        if kept.may_stand_still() and installation.in_crisis():
            kept.old = kept.old or _old(kept)
            return answers.send(request, kept.old, int(kept.age()))
        if kept.maker.acquire(blocking=False):
            try:
                return self._anew(request, key, kept)
            finally:
                kept.maker.release()
        if not kept.is_current() or kept.age() > LIFETIMES_MEANWHILE * kept.fresh_for:
            with waiting.turn_of(kept.maker, WAIT_FOR_MAKER):
                kept = self.store.get(key) or kept
        return self._former(request, kept) or self._unkept(request)

    def _first(self, request: HttpRequest, key: str) -> HttpResponse:
        """One makes a page that is not here; those who ask meanwhile get what comes of it."""
        with waiting.turn_of(self.store.first_maker(key), settings.PUBLIC_DATABASE_SECONDS):
            kept = self.store.get(key)
            if kept and kept.is_good():
                return answers.send(request, kept.packed)
            return self._anew(request, key, _last_good(key))

    def _anew(self, request: HttpRequest, key: str, former: Kept | None) -> HttpResponse:
        has_former = former and former.is_good()
        patience = WAIT_WITH_FORMER if has_former else settings.PUBLIC_DATABASE_SECONDS
        turn = memory.turn()  # Before it is made: what changes meanwhile makes it old.
        with waiting.at_most(patience):
            response = self._made(request)
        if response.status_code >= 500 or memory.is_standing_in():
            return (former and self._former(request, former)) or response
        kept = _keepable(response, turn)
        if kept is None:
            self.store.drop(key)
            return response
        self.store.put(key, kept)
        self.store.asks.setdefault(request.path, self._asks(request.path))
        _write_down(key, kept)
        return answers.send(request, kept.packed)

    def _unkept(self, request: HttpRequest) -> HttpResponse:
        """Made for this request alone."""
        response = self._made(request)
        if response.status_code != 200 or response.streaming:
            return response
        return answers.send(request, answers.pack(response.content, dict(response.headers)))

    def _former(self, request: HttpRequest, kept: Kept) -> HttpResponse | None:
        """The last good answer, if it may still be shown."""
        if not kept.is_good():
            return None
        age = int(kept.age())
        if age < OLD_SECONDS and kept.is_current():
            response, seconds = answers.send(request, kept.packed, age), OLD_SECONDS - age
        else:
            kept.old = kept.old or _old(kept)
            response, seconds = answers.send(request, kept.old, age), OLD_SECONDS
        # Caches that do not look at `Age` hold the rule too.
        response.headers["Cache-Control"] = f"public, max-age={min(RETRY_SECONDS, seconds)}"
        return response

    def _made(self, request: HttpRequest) -> HttpResponse:
        """The whole, plain answer, whatever part or encoding this request asks for."""
        about, method = request.META, request.method
        left_out = {n: about.pop(n) for n in (*answers.CONDITIONS, "HTTP_ACCEPT_ENCODING")
                    if n in about}  # fmt: skip
        request.method = "GET"
        try:
            return self.get_response(request)
        finally:
            request.method = method
            about.update(left_out)


def _is_refused_elsewhere(request: HttpRequest) -> bool:
    """Whatever has a body, or comes without TLS, is looked at where all others are."""
    about = request.META
    return bool(
        about.get("CONTENT_TYPE")
        or about.get("CONTENT_LENGTH", "0") not in ("", "0")
        or (settings.SECURE_SSL_REDIRECT and not request.is_secure())
    )


def _known(query: str, asks: tuple) -> str | None:
    """What of a query the page knows, in one order; None where its answer is not kept."""
    if not query or not asks:
        return ""
    if "*" in asks:
        return None
    try:
        given = dict(parse_qsl(query, max_num_fields=100))
    except ValueError:
        return None
    return urlencode([(name, given[name]) for name in asks if name in given])


def _keepable(response: HttpResponse, turn: memory.Turn) -> Kept | None:
    control = response.headers.get("Cache-Control", "")
    lifetime = MAX_AGE.search(control)
    if response.status_code != 200 or response.streaming or "public" not in control:
        return None
    if not lifetime or lifetime[1] == "0" or response.cookies:
        return None
    seconds, is_strict = int(lifetime[1]), "must-revalidate" in control
    kind = response.headers.get("Content-Type", "").partition(";")[0]
    fresh_for = min(seconds, 2 if is_strict else FRESH_SECONDS.get(kind, FRESH_AT_MOST))
    packed = answers.pack(response.content, dict(response.headers))
    good_for = seconds if is_strict else memory.AN_HOUR
    return Kept(packed, time.monotonic(), fresh_for, good_for, is_strict, turn)


def _old(kept: Kept) -> answers.Packed:
    """A page as it is shown once it is old: with its moment, without what may be taken down."""
    headers = kept.packed.headers[""]
    if not headers.get("Content-Type", "").startswith("text/html"):
        return kept.packed
    at = timezone.now() - timedelta(seconds=kept.age())
    with translation.override(headers.get("Content-Language", settings.LANGUAGE_CODE)):
        return answers.pack(as_old(kept.packed.bodies[""], at), headers)


def as_old(body: bytes, at: datetime) -> bytes:
    """A page with the moment of which it is, in the active language, and without profiles."""
    said = render_to_string("components/not_updated.html", {"at": at}).strip()
    return OF_CASES.sub(b"", body).replace(AS_OF, said.encode())


# --- What outlives a restart --------------------------------------------------------------------


def _write_down(key: str, kept: Kept) -> None:
    """Keep a copy outside this process; not of what may have to disappear, nor of a query."""
    if kept.is_strict or not key.endswith("?"):
        return
    packed = kept.packed
    memory.write_down(f"page-{key}", (packed.bodies[""], packed.headers[""]), KEEP_SECONDS)


def _last_good(key: str) -> Kept | None:
    if not key.endswith("?"):
        return None
    found = memory.written_down(f"page-{key}")
    if found is None:
        return None
    (body, headers), age = found
    made_at = time.monotonic() - age
    # Of no turn: what was taken down since this process cannot know.
    return Kept(answers.pack(body, headers), made_at, 0, memory.AN_HOUR, False, BEFORE)
