"""`/api/v1/`: the figures for programs."""

import json
from collections.abc import Callable
from datetime import date
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.cache import patch_cache_control
from django.views.decorators.csrf import csrf_exempt

from petition.figures import api, openapi
from petition.views import headers
from petition.web import answers
from petition.web.problems import problem

METHODS = "GET, HEAD, OPTIONS"
# How long caches keep what changes at any moment, on the hour, and never.
LIVE, HOURLY, FINAL = 5, 60, 7 * 24 * 3600
CONTENT_TYPES = {"json": "application/json", "csv": "text/csv; charset=utf-8; header=present"}


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

    return headers.same_for_all()(answer)


@for_programs
def counter(request: HttpRequest) -> HttpResponse:
    return _answer(api.counter, LIVE)


@for_programs
def tallies(request: HttpRequest, form: str) -> HttpResponse:
    return _answer(api.tables, HOURLY, form, api.lines_of_tables)


@headers.same_for_all(headers.ANY)
@for_programs
def history(request: HttpRequest, form: str) -> HttpResponse:
    """The hours of at most 31 days; 400 says what is wrong with the days that were asked for."""
    try:
        first, last = api.asked_days(request.GET)
    except api.BadQuery as error:
        return problem(400, "Bad Request", str(error))
    return _answer(lambda: api.hours(first, last), HOURLY, form, api.lines_of_hours)


@for_programs
def day(request: HttpRequest, day: str, form: str) -> HttpResponse:
    """One day's figures, for good; 404 where there are none."""
    try:
        which = date.fromisoformat(day)
        return _answer(lambda: api.day(which), HOURLY, form, api.lines_of_tables)
    except (ValueError, api.NoSuchDay):
        return problem(404, "Not Found", f"{day} is no day of this petition (in UTC) so far.")


@for_programs
def corrections(request: HttpRequest) -> HttpResponse:
    return _answer(api.corrections, HOURLY)


@for_programs
def document(request: HttpRequest) -> HttpResponse:
    """The OpenAPI document; its examples are what the other addresses say now."""
    return _answer(api.document, HOURLY)


def _answer(
    find: Callable[[], api.Answer],
    seconds: int,
    form: str = "json",
    lines: Callable = list,
) -> HttpResponse:
    """What `find` finds, as JSON or as its lines in CSV; caches keep it `seconds`, or for good."""
    found = find()
    content = json.dumps(found.said) if form == "json" else api.table(lines(found.said))
    response = HttpResponse(
        content, content_type=CONTENT_TYPES[form], headers={"X-Frame-Options": "DENY"}
    )
    links = (openapi.LICENCE_URL, "license"), (reverse("openapi"), "service-desc")
    response.headers["Link"] = ", ".join(f'<{url}>; rel="{rel}"' for url, rel in links)
    # As django-csp's decorator: figures load nothing and run nothing.
    response._csp_exempt = True  # type: ignore[attr-defined]
    patch_cache_control(response, **headers.lifetime(FINAL if found.is_final else seconds))
    return answers.dated(response, found.changed_at)
