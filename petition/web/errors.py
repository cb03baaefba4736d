"""Answers in the visitor's language when something is wrong; none of them asks the database."""

import logging

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import add_never_cache_headers
from django.utils.translation import get_language

from petition.campaign import texts
from petition.web import problems

logger = logging.getLogger(__name__)

LAST_RESORT = (
    "<!doctype html><html lang='ar' dir='rtl'><meta charset='utf-8'><title>500</title>"
    "<h1>تعذّر عرض هذه الصفحة</h1><p>حدث خطأ لدينا. أعيدوا المحاولة بعد دقائق.</p>"
    "<p lang='fr' dir='ltr'>Une erreur s’est produite chez nous. "
    "Réessayez dans quelques minutes.</p>"
    "<p lang='en' dir='ltr'>Something went wrong on our side. "
    "Try again in a few minutes.</p></html>"
)

RETRY_AFTER = "5"  # Seconds; signing works again so soon after the database does.

PROBLEMS = {
    400: ("Bad Request", "The request could not be read."),
    403: ("Forbidden", "Nothing can be posted here, from whichever site."),
    404: ("Not Found", "Every address is in /api/v1/openapi.json."),
    413: ("Content Too Large", "The request has more than 64 KB; none of ours needs a body."),
    503: ("Service Unavailable", "The figures cannot be read just now. Try again in a minute."),
    500: ("Internal Server Error", "Something went wrong on our side. Try again in a minute."),
}


def page(request: HttpRequest, status: int, **context) -> HttpResponse:
    """The page for a status, never kept by a cache; for programs the same as a problem."""
    if request.path.startswith("/api/"):
        return problems.problem(status, *PROBLEMS[status])
    context["campaign"] = texts.site(get_language())
    response = render(request, f"errors/{status}.html", context, status=status)
    add_never_cache_headers(response)
    return response


def bad_request(request, exception=None):
    return page(request, 400)


def permission_denied(request, exception=None):
    return page(request, 403)


def csrf_failure(request, reason=""):
    return page(request, 403)


def not_found(request, exception=None):
    return page(request, 404)


def unavailable(request):
    """What the page needs does not answer: nothing was done, and it is asked for again soon."""
    response = page(request, 503)
    response.headers["Retry-After"] = RETRY_AFTER
    return response


def server_error(request):
    """Answers whatever happened, even to the templates."""
    try:
        return page(request, 500)
    except Exception:
        logger.exception("The page for errors could not be made.")
        return HttpResponse(LAST_RESORT, status=500)
