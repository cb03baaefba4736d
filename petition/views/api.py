"""`/api/v1/`: the figures for programs.

An answer is put together once for all who ask in the same second; then a request costs no SQL and
hardly more than sending the bytes.
"""

import gzip
import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import wraps

from django.core.cache import caches
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.cache import get_conditional_response, patch_cache_control
from django.utils.http import http_date
from django.views.decorators.csrf import csrf_exempt

from petition import api, openapi
from petition.api import Answer
from petition.problems import problem
from petition.views import headers

METHODS = "GET, HEAD, OPTIONS"
REMEMBERED_SECONDS = 1
# How long caches keep what changes at any moment, on the hour, and never.
LIVE, HOURLY, FINAL = 5, 60, 7 * 24 * 3600
CONTENT_TYPES = {"json": "application/json", "csv": "text/csv; charset=utf-8; header=present"}
GZIP = re.compile(r"\bgzip\b")


@dataclass(frozen=True)
class Packed:
    """An answer as it goes over the wire, by its encoding; each encoding has its own strong ETag,
    which a compression further out would have to weaken."""

    bodies: dict[str, bytes]
    tags: dict[str, str]
    headers: dict[str, str]
    changed: int | None  # seconds since 1970


def for_programs(view):
    """GET and HEAD for the view; OPTIONS says what pages of other sites may send; 405 the rest."""

    @csrf_exempt
    @wraps(view)
    def answer(request, *args, **kwargs):
        if request.method == "OPTIONS":
            return HttpResponse(status=204, headers={"Allow": METHODS})
        if request.method not in ("GET", "HEAD"):
            response = problem(405, "Method Not Allowed", f"This address answers {METHODS}.")
            response.headers["Allow"] = METHODS
            return response
        return view(request, *args, **kwargs)

    return answer


@for_programs
def counter(request: HttpRequest) -> HttpResponse:
    return _answer(request, "counter", api.counter, LIVE)


@for_programs
def tallies(request: HttpRequest, form: str) -> HttpResponse:
    return _answer(request, "tallies", api.tables, HOURLY, form, api.lines_of_tables)


@for_programs
def history(request: HttpRequest, form: str) -> HttpResponse:
    """The hours of at most 31 days; 400 says what is wrong with the days that were asked for."""
    try:
        first, last = api.asked_days(request.GET)
    except api.BadQuery as error:
        return problem(400, "Bad Request", str(error))
    name = f"history {first} {last}"
    return _answer(request, name, lambda: api.hours(first, last), HOURLY, form, api.lines_of_hours)


@for_programs
def day(request: HttpRequest, day: str, form: str) -> HttpResponse:
    """One day's figures, for good; 404 where there are none."""
    try:
        which = date.fromisoformat(day)
        return _answer(
            request, f"day {day}", lambda: api.day(which), HOURLY, form, api.lines_of_tables
        )
    except (ValueError, api.NoSuchDay):
        return problem(404, "Not Found", f"{day} is no day of this petition (in UTC) so far.")


@for_programs
def corrections(request: HttpRequest) -> HttpResponse:
    return _answer(request, "corrections", api.corrections, HOURLY)


@for_programs
def document(request: HttpRequest) -> HttpResponse:
    """The OpenAPI document; its examples are what the other addresses say now."""
    return _answer(request, "openapi", api.document, HOURLY)


def _answer(
    request: HttpRequest,
    name: str,
    find: Callable[[], Answer],
    seconds: int,
    form: str = "json",
    lines: Callable | None = None,
) -> HttpResponse:
    """The answer of that name in the encoding that is asked for; 304 where the client has it.

    `find` is called where nothing is remembered. Caches keep it `seconds`.
    """
    memory, key = caches["process"], f"api.{name}.{form}".replace(" ", ".")
    packed = memory.get(key)
    if packed is None:
        answer = find()
        content = json.dumps(answer.said) if form == "json" else api.table(lines(answer.said))
        packed = _pack(answer, content, CONTENT_TYPES[form], seconds)
        memory.set(key, packed, REMEMBERED_SECONDS)
    encoding = "gzip" if GZIP.search(request.headers.get("Accept-Encoding", "")) else ""
    response = HttpResponse(packed.bodies[encoding], headers=packed.headers)
    response.headers["ETag"] = packed.tags[encoding]
    if encoding:
        response.headers["Content-Encoding"] = encoding
    response = get_conditional_response(request, packed.tags[encoding], packed.changed, response)
    if response.status_code == 412:
        return problem(412, "Precondition Failed", "The figures are not those that you expect.")
    return response


def _pack(answer: Answer, content: str, content_type: str, seconds: int) -> Packed:
    plain = content.encode()
    # Without a time in it, so that all processes pack the same bytes.
    bodies = {"": plain, "gzip": gzip.compress(plain, mtime=0)}
    tags = {
        encoding: f'"{hashlib.blake2s(body, digest_size=12).hexdigest()}"'
        for encoding, body in bodies.items()
    }
    about = HttpResponse(content_type=content_type)
    about.headers["Vary"] = "Accept-Encoding"
    about.headers["Link"] = (
        f'<{openapi.LICENCE_URL}>; rel="license", <{reverse("openapi")}>; rel="service-desc"'
    )
    patch_cache_control(about, **headers.lifetime(FINAL if answer.is_final else seconds))
    changed = answer.changed_at and int(answer.changed_at.timestamp())
    if changed:
        about.headers["Last-Modified"] = http_date(changed)
    return Packed(bodies, tags, dict(about.headers), changed)
